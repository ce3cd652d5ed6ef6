"""
In threads of this process: for tasks that wait, or that release the interpreter lock.

Nothing is pickled, and a memory store is shared. A thread cannot be ended: tasks may ask
`should_stop`, and what goes on after the second Ctrl-C goes on alone until the program ends.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Final, NamedTuple

from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.future_workers import FutureWorkers
from flowlib.job import Assignment, Job, Outcome
from flowlib.thread_jobs import ThreadJobs

_PATIENCE_S: Final = 5.0
"""How long threads without work may take to leave."""


class ThreadExecutor(Executor):
    """As many threads as workers were asked for, started when there is work for them."""

    def start(self, setup: ExecutorSetup) -> Workers:
        return _ThreadWorkers(setup)


class _Errand(NamedTuple):
    """A job for whichever thread is free."""

    future: Future[Outcome]
    job: Job
    assignment: Assignment


class _ThreadWorkers(FutureWorkers):
    """Threads that end with the program, even while a task runs in them."""

    def __init__(self, setup: ExecutorSetup) -> None:
        super().__init__(setup, setup.num_workers)
        self._errands: SimpleQueue[_Errand | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._jobs = ThreadJobs.of(setup)

    @property
    def leases_to_renew(self) -> Collection[Job]:
        return self.open_jobs

    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        self._errands.put(_Errand(future, job, assignment))
        if len(self._threads) <= len(self.open_jobs):
            number = len(self._threads) + 1
            thread = threading.Thread(target=self._serve, name=f"flowlib-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def close(self, *, now: bool = False) -> None:
        threads, self._threads = self._threads, []
        for _ in threads:
            self._errands.put(None)
        for thread in threads:
            thread.join(0.0 if now or self._setup.interrupts.is_stopping else _PATIENCE_S)

    def _serve(self) -> None:
        """What a thread does."""
        while (errand := self._errands.get()) is not None:
            if errand.future.set_running_or_notify_cancel():
                self._run(*errand)
        self._jobs.leave()

    def _run(self, future: Future[Outcome], job: Job, assignment: Assignment) -> None:
        try:
            outcome = self._jobs.run(job, assignment)
        except BaseException as error:  # noqa: BLE001  # the run must hear of it
            future.set_exception(error)
        else:
            future.set_result(outcome)
