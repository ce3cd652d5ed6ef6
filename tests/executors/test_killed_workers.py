"""A worker of Dask or Ray that somebody else kills: what it has finished is not computed again."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter

import pytest

from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.executors import killed_tasks as tasks
from tests.executors.cases import CASES
from tests.executors.sessions import runs

pytestmark = [pytest.mark.slow, pytest.mark.needs("gcs_server", "raylet")]

PATIENCE_S = 180.0
SHORT, WAITING, LATER = range(12), range(12, 14), range(14, 20)
"""Tasks that end at once, two that wait for the gate, and again some that do not."""


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture
def folder(tmp_path):
    """Where tasks tell that they have begun; the gate is open in the end, whatever happens."""
    folder = tmp_path / "gate"
    folder.mkdir()
    yield folder
    (folder / "open").touch()


@contextlib.contextmanager
def beside(call):
    """Run beside the block; gives a function that waits for the answer."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call()), daemon=True)
    thread.start()

    def answer():
        thread.join(PATIENCE_S)
        assert found, "the run goes on and on, or has failed"
        return found[0]

    yield answer


def until(holds, otherwise):
    limit = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.05)


def starts(folder):
    """How often each task was begun, and the process of each."""
    found = [each.name.split("-")[1:3] for each in folder.glob("begun-*")]
    return Counter(int(n) for n, _ in found), {int(n): int(pid) for n, pid in found}


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_what_a_killed_worker_has_finished_is_not_computed_again(name, store, folder):
    """It is killed while it runs one task; only that one is begun anew, and the run ends right."""
    [case] = [each for each in CASES if each.name == name]
    numbers = [*SHORT, *WAITING, *LATER]
    config = {"n": numbers, "folder": str(folder), "first": WAITING.start, "last": WAITING.stop - 1}
    spec = TaskSpec(tasks.noted, config, expand="product", retries={"lost": 2})
    with case.given(2) as executor:
        flow = Flow([spec])
        options = {"executor": executor, "results_store": store, "num_workers": 2, "progress": None}
        with beside(lambda: flow.run(**options)) as answer:
            until(lambda: starts(folder)[0].keys() & {*WAITING}, "nothing has come to the gate")
            until(lambda: len(list(store.records("noted"))) >= len(SHORT), "nothing was finished")
            begun, pids = starts(folder)
            victim = min(begun.keys() & {*WAITING})
            os.kill(pids[victim], signal.SIGKILL)
            until(lambda: not runs(pids[victim]), "the worker lives on")
            (folder / "open").touch()
            done = answer()

    assert [each.results["n"] for each in done["noted"]] == numbers
    again, _ = starts(folder)
    assert again == {n: 2 if n == victim else 1 for n in numbers}


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_a_worker_that_is_killed_between_two_tasks_costs_nothing(name, store, folder):
    """What it had to tell is in the store: the run takes it from there, with no retries at all."""
    [case] = [each for each in CASES if each.name == name]
    config = {"folder": str(folder)}
    first = TaskSpec(tasks.noted, {**config, "n": 0}, name="first")
    kills = TaskSpec(tasks.noted, {**config, "n": 1}, name="second", retries={"lost": 2})
    with case.given(1) as executor:
        options = {"executor": executor, "results_store": store, "num_workers": 1, "progress": None}
        Flow([first]).run(**options)
        [pid] = set(starts(folder)[1].values())
        os.kill(pid, signal.SIGKILL)
        until(lambda: not runs(pid), "the worker lives on")
        both = Flow([first, kills]).run(**options)

    assert both.counts == {"cached": 1, "finished": 1}
    assert starts(folder)[0] == {0: 1, 1: 1}
