"""Where do benchmarks of executors run? Each engine, started, and its own way to run a no-op."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

_PATIENCE_S = 600.0

Submit = Callable[[int], None]
"""Makes the engine run so many no-ops by itself, and waits for them."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One that runs.

    Attributes:
        executor: For `Flow.run`.
        submit: Its own no-ops; None where there is nothing between it and us.
        survives: Whether it goes on when a worker is killed.
    """

    executor: object
    submit: Submit | None
    survives: bool = False


def no_op(number: int) -> int:
    """What engines run by themselves."""
    return number


@contextmanager
def _inline(workers: int) -> Iterator[Engine]:
    yield Engine("inline", None)


@contextmanager
def _threads(workers: int) -> Iterator[Engine]:
    yield Engine("threads", None)


@contextmanager
def _processes(workers: int) -> Iterator[Engine]:
    yield Engine("processes", None, survives=True)


@contextmanager
def _pool(workers: int) -> Iterator[Engine]:
    context = multiprocessing.get_context("forkserver")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield Engine(pool, _futures(pool))


@contextmanager
def _loky(workers: int) -> Iterator[Engine]:
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as pool:
        yield Engine(pool, _futures(pool))


@contextmanager
def _dask(workers: int) -> Iterator[Engine]:
    import dask
    from distributed import Client, LocalCluster

    from flowlib import DaskExecutor

    def submit(count: int) -> None:
        client.gather([client.submit(no_op, each, pure=False) for each in range(count)])

    local = {"processes": True, "host": "127.0.0.1", "dashboard_address": None}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=workers, threads_per_worker=1, **local) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(workers)
        yield Engine(DaskExecutor(client), submit, survives=True)


@contextmanager
def _ray(workers: int) -> Iterator[Engine]:
    from flowlib import RayExecutor
    from flowlib.executors.ray import connected

    with connected({}, workers) as ray:
        call = ray.remote(no_op)

        def submit(count: int) -> None:
            ray.get([call.remote(each) for each in range(count)])

        yield Engine(RayExecutor(), submit, survives=True)


@contextmanager
def _rq(workers: int) -> Iterator[Engine]:
    import redis
    from rq import Queue

    from flowlib import RQExecutor
    from tests.services.redis import end_worker, redis_server, start_pool

    with redis_server() as server:
        queue = Queue("bench", connection=redis.Redis.from_url(server.url))
        pool = start_pool(server.url, "bench", workers)

        def submit(count: int) -> None:
            jobs = [queue.enqueue(no_op, each) for each in range(count)]
            for job in jobs:
                while job.get_status() != "finished":
                    time.sleep(0.005)

        try:
            yield Engine(RQExecutor(server.url, "bench"), submit, survives=True)
        finally:
            end_worker(pool)


@contextmanager
def _slurm(workers: int) -> Iterator[Engine]:
    from tests.services.slurm import LARGEST_ARRAY, ask, shared_cluster, slurm_executor, until

    def submit(count: int) -> None:
        for first in range(0, count, LARGEST_ARRAY):
            size = min(LARGEST_ARRAY, count - first)
            words = ("--job-name=no-op", f"--array=0-{size - 1}", "--output=/dev/null")
            ask("sbatch", *words, "--wrap=true")
        until(lambda: not ask("squeue", "--noheader", "--name=no-op"), _PATIENCE_S, "jobs are left")

    shared_cluster()  # it ends with this process
    yield Engine(slurm_executor(), submit, survives=True)


def _futures(pool: concurrent.futures.Executor) -> Submit:
    def submit(count: int) -> None:
        for each in [pool.submit(no_op, number) for number in range(count)]:
            each.result()

    return submit


ENGINES: dict[str, Callable[[int], AbstractContextManager[Engine]]] = {
    "inline": _inline,
    "threads": _threads,
    "processes": _processes,
    "pool": _pool,
    "loky": _loky,
    "dask": _dask,
    "ray": _ray,
    "rq": _rq,
    "slurm": _slurm,
}
"""By the name of the executor; `pool` is one of processes of the standard library."""
