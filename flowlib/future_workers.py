"""How are jobs waited for that an engine answers with futures? The base of adapters to engines."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from typing import Any, Final

from flowlib.bundle import Answers, Work, ended
from flowlib.carried_output import keep_carried
from flowlib.errors import RunError
from flowlib.executor import ExecutorSetup, Workers
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.open_jobs import OpenJob, OpenJobs, Sent
from flowlib.policy import FailureKind
from stores import ErrorDetails

_LATE_S: Final = 2.0
"""A bundle that is away for so long has met a long task: the others are sent again."""

_STOPPED: Final = ErrorDetails("KeyboardInterrupt", "the run was stopped", "")


class FutureWorkers(Workers):
    """Workers behind an engine; a subclass tells how a job is submitted.

    Args:
        setup: What the run gives.
        slots: How many jobs the engine runs at once.
        deepest: How many jobs may be with the engine for each that it runs, where tasks are so
            short that the way to it and back would take longer than they do.
        largest: How many short jobs of one spec travel together, by `start_bundle`; None where all
            go by `start_job`.
    """

    def __init__(
        self, setup: ExecutorSetup, slots: int, *, deepest: int = 1, largest: int | None = None
    ) -> None:
        self._setup = setup
        self._slots = slots
        self._has_bundles = largest is not None
        self._open = OpenJobs(deepest, largest or 1)
        self._waiting: list[OpenJob] = []  # for others to travel with
        self._away: deque[Sent] = deque()  # bundles, the oldest first
        self._ended: deque[Sent] = deque()
        self._left: list[Outcome] = []
        self._is_stopping = False
        self._bell = threading.Event()

    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        """Hand a job to the engine; to be written where there is no `start_bundle`.

        Raises:
            RunError: the engine takes no jobs any more.
        """
        raise NotImplementedError

    def start_bundle(self, work: Sequence[Work]) -> Future[Answers]:
        """Hand jobs of one spec to the engine as one; where there is a `largest`.

        Raises:
            RunError: the engine takes no jobs any more.
        """
        raise NotImplementedError

    def withdraw(self, job: Job, future: Future[Any]) -> bool:
        """Take back what the engine has not begun; whether that was so.

        Args:
            job: The first one of those that were handed over as one.
            future: Of them.
        """
        return future.cancel()

    def let_go(self, job: Job, future: Future[Any]) -> None:
        """The run does not wait any longer for what was handed over as one.

        Args:
            job: The first one of those.
            future: Of them; `job` may have been handed over once more, on its own.
        """

    def slots_now(self) -> int:
        """How many jobs the engine runs at once, by now."""
        return self._slots

    def lost(self, job: Job, error: BaseException) -> Outcome:
        """The answer to a job whose future has `error` instead of an outcome."""
        words = f"its worker was lost ({type(error).__name__}: {error})"
        return lost_worker(job, words, FailureKind.LOST)

    @property
    def free_slots(self) -> int:
        return self._open.free(self.slots_now())

    def submit(self, job: Job, assignment: Assignment) -> int:
        opened = self._open.new(job, assignment)
        if opened.goes_alone:
            self._send([opened])
        else:
            self._waiting.append(opened)
        self._open.add(opened)
        return opened.index

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        self._send_waiting()
        if not self._ended and not self._left:
            with self._setup.interrupts.let_through():
                self._bell.wait(self._until_late(timeout_s))
        self._bell.clear()  # first, so that no bell after this look is missed
        outcomes, self._left = self._left, []
        while self._ended:
            outcomes += self._outcomes_of(self._ended.popleft())
        while self._until_late(None) == 0.0:
            outcomes += self._go_on_without(self._away.popleft().open_jobs)
        return outcomes

    def kill(self, job: Job, reason: str) -> None:
        raise RunError(f"{job.address} cannot be ended: its process belongs to an engine")

    def ask_to_stop(self) -> None:
        self._is_stopping = True
        waiting, self._waiting = self._waiting, []
        self._left += self._send_again(waiting)
        for sent in self._open.on_their_way():
            self.withdraw(sent.jobs[0].job, sent.future)  # those that run go on

    def end_all(self, *, now: bool) -> None:
        """Wait no longer: what cannot be ended goes on alone, and may still finish its record."""
        self.ask_to_stop()
        for sent in self._open.on_their_way():
            if not sent.future.done():
                self.let_go(sent.jobs[0].job, sent.future)
                self._left += [self._closed(each, _stopped(each.job)) for each in sent.open_jobs]
        self._bell.set()

    @property
    def open_jobs(self) -> Collection[Job]:
        """Those that have no answer yet."""
        return [each.job for each in self._open]

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for bundle in self._open.bundles(waiting, self.slots_now()) if waiting else ():
            self._send(bundle)

    def _send(self, jobs: Sequence[OpenJob]) -> None:
        work = [(each.job, each.assignment) for each in jobs]
        sent = Sent(
            jobs, self.start_bundle(work) if self._has_bundles else self.start_job(*work[0])
        )
        for each in jobs:
            each.sent = sent
        if len(jobs) > 1:
            self._away.append(sent)
        sent.future.add_done_callback(lambda _: self._note_end(sent))

    def _note_end(self, sent: Sent) -> None:
        """Called by whichever thread the engine likes."""
        self._ended.append(sent)
        self._bell.set()

    def _outcomes_of(self, sent: Sent) -> list[Outcome]:
        """What has come for those that nobody has answered for."""
        jobs = sent.open_jobs
        try:
            told = sent.future.result(timeout=0)
        except CancelledError:
            return [self._closed(each, _returned(each.job)) for each in jobs]
        except BaseException as error:  # noqa: BLE001  # an engine reports losses in its own way
            return self._after_loss(jobs, error)
        answers = Answers((told,), told.duration_s) if isinstance(told, Outcome) else told
        self._open.pace(sent.jobs[0].assignment).note(answers)
        outcomes, unbegun = self._told(jobs, {each.address.key: each for each in answers.outcomes})
        return outcomes + self._send_again(unbegun)

    def _after_loss(self, jobs: Sequence[OpenJob], error: BaseException) -> list[Outcome]:
        """Of a bundle, one was running: those before it have ended, the others were not begun."""
        known = ended([each.job for each in jobs], self._setup.store) if len(jobs) > 1 else {}
        outcomes, left = self._told(jobs, known)
        outcomes += [self._closed(each, self.lost(each.job, error)) for each in left[:1]]
        return outcomes + self._send_again(left[1:], alone=True)

    def _go_on_without(self, late: Sequence[OpenJob]) -> list[Outcome]:
        """One of a bundle is long: the others do not wait for it."""
        known = ended([each.job for each in late], self._setup.store)
        outcomes, left = self._told(late, known)
        return outcomes + self._send_again(left[1:], alone=True)

    def _told(
        self, jobs: Sequence[OpenJob], outcomes: Mapping[str, Outcome]
    ) -> tuple[list[Outcome], list[OpenJob]]:
        """The outcomes that there are, and the jobs that have none."""
        left = [each for each in jobs if each.key not in outcomes]
        told = [each for each in jobs if each.key in outcomes]
        return [self._closed(each, outcomes[each.key]) for each in told], left

    def _send_again(self, jobs: Sequence[OpenJob], *, alone: bool = False) -> list[Outcome]:
        """Jobs that were not begun go with the next ones; back, if the run is being stopped."""
        if self._is_stopping:
            return [self._closed(each, _returned(each.job)) for each in jobs]
        for each in jobs:
            each.sent = None
            if alone:  # the bundle may come to it after all
                each.goes_alone = each.is_again = True
        self._waiting += jobs
        return []

    def _closed(self, opened: OpenJob, outcome: Outcome) -> Outcome:
        """The answer to a job, for which nothing is open any more."""
        if opened.is_again and outcome.kind is OutcomeKind.FOUND:
            outcome = replace(outcome, kind=OutcomeKind.FINISHED)  # the bundle was quicker
        self._open.close(opened, is_finished=outcome.kind is OutcomeKind.FINISHED)
        keep_carried(self._setup.output, opened.job, outcome)
        return outcome

    def _until_late(self, timeout_s: float | None) -> float | None:
        """How long to wait if something is to be done when a bundle is late."""
        while self._away and self._away[0].future.done():
            self._away.popleft()
        if not self._away:
            return timeout_s
        left_s = max(0.0, self._away[0].at + _LATE_S - time.monotonic())
        return left_s if timeout_s is None else min(timeout_s, left_s)


def _returned(job: Job) -> Outcome:
    return Outcome(job.address, OutcomeKind.RETURNED)


def _stopped(job: Job) -> Outcome:
    kind = OutcomeKind.KILLED
    return Outcome(job.address, kind, error=_STOPPED, failure=FailureKind.KILLED)


def lost_worker(job: Job, words: str, kind: FailureKind) -> Outcome:
    """The answer to a job whose worker will not give one."""
    error = ErrorDetails("WorkerLost", words, "")
    return Outcome(job.address, OutcomeKind.FAILED, error=error, is_lost=True, failure=kind)
