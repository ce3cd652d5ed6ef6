"""Where is a Python of a given version on this machine?"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools.environment import base_interpreter

VERSIONS = ("3.11", "3.12", "3.13")
"""The versions that flowlib supports, oldest first."""

_PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


def find(version: str) -> str | None:
    """The first interpreter of `version` that runs and can make environments, or None."""
    return next((each for each in _candidates(version) if _answers(each) == version), None)


def _candidates(version: str) -> Iterator[str]:
    yield base_interpreter()
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    for root in (os.environ.get("PYENV_ROOT"), Path.home() / ".pyenv"):
        if root:
            yield from map(str, sorted(Path(root).glob(f"versions/{version}*/bin/python{version}")))


def _answers(python: str) -> str | None:
    """What it says its version is; a pyenv shim without a version set only complains."""
    try:
        done = subprocess.run(
            [python, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
