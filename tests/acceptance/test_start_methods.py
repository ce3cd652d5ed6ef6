"""Do tasks reach their workers from scripts, stdin, -c and notebooks, however these start?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.scripts import run_script

METHODS = ["fork", "forkserver", "spawn"]

TASKS = """
from flowlib import Flow, Task, TaskSpec

OFFSET = 10

class Base(Task):
    def __init__(self, x):
        self.x = x

class Square(Base):
    def run(self):
        return {"y": self.x ** 2 + OFFSET}

def double(y):
    return {"z": 2 * y}

def main(method):
    square = TaskSpec(Square, {"x": [1, 2, 3]}, expand="product")
    after = TaskSpec(double)
    after.requires(square)
    run = Flow([square, after]).run(num_workers=2, start_method=method)
    print("RESULT", sorted(each.results["z"] for each in run["double"]))
"""
RESULT = "RESULT [22, 28, 38]"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["file", "stdin", "-c"])
def test_tasks_of_main_run_under_every_start_method(how: str, method: str, tmp_path: Path) -> None:
    """Classes with a base and a constant of the same script, and functions."""
    text = f'{TASKS}\nif __name__ == "__main__":\n    main("{method}")\n'
    done = run_script(text, tmp_path, how=how)
    assert (done.code, done.out.strip()) == (0, RESULT), done.err


NOTEBOOK = """
import sys, types

cells = [{tasks!r}, "main({method!r})", "main({method!r})"]
main = types.ModuleType("__main__")
sys.modules["__main__"] = main  # as in a kernel: no file, cells run one after the other
for number, cell in enumerate(cells):
    exec(compile(cell, f"<cell {{number}}>", "exec"), main.__dict__)
"""


@pytest.mark.parametrize("method", METHODS)
def test_tasks_of_a_notebook_run_under_every_start_method(method: str, tmp_path: Path) -> None:
    """`__main__` has no file and comes from cells; running a cell again works."""
    done = run_script(NOTEBOOK.format(tasks=TASKS, method=method), tmp_path, how="-c")
    assert (done.code, done.out.splitlines()) == (0, [RESULT] * 2), done.err


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_a_script_without_a_guard_is_told(method: str, tmp_path: Path) -> None:
    """Once, with the cure; no process is left that starts others."""
    done = run_script(f'{TASKS}\nmain("{method}")\n', tmp_path, how="file")
    assert done.code == 1
    assert done.err.count('if __name__ == "__main__":') == 1
    assert "RESULT" not in done.out


def test_a_fork_needs_no_guard(tmp_path: Path) -> None:
    """It imports nothing."""
    done = run_script(f'{TASKS}\nmain("fork")\n', tmp_path, how="file")
    assert (done.code, done.out.strip()) == (0, RESULT), done.err
