"""Where is the user's code looked for here, and how is it found in another process?"""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path, PurePath

from flowlib.code_modules import Origin, origin_of


def code_folders() -> tuple[str, ...]:
    """Where Python looks for code of the user's, in that order."""
    ours = [sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib")]
    ours.append(sysconfig.get_path("scripts"))
    found: dict[str, None] = {}
    for entry in sys.path:
        path = os.path.abspath(entry or ".")  # noqa: PTH100  # no links are followed
        is_ours = any(PurePath(path).is_relative_to(each) for each in ours)
        if not is_ours and Path(path).is_dir() and origin_of([path]) is Origin.PROJECT:
            found[path] = None
    return tuple(found)


def find_code(folders: Iterable[str]) -> None:
    """Let code be found where it was in another process, after all other places."""
    known = {str(Path(each).absolute()) for each in sys.path}
    for folder in folders:
        if folder not in known and Path(folder).is_dir():
            sys.path.append(folder)
            known.add(folder)
    importlib.invalidate_caches()
