"""How are jobs waited for that an engine answers with futures? The base of adapters to engines."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Collection
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Final

from flowlib.carried_output import keep_carried
from flowlib.errors import RunError
from flowlib.executor import ExecutorSetup, Workers
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.policy import FailureKind
from stores import ErrorDetails

_QUEUE_S: Final = 0.02
"""How much work, by the duration of the last tasks, waits at an engine's worker at the most."""

_WEIGHT: Final = 0.1
"""Of the last task in the running mean of durations."""

_STOPPED: Final = ErrorDetails("KeyboardInterrupt", "the run was stopped", "")


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A job that is on its way."""

    index: int
    job: Job
    future: Future[Outcome]


class FutureWorkers(Workers):
    """Workers behind an engine; a subclass tells how a job is submitted.

    Args:
        setup: What the run gives.
        slots: How many jobs the engine runs at once.
        deepest: How many jobs may be with the engine for each that it runs, where tasks are so
            short that the way to it and back would take longer than they do.
    """

    def __init__(self, setup: ExecutorSetup, slots: int, *, deepest: int = 1) -> None:
        self._setup = setup
        self._slots = slots
        self._deepest = deepest
        self._mean_s = _QUEUE_S
        self._open: dict[str, _Open] = {}
        self._ended: deque[_Open] = deque()
        self._left: list[Outcome] = []
        self._bell = threading.Event()

    @abstractmethod
    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        """Hand a job to the engine.

        Raises:
            RunError: the engine takes no jobs any more.
        """

    def withdraw(self, job: Job, future: Future[Outcome]) -> bool:
        """Take a job back if the engine has not begun it; whether that was so."""
        return future.cancel()

    def let_go(self, job: Job) -> None:
        """The run does not wait for this job any longer."""

    def slots_now(self) -> int:
        """How many jobs the engine runs at once, by now."""
        return self._slots

    def lost(self, job: Job, error: BaseException) -> Outcome:
        """The answer to a job whose future has `error` instead of an outcome."""
        words = f"its worker was lost ({type(error).__name__}: {error})"
        return lost_worker(job, words, FailureKind.LOST)

    @property
    def free_slots(self) -> int:
        depth = max(1, min(self._deepest, int(_QUEUE_S / max(self._mean_s, 1e-6))))
        return self.slots_now() * depth - len(self._open)

    def submit(self, job: Job, assignment: Assignment) -> int:
        used = {each.index for each in self._open.values()}
        index = next(number for number in range(len(used) + 1) if number not in used)
        opened = _Open(index, job, self.start_job(job, assignment))
        self._open[job.address.key] = opened
        opened.future.add_done_callback(lambda _: self._note_end(opened))
        return index

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        if not self._ended and not self._left:
            with self._setup.interrupts.let_through():
                self._bell.wait(timeout_s)
        self._bell.clear()  # first, so that no bell after this look is missed
        outcomes, self._left = self._left, []
        while self._ended:
            ended = self._ended.popleft()
            if self._open.get(ended.job.address.key) is ended:  # nobody has answered for it
                del self._open[ended.job.address.key]
                outcomes.append(self._outcome(ended))
        return outcomes

    def kill(self, job: Job, reason: str) -> None:
        raise RunError(f"{job.address} cannot be ended: its process belongs to an engine")

    def ask_to_stop(self) -> None:
        for opened in list(self._open.values()):
            self.withdraw(opened.job, opened.future)  # those that run go on

    def end_all(self, *, now: bool) -> None:
        """Wait no longer: what cannot be ended goes on alone, and may still finish its record."""
        self.ask_to_stop()
        for key, opened in list(self._open.items()):
            if not opened.future.done():
                del self._open[key]
                self.let_go(opened.job)
                self._left.append(_stopped(opened.job))
        self._bell.set()

    @property
    def open_jobs(self) -> Collection[Job]:
        """Those that have no answer yet."""
        return [opened.job for opened in self._open.values()]

    def _note_end(self, opened: _Open) -> None:
        """Called by whichever thread the engine likes."""
        self._ended.append(opened)
        self._bell.set()

    def _outcome(self, ended: _Open) -> Outcome:
        try:
            outcome = ended.future.result(timeout=0)
            keep_carried(self._setup.output, ended.job, outcome)
            self._mean_s += _WEIGHT * (outcome.duration_s - self._mean_s)
            return outcome
        except CancelledError:
            return Outcome(ended.job.address, OutcomeKind.RETURNED)
        except BaseException as error:  # noqa: BLE001  # an engine reports losses in its own way
            return self.lost(ended.job, error)


def _stopped(job: Job) -> Outcome:
    kind = OutcomeKind.KILLED
    return Outcome(job.address, kind, error=_STOPPED, failure=FailureKind.KILLED)


def lost_worker(job: Job, words: str, kind: FailureKind) -> Outcome:
    """The answer to a job whose worker will not give one."""
    error = ErrorDetails("WorkerLost", words, "")
    return Outcome(job.address, OutcomeKind.FAILED, error=error, is_lost=True, failure=kind)
