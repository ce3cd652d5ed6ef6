"""Is a task run by hand that was not submitted?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowlib import InMemoryStore, NothingSelected, RunError, debug_task, sweep
from tests.flowlib.function_tasks import add, load, total


@pytest.mark.slow  # a process
def test_the_folder_of_a_spec_has_what_that_of_a_submitted_task_has(tmp_path):
    """With what it reads, as far as that is there; the store hears nothing of it."""
    store, spec = InMemoryStore(), total([load(3), add(1)])
    load(3).result(store)
    place = debug_task(spec, store, tmp_path / "total")
    assert store.count() == 1
    assert (place / "inputs").is_dir()
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=place, capture_output=True, text=True, timeout=240
    )
    assert done.stdout.splitlines()[-1] == "result = [[0, 1, 2], 2]", done.stderr


def test_a_spec_is_one_task(tmp_path):
    """As with keys."""
    with pytest.raises(RunError, match="means 2 tasks, and one is wanted"):
        debug_task(load(sweep(1, 2)), InMemoryStore(), tmp_path / "two")


def test_a_record_alone_has_no_code(tmp_path):
    """It is told what helps."""
    store = InMemoryStore()
    load(3).result(store)
    with pytest.raises(RunError, match=r"load/\w+ has a record, but was not submitted.*debug_task"):
        debug_task(load(3).key[:8], store, tmp_path / "record")
    with pytest.raises(NothingSelected):
        debug_task("nobody", store, tmp_path / "nobody")
