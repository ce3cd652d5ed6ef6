"""`python -m flowlib` is the command `flowlib`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Python puts the working directory first, where a file of the user's may be called click.py.
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109  # as Python writes it
        sys.path.append(sys.path.pop(0))

    from flowlib.cli.main import main

    sys.exit(main())
