"""What does a run do that another process has asked to stop, or to do without some tasks?"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from flowlib.errors import SelectorError
from flowlib.graph import TaskGraph
from flowlib.job import Job, Outcome, OutcomeKind
from flowlib.node import Node
from flowlib.policy import FailureKind
from flowlib.run_means import RunMeans
from flowlib.run_requests import RunAnswer, RunRequest
from flowlib.selection import select
from stores import ErrorDetails, TaskState

_log = logging.getLogger("flowlib")

_ENDED: Final = (OutcomeKind.FAILED, OutcomeKind.KILLED)
_OPEN: Final = (TaskState.PENDING, TaskState.SCHEDULED, TaskState.RUNNING)
_PAUSE_S: Final = 10.0
_LOSS: Final = "Cancelled"


class Cancelling:
    """The tasks that a run was asked to do without. They end as killed, and are not tried again.

    One that waits is told to have ended when its turn has come.

    Args:
        means: What the run works with.
        running: The nodes that run and their jobs, by key.

    Attributes:
        due: When to look again (monotonic).
    """

    def __init__(self, means: RunMeans, running: Mapping[str, tuple[Node, Job]]) -> None:
        self._box = means.requests
        self._workers = means.workers
        self._interrupts = means.interrupts
        self._running = running
        self._reasons: dict[str, str] = {}
        self._pause_s = min(_PAUSE_S, means.store.beat_s)
        self.due = float("inf") if self._box is None else time.monotonic() + self._pause_s

    def __contains__(self, node: Node) -> bool:
        return node.key in self._reasons

    def look(self, now: float, graph: TaskGraph, states: Mapping[str, TaskState]) -> None:
        """Now and then: read what has been asked since the last look, do it, and answer.

        Args:
            now: The time (monotonic).
            graph: All that the run knows of.
            states: Of what was to run, by key.
        """
        if now < self.due or self._box is None:
            return
        self.due = now + self._pause_s
        for address, request in self._box.new():
            self._box.answer(address, request, self._obey(request, graph, states))
        if self._workers.can_kill:
            for key, reason in self._reasons.items():
                if key in self._running:  # again, if it waited behind another at its worker
                    self._workers.kill(self._running[key][1], reason)

    def has_too_many(self, failed: Sequence[Node], most: int | None) -> bool:
        """Whether so many have failed, without anybody's wish, that nothing more is to start."""
        if most is None or len(failed) < most:
            return False
        return sum(1 for node in failed if node not in self) >= most

    def unstarted(self, job: Job) -> Outcome:
        """The outcome of a job that is done without, before a worker gets it."""
        return self.judged(Outcome(job.address, OutcomeKind.KILLED, is_lost=True))

    def judged(self, outcome: Outcome) -> Outcome:
        """The outcome of a job, as what it is if its process was ended for this."""
        reason = self._reasons.get(outcome.address.key)
        if reason is None or outcome.kind not in _ENDED or not outcome.is_lost:
            return outcome
        kind, error = OutcomeKind.KILLED, ErrorDetails(_LOSS, reason, "")
        return replace(outcome, kind=kind, error=error, failure=FailureKind.KILLED, ended_by=None)

    def _obey(
        self, request: RunRequest, graph: TaskGraph, states: Mapping[str, TaskState]
    ) -> RunAnswer:
        if not request.only:
            _log.warning("the run stops: %s has asked for it", request.by)
            for _ in range(2 if request.is_now else 1):
                self._interrupts.ask()
            return RunAnswer("")
        try:
            keys = select(graph, request.only).keys
        except SelectorError as error:
            return RunAnswer(str(error), is_refused=True)
        left = [key for key in keys if states.get(key) in _OPEN]
        self._reasons.update(dict.fromkeys(left, f"cancelled by {request.by}"))
        running = sum(1 for key in left if key in self._running)
        return RunAnswer(self._words(running, len(left) - running, len(keys) - len(left)))

    def _words(self, running: int, waiting: int, over: int) -> str:
        goes_on = "ended" if self._workers.can_kill else "left to itself, as nobody can end it here"
        told = ((waiting, "not started"), (running, goes_on), (over, "over already"))
        return ", ".join(f"{_tasks(count)} {words}" for count, words in told if count)


def _tasks(count: int) -> str:
    return "1 task is" if count == 1 else f"{count} tasks are"
