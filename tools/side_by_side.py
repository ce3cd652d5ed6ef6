"""Which of several tools fail, when they are run at once?

What the first says is shown as it comes, what each other says when those before it have ended.

    python -m tools.side_by_side tools.core_suite tools.export_suites
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack

from tools.environment import ROOT


def main() -> None:
    """Run the modules that are named, and fail if one of them does."""
    first, *others = sys.argv[1:]
    with ExitStack() as closing:
        outputs = {each: closing.enter_context(tempfile.TemporaryFile()) for each in others}
        beside = {
            name: subprocess.Popen(_command(name), cwd=ROOT, stdout=output, stderr=output)
            for name, output in outputs.items()
        }
        codes = {first: subprocess.run(_command(first), cwd=ROOT, check=False).returncode}
        for name, process in beside.items():
            codes[name] = process.wait()
            outputs[name].seek(0)
            print(outputs[name].read().decode(errors="replace"), end="", flush=True)
    failed = [name for name, code in codes.items() if code]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", name]


if __name__ == "__main__":
    main()
