"""Do the executors of executorlib and of Dask remember, too, when they are wrapped?"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from flowlib import InMemoryStore, wrap_executor
from stores import LocalFileStore
from tests.flowlib.pool_tasks import (
    Opaque,
    brittle,
    cube,
    first_of,
    keyed,
    lines,
    noted,
    plain,
    slow,
    value,
    wait_for,
    where,
)

pytestmark = pytest.mark.slow  # both start processes for every test, or for each call


@pytest.fixture(scope="module")
def dask_client() -> Iterator[Any]:
    """A client of two worker processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            host="127.0.0.1",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(params=["executorlib", "dask"])
def engine(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """An executor of another library."""
    if request.param == "dask":
        yield request.getfixturevalue("dask_client").get_executor()
        return
    executorlib = pytest.importorskip("executorlib")
    with executorlib.SingleNodeExecutor(max_workers=2) as executor:
        yield executor


def test_misses_are_computed_there_and_hits_are_not_submitted(
    engine: Executor, tmp_path: Path
) -> None:
    """The values are those of the function, and this process finds them in the store."""
    store, log = LocalFileStore(tmp_path / "store"), tmp_path / "log"
    pool = wrap_executor(engine, store)
    futures = [pool.submit(noted, x, str(log), scale=10) for x in range(3)]
    assert [value(each) for each in futures] == [[0, None], [10, None], [20, None]]
    again = [pool.submit(noted, x, str(log), scale=10) for x in range(3)]
    assert [each.done() for each in again] == [True, True, True]
    assert [value(each) for each in again] == [[0, None], [10, None], [20, None]]
    assert sorted(lines(log)) == ["noted 0", "noted 1", "noted 2"]
    assert noted.load(2, str(log), scale=10, store=store) == [20, None]
    assert value(pool.submit(where, 1))[1] != os.getpid()


def test_bound_functions_and_map(engine: Executor, tmp_path: Path) -> None:
    """As with a pool of the standard library."""
    store = LocalFileStore(tmp_path / "store")
    assert value(engine.submit(cube.bind(store=store), 3)) == 27
    pool = wrap_executor(engine, store)
    assert list(pool.map(cube, [3, 4, 4])) == [27, 64, 64]
    assert [cube.exists(x, store=store) for x in (3, 4, 5)] == [True, True, False]


def test_equal_calls_at_once_are_computed_once(engine: Executor, tmp_path: Path) -> None:
    """Each gets the value."""
    log, gate = tmp_path / "log", tmp_path / "gate"
    pool = wrap_executor(engine, LocalFileStore(tmp_path / "store"))
    futures = [pool.submit(slow, 1, str(log), str(gate)) for _ in range(3)]
    wait_for(log)
    gate.touch()
    assert [value(each) for each in futures] == [2, 2, 2]
    assert lines(log) == ["slow 1"]


def test_failures_are_not_kept(engine: Executor, tmp_path: Path) -> None:
    """Not in the store, and not by the engine: Dask would answer with what it has."""
    log, mark = tmp_path / "log", tmp_path / "mark"
    pool = wrap_executor(engine, LocalFileStore(tmp_path / "store"))
    failed = pool.submit(brittle, str(log), str(mark))
    with pytest.raises(LookupError, match="no mark yet"):
        value(failed)
    mark.touch()
    assert value(pool.submit(brittle, str(log), str(mark))) == "whole"
    assert lines(log) == ["brittle", "brittle"]


def test_other_functions_and_arguments_without_identity(engine: Executor, tmp_path: Path) -> None:
    """They are computed there, and not stored."""
    store = LocalFileStore(tmp_path / "store")
    pool = wrap_executor(engine, store)
    assert value(pool.submit(plain, 1, y=2)) == 3
    assert isinstance(value(pool.submit(first_of, [Opaque()])), Opaque)
    assert list(store.records()) == []


def test_arguments_called_as_those_of_the_engine_are_arguments(
    engine: Executor, tmp_path: Path
) -> None:
    """They travel inside of the call, where nobody takes them for options."""
    pool = wrap_executor(engine, LocalFileStore(tmp_path / "store"))
    future = pool.submit(keyed, key="x", workers=3, pure=False, priority=2)
    assert value(future) == ["x", 3, False, 2]


def told(error: BaseException | None) -> str:
    """An exception with all that has led to it."""
    return "" if error is None else f"{error} {told(error.__cause__ or error.__context__)}"


def test_a_memory_store_is_refused(engine: Executor) -> None:
    """What is stored there would be lost."""
    pool = wrap_executor(engine, InMemoryStore())
    with pytest.raises(Exception, match=".") as raised:
        value(pool.submit(cube, 2))
    assert "cannot be sent to another process" in told(raised.value)


def test_specs_are_computed_there(engine: Executor, tmp_path: Path) -> None:
    """With what is missing for them."""
    store = LocalFileStore(tmp_path / "store")
    found = value(where(cube(2)).submit(store, executor=engine))
    assert (found[0], found[1] == os.getpid()) == (8, False)
    assert cube.load(2, store=store) == 8


def test_resources_of_executorlib_go_to_executorlib(tmp_path: Path) -> None:
    """The wrapped `submit` takes its `resource_dict`; it is no part of the identity."""
    executorlib = pytest.importorskip("executorlib")
    store = LocalFileStore(tmp_path / "store")
    work = tmp_path / "work"
    work.mkdir()
    with executorlib.SingleNodeExecutor(max_workers=1) as executor:
        pool = wrap_executor(executor, store)
        with_it = pool.submit(noted, 5, resource_dict={"cores": 1, "cwd": str(work)})
        assert value(with_it) == [5, None]
        assert pool.submit(noted, 5).done()
        with pytest.raises(ValueError, match="nonsense"):
            pool.submit(noted, 6, resource_dict={"nonsense": 1})
