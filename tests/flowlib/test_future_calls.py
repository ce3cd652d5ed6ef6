"""What does a direct call of a function give that returns a Future?"""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowlib import InMemoryStore, task, use_store, wrap_executor
from stores import LocalFileStore
from tests.flowlib.pool_tasks import Opaque, lines, note, value, wait_for

POOL = ThreadPoolExecutor(2)


def gated(x: int, log: str, gate: str) -> int:
    """Waits until the gate is there."""
    note(log, f"computed {x}")
    if gate:
        wait_for(gate)
    return x**2


@task
def squared(x: int, log: str = "", gate: str = "") -> Any:
    """Hands its work to a pool."""
    note(log, f"called {x}")
    return POOL.submit(gated, x, log, gate)


@task(eager=True)
def squared_at_once(x: int) -> Any:
    """The same, by a plain call."""
    return POOL.submit(pow, x, 2)


@task(future=True)
def promised(x: int, log: str = "") -> Any:
    """Always as a Future."""
    note(log, f"called {x}")
    return POOL.submit(pow, x, 2)


@task(future=True)
def plain(x: Any) -> Any:
    """A value, not a Future."""
    return [x]


@task
def failing(x: int) -> Any:
    """A Future that fails."""
    return POOL.submit(divmod, x, 0)


DONE: list[Future[int]] = []


@task
def at_once() -> Any:
    """A Future that is done."""
    return DONE[0]


@task
def in_process(x: int) -> Any:
    """A Future, in whichever process."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(pow, x, 3)


def test_the_first_call_gives_a_future_and_the_second_the_value(tmp_path: Path) -> None:
    """Whoever has waited for the Future finds the value in the store."""
    for store in (InMemoryStore(), LocalFileStore(tmp_path / "store")):
        gate = tmp_path / f"gate-{type(store).__name__}"
        log = tmp_path / f"log-{type(store).__name__}"
        first = squared.call(4, str(log), str(gate), store=store)
        assert isinstance(first, Future)
        assert not squared.exists(4, str(log), str(gate), store=store)
        gate.touch()
        assert value(first) == 16
        assert squared.exists(4, str(log), str(gate), store=store)
        assert squared.call(4, str(log), str(gate), store=store) == 16
        assert lines(log) == ["called 4", "computed 4"]


def test_it_is_a_future_also_if_the_pool_was_faster() -> None:
    """What the first call gives does not depend on luck."""
    done: Future[int] = Future()
    done.set_result(5)
    DONE.append(done)
    first = at_once.call(store=InMemoryStore())
    assert isinstance(first, Future)
    assert (first.done(), value(first)) == (True, 5)


def test_who_calls_again_before_it_is_done_gets_the_same_future(tmp_path: Path) -> None:
    """From any thread; the function is called once."""
    store, log, gate = InMemoryStore(), tmp_path / "log", tmp_path / "gate"
    first = squared.call(3, str(log), str(gate), store=store)
    found: list[Any] = []

    def call() -> None:
        found.append(squared.call(3, str(log), str(gate), store=store))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(60)
    assert found == [first]
    gate.touch()
    assert value(first) == 9
    assert lines(log) == ["called 3", "computed 3"]


def note_value(ready: str, found: str, store: LocalFileStore, *args: Any) -> None:
    """In a process that was forked while a call was open: its value, however it is asked for."""
    note(ready, "ready")
    called = squared.call(*args, store=store)
    note(found, f"{called} {value(squared(*args).submit(store))}")


def test_a_process_forked_meanwhile_waits_for_the_one_that_computes(tmp_path: Path) -> None:
    """It has inherited Futures that nobody would ever end there."""
    store = LocalFileStore(tmp_path / "store")
    names = [str(tmp_path / each) for each in ("ready", "found", "log", "gate")]
    ready, found, log, gate = names
    first = squared.call(4, log, gate, store=store)
    submitted = squared(4, log, gate).submit(store)
    child = multiprocessing.get_context("fork").Process(
        target=note_value, args=(ready, found, store, 4, log, gate)
    )
    child.start()
    wait_for(ready)
    Path(gate).touch()
    child.join(120)
    assert child.exitcode == 0
    assert lines(Path(found)) == ["16 16"]
    assert (value(first), value(submitted)) == (16, 16)
    assert lines(Path(log)) == ["called 4", "computed 4"]


def test_plain_calls_of_an_eager_function_do_the_same() -> None:
    """With the store that holds."""
    with use_store(InMemoryStore()):
        first = squared_at_once(4)
        assert isinstance(first, Future)
        assert value(first) == 16
        assert squared_at_once(4) == 16


def test_with_future_each_call_gives_one(tmp_path: Path) -> None:
    """On a hit it is done."""
    store, log = InMemoryStore(), tmp_path / "log"
    assert value(promised.call(5, str(log), store=store)) == 25
    again = promised.call(5, str(log), store=store)
    assert isinstance(again, Future)
    assert (again.done(), value(again)) == (True, 25)
    assert lines(log) == ["called 5"]
    assert promised.load(5, str(log), store=store) == 25


def test_with_future_a_function_may_give_values() -> None:
    """Also for arguments without identity, which are not stored."""
    store = InMemoryStore()
    assert value(plain.call(1, store=store)) == [1]
    assert value(plain.call(1, store=store)) == [1]
    thing = Opaque()
    assert value(plain.call(thing, store=store)) == [thing]


def test_a_future_that_fails_is_not_kept() -> None:
    """The exception is that of the Future; the function is called again."""
    store = InMemoryStore()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            value(failing.call(1, store=store))
    assert not failing.exists(1, store=store)


def test_a_spec_waits_for_the_value() -> None:
    """`result` is a value, whatever the function returns; what reads from it gets that."""
    store = InMemoryStore()
    assert squared(3).result(store) == 9
    assert value(squared(squared(2)).submit(store)) == 16
    assert squared.call(squared(2), store=store) == 16
    assert value(squared.call(squared(3), store=store)) == 81


def test_wrapped_and_bound_it_travels(tmp_path: Path) -> None:
    """A Future cannot leave its process, so a pool waits for it there."""
    store = LocalFileStore(tmp_path / "store")
    with ProcessPoolExecutor(1) as processes:
        pool = wrap_executor(processes, store)
        assert value(pool.submit(in_process, 3)) == 27
        assert pool.submit(in_process, 3).done()
    with wrap_executor(ThreadPoolExecutor(1), InMemoryStore()) as pool:
        assert value(pool.submit(squared, 3)) == 9
        assert value(pool.submit(promised, 3)) == 9
