"""Does the core work on every supported Python with nothing but the core dependencies?"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.environment import ROOT, ensure
from tools.interpreters import VERSIONS, find
from tools.system import in_ci

FOLDERS = ("tests/stores", "tests/flowlib", "tests/acceptance")


def main() -> None:
    """Run the core suite on each version that this machine has."""
    found = {version: find(version) for version in sys.argv[1:] or VERSIONS}
    absent = [version for version, python in found.items() if python is None]
    present = {version: python for version, python in found.items() if python is not None}
    with ThreadPoolExecutor(1) as beside:  # pip waits for the network while tests run
        made = {each: beside.submit(environment, each, present[each]) for each in present}
        failed = [each for each in present if not passes(each, made[each].result())]
    for version in absent:
        print(f"not run: the core suite on Python {version}, which this machine does not have")
    if failed:
        sys.exit(f"the core suite failed on Python {', '.join(failed)}")
    if absent and in_ci():
        sys.exit("CI=true: every supported Python must be there")


def environment(version: str, python: str) -> Path:
    """The interpreter of an environment of `python` without any extra installed."""
    return ensure(ROOT / f".venv-{version}", groups=["core-tests"], python=python)


def passes(version: str, inner: Path) -> bool:
    """Whether all quick tests pass in the environment of `inner`."""
    print(f"core suite on Python {version} ({inner})", flush=True)
    command = [str(inner), "-m", "pytest", "-q", "-m", "not slow", "--core", *workers(), *FOLDERS]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def workers() -> list[str]:
    """Options of pytest: one process more than this machine has cores, at most four."""
    return ["-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist", "worksteal"]


if __name__ == "__main__":
    main()
