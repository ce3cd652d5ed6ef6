"""Is a worker that dies before it begins any job replaced for ever? No: the run says why, once."""

from __future__ import annotations

import pytest

from tests.faults.drivers import driver

SCRIPT = """
import os, signal, sys, tempfile
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.executors import contract_tasks as tasks

if __name__ != "__main__":  # in a worker, which imports this script
    {ending}

if __name__ == "__main__":
    spec = TaskSpec(tasks.square, {{"n": [1, 2, 3]}}, expand="product")
    with tempfile.TemporaryDirectory() as folder:
        Flow([spec]).run(executor="processes", num_workers=2, progress=None,
                         start_method="spawn", results_store=LocalFileStore(folder))
"""

AFTER_START = """
    import flowlib.process_worker
    flowlib.process_worker._messages = lambda connection: os._exit(3)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("raise ImportError('no library of that name')", "a worker process could not start"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "a worker process could not start"),
        (AFTER_START, "5 worker processes, one after the other, have ended before they began"),
    ],
    ids=["import error", "killed", "ends without beginning"],
)
def test_workers_that_begin_nothing_end_the_run_with_one_message(tmp_path, ending, words):
    """However they die; nothing is left behind, and the cause stands above."""
    with driver(tmp_path, script=SCRIPT.format(ending=ending)) as run:
        code, told = run.end()
        assert run.others() == []

    assert code == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith(f"flowlib.errors.RunError: {words}")
    assert told.count("flowlib.errors.RunError") == 1
    assert ("no library of that name" in told) is ("library" in ending)
    assert "exit code" in last
