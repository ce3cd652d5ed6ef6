"""
On any executor of `concurrent.futures`: a pool of the standard library, of loky, of MPI.

The pool is the user's and is never shut down here. What a foreign pool does to its processes is
its own affair: no isolation between tasks, no timeouts, output of Python code only.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from flowlib.bundle import LARGEST, Answers, Work
from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.future_workers import FutureWorkers
from flowlib.job import Assignment, Job, Outcome
from flowlib.remote_job import RemoteJobs, run_packed
from flowlib.thread_jobs import ThreadJobs
from stores.lazy_dataclass import dataclass

_Call = Callable[[Sequence[Work]], tuple[Any, ...]]

_DEEPEST: Final = 8
"""How many jobs a pool holds for each that it runs, at the most, if they travel alone."""


@dataclass(frozen=True, slots=True)
class FuturesExecutor(Executor):
    """Submits jobs to a pool.

    Attributes:
        pool: Whose `submit` takes the jobs.
    """

    pool: concurrent.futures.Executor | None = None

    @property
    def own_workers(self) -> int | None:
        size = getattr(self.pool, "_max_workers", None)  # all pools of the standard library
        return size if isinstance(size, int) and size > 0 else None

    def start(self, setup: ExecutorSetup) -> Workers:
        if self.pool is None:
            raise RunError(
                'executor="futures" needs a pool: give the pool itself, for instance '
                "executor=ProcessPoolExecutor(4)"
            )
        if isinstance(self.pool, concurrent.futures.ThreadPoolExecutor):
            threads = ThreadJobs.of(setup)
            return _PoolWorkers(setup, self.pool, lambda work: (threads.run, *work[0]))
        if not setup.store.reachable_from_workers:
            raise RunError(
                f"the workers of {type(self.pool).__name__} cannot write to {setup.store!r}: give "
                f'a store that they reach, such as LocalFileStore, or use executor="threads"'
            )
        knows_main = isinstance(self.pool, concurrent.futures.ProcessPoolExecutor)
        jobs = RemoteJobs(setup, knows_main=knows_main)
        return _PoolWorkers(
            setup, self.pool, lambda work: (run_packed, jobs.packed(work)), largest=LARGEST
        )


class _PoolWorkers(FutureWorkers):
    """The workers of somebody else's pool.

    Args:
        setup: What the run gives.
        pool: Takes the jobs.
        call: Makes the call that runs jobs there: the arguments of the pool's `submit`.
        largest: How many there may be in one call; None if it is made of one job.
    """

    def __init__(
        self,
        setup: ExecutorSetup,
        pool: concurrent.futures.Executor,
        call: _Call,
        *,
        largest: int | None = None,
    ) -> None:
        super().__init__(setup, setup.num_workers, deepest=_DEEPEST, largest=largest)
        self._pool = pool
        self._call = call

    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        return self._submitted([(job, assignment)])

    def start_bundle(self, work: Sequence[Work]) -> Future[Answers]:
        return self._submitted(work)

    def _submitted(self, work: Sequence[Work]) -> Future[Any]:
        call = self._call(work)
        try:
            return self._pool.submit(*call)
        except RuntimeError as error:  # also BrokenExecutor
            name = type(self._pool).__name__
            raise RunError(f"{name} takes no jobs any more: {error}") from error

    def close(self, *, now: bool = False) -> None:
        """Nothing is ours to stop."""
