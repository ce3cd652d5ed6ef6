"""The executors that the contract is checked for, and what each of them promises."""

from __future__ import annotations

import atexit
import concurrent.futures
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache

import pytest

Given = AbstractContextManager[object]
"""What `Flow.run(executor=…)` is given, while it is entered."""


@dataclass(frozen=True)
class Case:
    """An executor under test.

    Attributes:
        name: Shown by pytest.
        given: Makes it with so many workers.
        is_here: Whether tasks run in the process of the driver.
        is_lone: Whether only one task runs at a time.
        can_kill: Whether a running task can be ended.
        survives: Whether it goes on after one of its processes was killed.
        takes_up: Whether it runs the job of a killed process again by itself.
        hears_stop: Whether running tasks are told that the run is being stopped.
    """

    name: str
    given: Callable[[int], Given]
    is_here: bool = False
    is_lone: bool = False
    can_kill: bool = False
    survives: bool = False
    takes_up: bool = False
    hears_stop: bool = False


@contextmanager
def _pool(kind: str, method: str | None, size: int) -> Iterator[object]:
    if kind == "thread":
        with concurrent.futures.ThreadPoolExecutor(size) as threads:
            yield threads
    elif kind == "loky":
        from loky import ProcessPoolExecutor

        with ProcessPoolExecutor(size) as pool:
            yield pool
    else:
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(size, mp_context=context) as processes:
            yield processes


@contextmanager
def _dask(size: int) -> Iterator[object]:
    """A cluster of this machine, which several runs use one after the other."""
    import dask
    from distributed import LocalCluster

    from flowlib.executors.dask import DaskExecutor

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        cluster = LocalCluster(
            n_workers=size, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        )
        try:
            yield DaskExecutor(cluster)
        finally:
            with suppress(TimeoutError):  # it waits 5 s for processes that it has killed
                cluster.close()


@contextmanager
def _ray(size: int) -> Iterator[object]:
    """The Ray that all tests of this process share: it takes seconds to start."""
    from flowlib.executors.ray import RayExecutor

    _start_ray()
    yield RayExecutor()


@lru_cache(maxsize=1)
def _start_ray() -> None:
    """Ray takes SIGTERM and breakpoint() of its driver, which here belong to the tests after it."""
    from flowlib.executors.ray import connected

    stack = ExitStack()
    before, breakpoints = signal.getsignal(signal.SIGTERM), os.environ.get("PYTHONBREAKPOINT")
    stack.enter_context(connected({"num_cpus": 4, "include_dashboard": False}, 4))
    signal.signal(signal.SIGTERM, before)
    if breakpoints is None:
        os.environ.pop("PYTHONBREAKPOINT", None)
    atexit.register(stack.close)


@contextmanager
def _rq(size: int) -> Iterator[object]:
    """The Redis and the workers that all tests of this process share."""
    from flowlib.executors.rq import RQExecutor

    yield RQExecutor(_start_rq(), "contract")


@lru_cache(maxsize=1)
def _start_rq() -> str:
    from tests.services.redis import end_worker, redis_server, start_pool

    stack = ExitStack()
    server = stack.enter_context(redis_server())
    stack.callback(end_worker, start_pool(server.url, "contract", 4))
    atexit.register(stack.close)
    return server.url


@contextmanager
def _slurm(size: int) -> Iterator[object]:
    """The cluster that all tests of this process share."""
    from tests.services.slurm import slurm_executor

    yield slurm_executor()


CASES = [
    Case("inline", lambda n: nullcontext("inline"), is_here=True, is_lone=True, hears_stop=True),
    Case("threads", lambda n: nullcontext("threads"), is_here=True, hears_stop=True),
    Case(
        "processes",
        lambda n: nullcontext("processes"),
        can_kill=True,
        survives=True,
        hears_stop=True,
    ),
    Case("thread-pool", lambda n: _pool("thread", None, n), is_here=True),
    Case("spawn-pool", lambda n: _pool("process", "spawn", n)),
    Case("fork-pool", lambda n: _pool("process", "fork", n)),
    Case("forkserver-pool", lambda n: _pool("process", "forkserver", n)),
    Case("dask", _dask, survives=True),
    Case("ray", _ray, survives=True),
    Case("rq", _rq, survives=True, takes_up=True),
    Case("slurm", _slurm, survives=True, hears_stop=True),
    Case("loky", lambda n: _pool("loky", None, n)),
]
CLUSTERS = {"dask", "ray", "rq", "slurm"}
"""Those that take seconds to start: their tests are slow ones."""


def named(name: str):
    """The name of an executor as a parameter of tests."""
    return pytest.param(name, marks=[pytest.mark.slow] if name in CLUSTERS else [])


def parameters(cases: list[Case]):
    """Executors as parameters of tests."""
    return [pytest.param(each, id=each.name, marks=named(each.name).marks) for each in cases]
