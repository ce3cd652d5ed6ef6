"""Logs of tasks on hosts that do not see the folder of the run: they come with the answers."""

from __future__ import annotations

import multiprocessing
import pathlib
from concurrent.futures import ProcessPoolExecutor

import pytest

from flowlib import Flow, TaskSpec
from flowlib.run_folders import recorded_log
from stores import LocalFileStore
from tests.executors import contract_tasks as tasks


class _Blind:
    """Makes a folder invisible in a process, as on a host that does not share the disk."""

    def __init__(self, folder):
        self.folder, self.look = folder, pathlib.Path.is_dir

    def __call__(self, path, **options):
        return self.folder not in (path, *path.parents) and self.look(path, **options)


def become_blind(folder):
    """Called in each worker before its first task."""
    blind = _Blind(pathlib.Path(folder))
    pathlib.Path.is_dir = lambda path, **options: blind(path, **options)


def prints_much(lines: int) -> int:
    """More than anybody reads."""
    for number in range(lines):
        print(f"line {number} {'x' * 80}")
    return lines


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture
def elsewhere(store):
    """A pool whose processes do not see the folders of runs."""
    context = multiprocessing.get_context("spawn")
    told = (str(store.runs_dir),)
    with ProcessPoolExecutor(2, context, become_blind, told) as pool:
        yield pool


def logs(store, name):
    """What the records of a task name, which must be there."""
    found = {}
    for record in store.records(name):
        path = recorded_log(store, record.latest.provenance)
        assert path is not None, record.latest.provenance
        found[record.identity.config] = pathlib.Path(path).read_text()
    return found


def test_what_tasks_print_is_in_the_logs_of_the_run(store, elsewhere):
    """Each in its own, as if the disk were shared; also that of a task that fails."""
    talks = TaskSpec(tasks.talks, {"n": [1, 2, 3]}, expand="product")
    counts = Flow([talks]).run(executor=elsewhere, results_store=store, progress=None).counts

    assert counts == {"finished": 3}
    found = logs(store, "talks")
    for number in (1, 2, 3):
        [text] = [text for config, text in found.items() if str(number) in config]
        assert f"said {number}\n" in text
        assert f"logged {number}" in text


def test_a_failure_has_its_log_and_a_long_one_is_cut_in_the_middle(store, elsewhere):
    """The traceback is there; of two megabytes the beginning and the end."""
    specs = [TaskSpec(tasks.raises, {"n": 4}), TaskSpec(prints_much, {"lines": 20_000})]
    Flow(specs).run(executor=elsewhere, results_store=store, progress=None, exit_on_error=False)

    [failure] = logs(store, "raises").values()
    assert "no 4 here" in failure
    [text] = logs(store, "prints_much").values()
    assert text.startswith("line 0 x")
    assert "line 19999 x" in text.splitlines()[-1]
    assert len(text) < 300_000
