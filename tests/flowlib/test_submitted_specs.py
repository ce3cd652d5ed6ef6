"""Does `spec.submit` give a Future at once, whatever computes, and one job for equal specs?"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, InMemoryStore, Task, TaskSpec, sweep, task, use_store
from stores import LocalFileStore, ResultsStore, UnknownPlugin
from tests.flowlib.pool_tasks import brittle, cube, lines, noted, slow, value, wait_for, where


@task
def total(values: Any) -> int:
    """The sum of first items."""
    return sum(each[0] for each in values)


@task
def asks(log: str) -> Any:
    """Submits another task from inside of a running one."""
    return value(noted(7, log).submit())


class Doubled(Task):
    """A class."""

    def __init__(self, x: int) -> None:
        self.x = x

    def run(self) -> dict[str, int]:
        """Two of it."""
        return {"double": 2 * self.x}


@pytest.mark.parametrize("executor", [None, "inline", "threads", "processes"])
def test_a_future_comes_at_once_and_ancestors_are_computed(
    executor: str | None, tmp_path: Path
) -> None:
    """What is missing runs there; what was there is not computed again."""
    store, log = LocalFileStore(tmp_path / "store"), tmp_path / "log"
    noted.call(1, str(log), store=store)
    spec = total([noted(x, str(log)) for x in range(4)])
    future = spec.submit(store, executor=executor)
    assert isinstance(future, Future)
    assert value(future) == 6
    assert sorted(lines(log)) == [f"noted {x}" for x in range(4)]
    assert Flow([spec]).run(num_workers=1, results_store=store).counts == {"cached": 5}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes_computes(method: str, tmp_path: Path) -> None:
    """The user's pool, which goes on afterwards."""
    store = LocalFileStore(tmp_path / "store")
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        found = value(where(cube(2)).submit(store, executor=pool))
        assert (found[0], found[1] == os.getpid()) == (8, False)
        assert value(pool.submit(divmod, 7, 2)) == (3, 1)
    assert cube.load(2, store=store) == 8


def test_a_pool_of_threads_shares_a_memory_store() -> None:
    """Nothing has to travel."""
    store = InMemoryStore()
    with ThreadPoolExecutor(2) as pool:
        assert value(cube(cube(2)).submit(store, executor=pool)) == 512
    assert cube(2).exists(store)


def test_who_asks_again_while_it_runs_gets_the_same_job(tmp_path: Path) -> None:
    """However the spec is written; afterwards a Future is done from the beginning."""
    store, log, gate = InMemoryStore(), tmp_path / "log", tmp_path / "gate"
    first = slow(1, str(log), str(gate)).submit(store)
    wait_for(log)
    assert slow(gate=str(gate), log=str(log), x=1).submit(store) is first
    assert slow(2, str(log), str(gate)).submit(store) is not first
    assert not first.done()
    gate.touch()
    assert value(first) == 2
    again = slow(1, str(log), str(gate)).submit(store)
    assert again.done()
    assert again is not first
    assert value(again) == 2
    assert value(slow(2, str(log), str(gate)).submit(store)) == 3
    assert sorted(lines(log)) == ["slow 1", "slow 2"]


def test_stores_do_not_share_jobs(tmp_path: Path) -> None:
    """A result in one says nothing about the other."""
    stores: list[ResultsStore] = [InMemoryStore(), InMemoryStore()]
    log, gate = tmp_path / "log", tmp_path / "gate"
    futures = [slow(1, str(log), str(gate)).submit(each) for each in stores]
    gate.touch()
    assert [value(each) for each in futures] == [2, 2]
    assert lines(log) == ["slow 1", "slow 1"]


def test_a_failure_is_that_of_the_future_and_not_kept(tmp_path: Path) -> None:
    """The exception itself; the next one computes."""
    store, log, mark = InMemoryStore(), tmp_path / "log", tmp_path / "mark"
    with pytest.raises(LookupError, match="no mark yet"):
        value(brittle(str(log), str(mark)).submit(store))
    mark.touch()
    assert value(brittle(str(log), str(mark)).submit(store)) == "whole"


def test_what_cannot_be_planned_is_an_error_at_once() -> None:
    """No Future is needed to say so."""
    with pytest.raises(UnknownPlugin, match="threads"):
        cube(1).submit(InMemoryStore(), executor="thread")
    with pytest.raises(TypeError, match="executor is 3"):
        cube(1).submit(InMemoryStore(), executor=3)


def test_items_sweeps_and_classes_may_be_submitted(tmp_path: Path) -> None:
    """As they may be asked for at once."""
    store = InMemoryStore()
    assert value(noted(3)[0].submit(store)) == 3
    assert value(cube(sweep(1, 2, 3)).submit(store)) == [1, 8, 27]
    assert value(TaskSpec(Doubled, {"x": 4}).submit(store)) == {"double": 8}


def test_force_computes_again(tmp_path: Path) -> None:
    """Also what is there."""
    store, log = InMemoryStore(), tmp_path / "log"
    for force in (False, False, True):
        assert value(noted(1, str(log)).submit(store, force=force)) == [1, None]
    assert lines(log) == ["noted 1", "noted 1"]


def test_without_a_store_that_of_a_direct_call_is_used(tmp_path: Path) -> None:
    """The one that holds where the spec is submitted; in a task that of its run, as a dependency."""
    store, log = InMemoryStore(), tmp_path / "log"
    with use_store(store):
        future = noted(1, str(log)).submit()
    assert value(future) == [1, None]
    assert noted(1, str(log)).exists(store)

    run = Flow([asks(str(log))]).run(num_workers=1, results_store=store)
    assert run["asks"][0]["result"] == [7, None]
    record = asks(str(log)).record(store)
    assert record is not None
    assert [each.address for each in record.latest.inputs] == [
        noted(7, str(log)).record(store).address
    ]
