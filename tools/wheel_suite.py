"""Does the built distribution work where nothing of the source tree is?

Builds the source distribution and the wheel from it, installs the wheel into a new environment in
a temporary folder and uses it there as a user would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.environment import ROOT, base_interpreter, create, install
from tools.patience import run_patiently

USE = '''
"""A user's script."""
from importlib.resources import files
from pathlib import Path

import flowlib
import stores
from flowlib import Flow, Task, TaskSpec
from stores import LocalFileStore

HERE = Path(__file__).resolve().parent
for package in (flowlib, stores):
    assert package.__file__ is not None
    assert Path(package.__file__).is_relative_to(HERE / "env"), package.__file__
    assert files(package).joinpath("py.typed").is_file(), package


class Double(Task):
    """Saves twice its number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def run(self) -> None:
        """Save it."""
        self.save(2 * self.number, "doubled")


def results(workers: int) -> list[object]:
    """What the sweep gives, computed or stored."""
    flow = Flow([TaskSpec(Double, config={"number": [1, 2]}, expand="product")])
    run = flow.run(num_workers=workers, results_store=LocalFileStore(str(HERE / "runs")))
    print(run.counts)
    return [each["doubled"] for each in run["Double"]]


if __name__ == "__main__":
    assert results(workers=2) == [2, 4]
    assert results(workers=1) == [2, 4]
'''


def main() -> None:
    """Build, install, use, and type-check the use."""
    with tempfile.TemporaryDirectory(prefix="flowlib-wheel-") as name:
        folder = Path(name)
        dist = folder / "dist"
        build = [sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT)]
        run_patiently(build)
        (wheel,) = dist.glob("*.whl")
        create(folder / "env", base_interpreter())
        python = folder / "env" / "bin" / "python"
        install(python, [str(wheel)])
        script = folder / "use.py"
        script.write_text(USE)
        _run([str(python), str(script)], folder)
        _use_command(folder / "env" / "bin" / "flowlib", folder)
        mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python)]
        _run([*mypy, "--cache-dir", str(folder / "mypy"), str(script)], folder)
    print(f"{wheel.name} works in a clean environment")


def _use_command(program: Path, folder: Path) -> None:
    """The command writes a project that runs, wherever it is installed."""
    _run([str(program), "init", "project"], folder)
    for words in (["run", "flow.yaml", "-w", "2"], ["results", "Best"], ["doctor"]):
        _run([str(program), *words], folder / "project")


def _run(command: Sequence[str], folder: Path) -> None:
    """Run `command` in `folder` without anything that points to the source tree."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"the wheel failed: {' '.join(command)}")


if __name__ == "__main__":
    main()
