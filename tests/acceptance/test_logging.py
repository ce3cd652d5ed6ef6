"""Is logging set up as the parity page describes? (its section 9)"""

from __future__ import annotations

from pathlib import Path

import pytest

from flowlib import configure_logging
from tests.acceptance.scripts import run_script


@pytest.mark.parametrize("level", ["LOUD", 5, "debugging"])
def test_unknown_level_is_refused(level: str | int) -> None:
    """The message lists the levels."""
    with pytest.raises((ValueError, AssertionError), match="DEBUG"):
        configure_logging(level=level)


@pytest.mark.parametrize("is_rich", [True, False])
def test_calling_it_twice_adds_nothing(is_rich: bool, tmp_path: Path) -> None:
    """Every line is shown once."""
    script = f"""
        import logging
        from flowlib import configure_logging
        for _ in range(2):
            configure_logging("INFO", rich_logging={is_rich}, rich_traceback=False)
        logging.getLogger("mine").info("hello from %s", "here")
        logging.getLogger("mine").debug("unseen")
    """
    done = run_script(script, tmp_path)
    assert done.code == 0, done.err
    assert done.err.count("hello from here") == 1
    assert "unseen" not in done.err


@pytest.mark.parametrize("workers", [1, 2])
def test_run_is_told_once_in_the_log(workers: int, tmp_path: Path) -> None:
    """Every task ends in one line, with any number of workers."""
    script = f"""
        from flowlib import Flow, TaskSpec, configure_logging
        from tests.acceptance.tasks import Number

        if __name__ == "__main__":
            configure_logging("INFO", rich_logging=False)
            spec = TaskSpec(Number, {{"x": [1, 2, 3]}}, expand="product")
            Flow([spec]).run(num_workers={workers})
    """
    done = run_script(script, tmp_path)
    assert done.code == 0, done.err
    ended = [line for line in done.err.splitlines() if "done" in line]
    assert [sum(f"Number-{n} " in line for line in ended) for n in (1, 2, 3)] == [1, 1, 1]


def test_output_of_tasks_is_a_real_stream(tmp_path: Path) -> None:
    """`sys.stdout` of a task has `isatty`, `fileno`, `encoding` and `flush`."""
    script = """
        import sys
        from flowlib import Flow, Task, TaskSpec

        class Talk(Task):
            def run(self):
                return {"seen": [sys.stdout.isatty(), sys.stdout.encoding.lower(),
                                 isinstance(sys.stdout.fileno(), int)]}

        if __name__ == "__main__":
            for workers in (1, 2):
                specs = [TaskSpec(Talk, name=name) for name in ("A", "B")]
                run = Flow(specs).run(num_workers=workers)
                print(run["A"][0].results["seen"][0])
    """
    done = run_script(script, tmp_path, PYTHONIOENCODING="utf-8")
    assert done.out.splitlines() == ["False", "False"], done.err
