"""Do flows run under the engines that they are exported to?

Their packages clash with each other and with ours, so each has an environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tools.environment import ROOT, ensure
from tools.system import in_ci

ENGINES = ("prefect", "kfp")
"""The extras that bring them; each has its tests in `tests/exports/test_<extra>.py`."""


def main() -> None:
    """Run the tests of each engine, or of those that are named, side by side."""
    engines = sys.argv[1:] or ENGINES
    with ThreadPoolExecutor(len(engines)) as beside:  # pip and engines wait much
        ended = dict(zip(engines, beside.map(passes, engines), strict=True))
    failed = [each for each in engines if not ended[each]]
    if failed:
        sys.exit(f"the exports failed: {', '.join(failed)}")


def passes(engine: str) -> bool:
    """Whether all tests of an engine pass; where it cannot be installed, that is said.

    Raises:
        SystemExit: it cannot be installed, with CI=true.
    """
    try:
        inner = ensure(ROOT / f".venv-{engine}", extras=[engine], groups=["core-tests"])
    except (SystemExit, subprocess.SubprocessError) as error:
        if in_ci():
            raise
        print(f"not run: the exports to {engine}, which cannot be installed here: {error}")
        return True
    command = [str(inner), "-m", "pytest", "-q", f"tests/exports/test_{engine}.py"]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(f"exports to {engine}\n{done.stdout}", flush=True)  # in one piece
    return done.returncode == 0


if __name__ == "__main__":
    main()
