"""Does the core work on every supported Python with nothing but the core dependencies?"""

from __future__ import annotations

import os
import subprocess
import sys

from tools.environment import ROOT, ensure
from tools.interpreters import VERSIONS, find
from tools.system import in_ci

FOLDERS = ("tests/stores", "tests/flowlib", "tests/acceptance")


def main() -> None:
    """Run the core suite on each version that this machine has."""
    versions = sys.argv[1:] or VERSIONS
    failed, absent = [], []
    for version in versions:
        python = find(version)
        if python is None:
            absent.append(version)
        elif not passes(version, python):
            failed.append(version)
    for version in absent:
        print(f"not run: the core suite on Python {version}, which this machine does not have")
    if failed:
        sys.exit(f"the core suite failed on Python {', '.join(failed)}")
    if absent and in_ci():
        sys.exit("CI=true: every supported Python must be there")


def passes(version: str, python: str) -> bool:
    """Whether all quick tests pass on `python` without any extra installed."""
    inner = ensure(ROOT / f".venv-{version}", groups=["core-tests"], python=python)
    print(f"core suite on Python {version} ({python})", flush=True)
    command = [str(inner), "-m", "pytest", "-q", "-m", "not slow", "--core", *workers(), *FOLDERS]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def workers() -> list[str]:
    """Options of pytest: one process more than this machine has cores, at most four."""
    return ["-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist", "worksteal"]


if __name__ == "__main__":
    main()
