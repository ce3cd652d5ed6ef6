"""In this process, one after the other: for small runs, debugging and tests."""

from __future__ import annotations

import time
from collections import deque
from contextlib import AbstractContextManager

from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.inline_output import InlineOutputs
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.running import Surroundings
from flowlib.task_output import no_outputs
from flowlib.worker import execute
from stores import Heartbeat


class InlineExecutor(Executor):
    """The process of the driver does all the work."""

    def start(self, setup: ExecutorSetup) -> Workers:
        return _InlineWorkers(setup)


class _InlineWorkers(Workers):
    """Runs jobs when they are waited for."""

    def __init__(self, setup: ExecutorSetup) -> None:
        self._store = setup.store
        self._owner = setup.owner
        self._interrupts = setup.interrupts
        self._waiting: deque[tuple[Job, Assignment]] = deque()
        self._heartbeat = Heartbeat(setup.store)
        outputs = no_outputs if setup.output is None else InlineOutputs(setup.output).of
        self._around = Surroundings(self._is_stopping, self._of_task, outputs, setup.left_open)
        self._has_been_asked = False

    @property
    def free_slots(self) -> int:
        return 1 - len(self._waiting)

    def submit(self, job: Job, assignment: Assignment) -> int:
        self._waiting.append((job, assignment))
        return 0

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        if not self._waiting:
            with self._interrupts.let_through():
                time.sleep(timeout_s or 0.0)
            return []
        job, assignment = self._waiting.popleft()
        if self._interrupts.is_stopping:
            return [Outcome(job.address, OutcomeKind.RETURNED)]
        self._has_been_asked = False
        with self._heartbeat.of(job.address):
            return [execute(job, assignment, self._store, self._owner, self._around)]

    def kill(self, job: Job, reason: str) -> None:
        raise RunError(f"{job.address} cannot be killed: it runs in the process of the driver")

    def close(self, *, now: bool = False) -> None:
        self._waiting.clear()
        self._heartbeat.close()

    def _is_stopping(self) -> bool:
        self._has_been_asked = True
        return self._interrupts.is_stopping

    def _of_task(self) -> AbstractContextManager[None]:
        """A task that asks whether to stop is not interrupted by the first Ctrl-C."""
        return self._interrupts.of_task(lambda: self._has_been_asked)
