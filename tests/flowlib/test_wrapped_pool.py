"""Does a wrapped pool compute each call once, and leave everything else alone?"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
from concurrent.futures import (
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from pathlib import Path
from typing import Any

import pytest

from flowlib import CallError, InMemoryStore, RunError, use_store, wrap_executor
from flowlib.wrapped_pool import CachingExecutor
from stores import LocalFileStore
from tests.flowlib.pool_tasks import (
    Opaque,
    brittle,
    cube,
    first_of,
    lines,
    noted,
    plain,
    slow,
    value,
    wait_for,
    where,
)

METHODS = ["fork", "spawn", "forkserver"]


class Counted(ThreadPoolExecutor):
    """A pool that knows what it was asked, with an option of its own."""

    def __init__(self, workers: int = 2) -> None:
        super().__init__(workers)
        self.asked: list[dict[str, Any]] = []

    def submit(self, fn: Any, /, *args: Any, resource_dict: Any = None, **kwargs: Any) -> Any:
        self.asked.append({"resource_dict": resource_dict, "name": fn.__name__})
        return super().submit(fn, *args, **kwargs)


class AtOnce(Executor):
    """Computes while it is given a call."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Held(Executor):
    """Computes nothing before it is told to."""

    def __init__(self) -> None:
        self.given: list[tuple[Future[Any], Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        self.given.append((future, lambda: fn(*args, **kwargs)))
        return future

    def compute(self) -> None:
        given, self.given = self.given, []
        for future, call in given:
            if future.set_running_or_notify_cancel():
                future.set_result(call())


def test_a_hit_is_done_and_nothing_is_submitted() -> None:
    """The first pass computes, the second one only loads."""
    store = InMemoryStore()
    with wrap_executor(ThreadPoolExecutor(2), store) as pool:
        assert [value(pool.submit(cube, x)) for x in range(5)] == [0, 1, 8, 27, 64]
    assert [cube.load(x, store=store) for x in range(5)] == [0, 1, 8, 27, 64]

    counted = Counted()
    with wrap_executor(counted, store) as pool:
        futures = [pool.submit(cube, x) for x in range(6)]
        assert [each.done() for each in futures[:5]] == [True] * 5
        assert [value(each) for each in futures] == [0, 1, 8, 27, 64, 125]
    assert [each["name"] for each in counted.asked] == ["cube"]


@pytest.mark.parametrize("method", METHODS)
def test_processes_of_each_kind_compute_and_keep_values(method: str, tmp_path: Path) -> None:
    """The function travels by its name; this process finds what others have stored."""
    store, log = LocalFileStore(tmp_path / "store"), tmp_path / "log"
    for _ in range(2):
        with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as processes:
            pool = wrap_executor(processes, store)
            futures = [pool.submit(noted, x, str(log), scale=10) for x in range(3)]
            assert [value(each) for each in futures] == [[0, None], [10, None], [20, None]]
            assert value(pool.submit(where, 1))[1] != os.getpid()
    assert sorted(lines(log)) == ["noted 0", "noted 1", "noted 2"]
    assert noted.load(2, str(log), scale=10, store=store) == [20, None]


@pytest.mark.parametrize("method", METHODS)
def test_a_bound_function_travels_with_its_store(method: str, tmp_path: Path) -> None:
    """To any pool, wrapped or not; and `map` of the pool takes it."""
    store = LocalFileStore(tmp_path / "store")
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        assert list(pool.map(cube.bind(store=store), range(5))) == [0, 1, 8, 27, 64]
        assert value(wrap_executor(pool).submit(cube.bind(store=store), 6)) == 216
    assert [cube.load(x, store=store) for x in (3, 6)] == [27, 216]


def test_calls_that_arrive_in_a_process_share_one_store(tmp_path: Path) -> None:
    """It is opened once, and what it has found out of the process is not asked for each call."""
    bound = cube.bind(store=LocalFileStore(tmp_path / "store"))
    one, other = (pickle.loads(pickle.dumps(bound)) for _ in range(2))
    assert one.store is other.store
    assert one.store is not bound.store
    elsewhere = cube.bind(store=LocalFileStore(tmp_path / "elsewhere"))
    assert pickle.loads(pickle.dumps(elsewhere)).store is not one.store
    assert (one(3), cube.load(3, store=bound.store)) == (27, 27)


def test_a_memory_store_stays_in_its_process() -> None:
    """Nothing would be kept, so that is an error, and it tells the cure."""
    with (
        wrap_executor(ProcessPoolExecutor(1), InMemoryStore()) as pool,
        pytest.raises(RunError, match="cannot be sent to another process"),
    ):
        value(pool.submit(cube, 2))


def test_other_functions_pass_through() -> None:
    """With all their arguments, stored nowhere."""
    store = InMemoryStore()
    with wrap_executor(ThreadPoolExecutor(1), store) as pool:
        assert value(pool.submit(plain, 1, y=2)) == 3
        assert value(pool.submit(divmod, 7, 2)) == (3, 1)
        assert list(pool.map(plain, [1, 2])) == [1, 2]
    assert list(store.records()) == []


def test_equal_calls_at_once_are_computed_once(tmp_path: Path) -> None:
    """However they are written; each has a Future of its own."""
    store, log, gate = InMemoryStore(), tmp_path / "log", tmp_path / "gate"
    counted = Counted(4)
    with wrap_executor(counted, store) as pool:
        same = [pool.submit(slow, 1, str(log), str(gate)) for _ in range(3)]
        same.append(pool.submit(slow, x=1, gate=str(gate), log=str(log)))
        other = pool.submit(slow, 2, str(log), str(gate))
        assert len({id(each) for each in same}) == 4
        gate.touch()
        assert [value(each) for each in as_completed([*same, other], 60)].count(2) == 4
        assert value(other) == 3
    assert sorted(lines(log)) == ["slow 1", "slow 2"]
    assert len(counted.asked) == 2


def test_two_wrapped_pools_compute_a_call_once(tmp_path: Path) -> None:
    """The second one waits for the lease of the first one."""
    log, gate = tmp_path / "log", tmp_path / "gate"
    stores = [LocalFileStore(tmp_path / "store") for _ in range(2)]
    with ThreadPoolExecutor(1) as one, ProcessPoolExecutor(1) as two:
        first = wrap_executor(one, stores[0]).submit(slow, 1, str(log), str(gate))
        wait_for(log)
        second = wrap_executor(two, stores[1]).submit(slow, 1, str(log), str(gate))
        gate.touch()
        assert [value(first), value(second)] == [2, 2]
    assert lines(log) == ["slow 1"]


def test_a_call_is_cancelled_when_nobody_waits_for_it_any_more() -> None:
    """Each has a Future of its own, and cancels no one else's."""
    held = Held()
    pool = wrap_executor(held, InMemoryStore())
    first, second, third = (pool.submit(cube, 3) for _ in range(3))
    [(work, _)] = held.given
    assert [first.cancel(), third.cancel(), third.cancel()] == [True, True, True]
    assert not work.cancelled()
    held.compute()
    assert [first.cancelled(), third.cancelled(), second.cancel()] == [True, True, False]
    assert value(second) == 27

    again = [pool.submit(cube, 4) for _ in range(2)]
    [(work, _)] = held.given
    assert [each.cancel() for each in again] == [True, True]
    assert work.cancelled()
    assert wait(again, 60).not_done == set()
    fresh = pool.submit(cube, 4)
    held.compute()
    assert value(fresh) == 64


def test_what_runs_cannot_be_cancelled(tmp_path: Path) -> None:
    """As in any pool."""
    log, gate = tmp_path / "log", tmp_path / "gate"
    with wrap_executor(ThreadPoolExecutor(1), InMemoryStore()) as pool:
        one, other = (pool.submit(slow, 1, str(log), str(gate)) for _ in range(2))
        wait_for(log)
        assert [one.running(), other.running(), one.cancel(), other.cancel()] == [
            True,
            True,
            False,
            False,
        ]
        gate.touch()
        assert [value(one), value(other), one.running()] == [2, 2, False]


def test_what_waits_when_a_pool_is_shut_down_is_cancelled(tmp_path: Path) -> None:
    """As everything else that was not begun."""
    log, gate = tmp_path / "log", tmp_path / "gate"
    pool = wrap_executor(ThreadPoolExecutor(1), InMemoryStore())
    running = pool.submit(slow, 1, str(log), str(gate))
    waiting = [pool.submit(slow, 2, str(log), str(gate)) for _ in range(2)]
    wait_for(log)
    pool.shutdown(wait=False, cancel_futures=True)
    gate.touch()
    assert value(running) == 2
    assert wait(waiting, 60).not_done == set()
    assert [each.cancelled() for each in waiting] == [True, True]
    for _ in range(2):
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(slow, 2, str(log), str(gate))


def test_failures_are_not_kept(tmp_path: Path) -> None:
    """All that wait get the exception; the next call computes."""
    log, mark = tmp_path / "log", tmp_path / "mark"
    with wrap_executor(ThreadPoolExecutor(1), InMemoryStore()) as pool:
        futures = [pool.submit(brittle, str(log), str(mark)) for _ in range(2)]
        for each in futures:
            with pytest.raises(LookupError, match="no mark yet"):
                value(each)
        mark.touch()
        assert value(pool.submit(brittle, str(log), str(mark))) == "whole"
        assert pool.submit(brittle, str(log), str(mark)).done()
    assert 2 <= len(lines(log)) <= 3  # the second of the first two may have come late


def test_options_of_the_pool_are_no_arguments_of_the_task() -> None:
    """What its `submit` takes by name only goes there, everything else to the function."""
    counted = Counted()
    with wrap_executor(counted, InMemoryStore()) as pool:
        assert value(pool.submit(noted, 2, scale=3, resource_dict={"cores": 4})) == [6, None]
    assert counted.asked == [{"resource_dict": {"cores": 4}, "name": "noted"}]

    with wrap_executor(ThreadPoolExecutor(1), InMemoryStore()) as pool:
        assert value(pool.submit(noted, 2, resource_dict={"cores": 4})) == [2, {"cores": 4}]


def test_a_hit_takes_no_notice_of_options_of_the_pool() -> None:
    """They are no part of the identity."""
    counted, store = Counted(), InMemoryStore()
    with wrap_executor(counted, store) as pool:
        value(pool.submit(cube, 2, resource_dict={"cores": 4}))
        assert pool.submit(cube, 2, resource_dict={"cores": 1}).done()
    assert len(counted.asked) == 1


def test_arguments_without_identity_are_computed_each_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one warning, and whole: a generator is not consumed by looking at it."""
    monkeypatch.setattr(first_of, "_told", set())  # it may have been told in another test
    store, counted = InMemoryStore(), Counted()
    with caplog.at_level(logging.WARNING, "flowlib"), wrap_executor(counted, store) as pool:
        assert [value(pool.submit(first_of, (x for x in [5, 6]))) for _ in range(2)] == [5, 5]
    assert len(counted.asked) == 2
    assert list(store.records()) == []
    told = [each.message for each in caplog.records if "first_of" in each.message]
    assert len(told) == 1
    assert "computed every time" in told[0]


def test_arguments_without_identity_travel_to_processes(tmp_path: Path) -> None:
    """They are computed there, and nothing is stored."""
    store = LocalFileStore(tmp_path / "store")
    with wrap_executor(ProcessPoolExecutor(1), store) as pool:
        assert isinstance(value(pool.submit(first_of, [Opaque()])), Opaque)
    assert list(store.records()) == []


def test_wrong_arguments_are_an_error_at_once() -> None:
    """With the nearest name."""
    with (
        wrap_executor(ThreadPoolExecutor(1), InMemoryStore()) as pool,
        pytest.raises(CallError, match="scale"),
    ):
        pool.submit(noted, 1, scalle=2)


def test_arguments_may_be_specs(tmp_path: Path) -> None:
    """What they give is computed in the pool, too."""
    store = LocalFileStore(tmp_path / "store")
    with ProcessPoolExecutor(1) as processes:
        pool = wrap_executor(processes, store)
        assert value(pool.submit(cube, cube(2))) == 512
        assert value(pool.submit(cube, cube(2))) == 512
    assert cube.load(2, store=store) == 8


def test_map_shutdown_and_with_are_those_of_the_pool() -> None:
    """`map` looks each call up; the pool ends with the block."""
    counted, store = Counted(), InMemoryStore()
    with wrap_executor(counted, store) as pool:
        assert isinstance(pool, Executor)
        assert isinstance(pool, CachingExecutor)
        assert list(pool.map(cube, [1, 2, 2, 3], timeout=60)) == [1, 8, 8, 27]
        assert pool._max_workers == 2
    assert len(counted.asked) == 3
    with pytest.raises(RuntimeError, match="after shutdown"):
        counted.submit(plain, 1)


def test_a_pool_may_compute_while_it_is_given_a_call() -> None:
    """Nothing waits for itself."""
    pool = wrap_executor(AtOnce(), InMemoryStore())
    assert [value(pool.submit(cube, x)) for x in (2, 2, 3)] == [8, 8, 27]


def test_without_a_store_that_of_a_direct_call_is_used() -> None:
    """The one that holds where the call is submitted."""
    one, other = InMemoryStore(), InMemoryStore()
    with wrap_executor(ThreadPoolExecutor(1)) as pool:
        with use_store(one):
            value(pool.submit(cube, 2))
        with use_store(other):
            value(pool.submit(cube, 3))
    assert [cube.exists(2, store=each) for each in (one, other)] == [True, False]
    assert [cube.exists(3, store=each) for each in (one, other)] == [False, True]


def test_the_pool_itself_stays_as_it_is() -> None:
    """A difference to fleche, which replaces `submit` of the pool."""
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit
        wrap_executor(pool, InMemoryStore())
        assert pool.submit == before
