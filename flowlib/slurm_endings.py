"""Why does a pilot not answer, or was ended? From what SLURM says of its job."""

from __future__ import annotations

import signal
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from flowlib.job import Outcome, OutcomeKind
from flowlib.policy import FailureKind
from flowlib.slurm_queue import SlurmState
from stores import ErrorDetails
from stores.lazy_dataclass import dataclass

_ALIVE: Final = frozenset(
    "RUNNING COMPLETING CONFIGURING SUSPENDED STOPPED SIGNALING STAGE_OUT RESIZING".split()
)
_WAITING: Final = frozenset("PENDING REQUEUED REQUEUE_FED REQUEUE_HOLD SPECIAL_EXIT".split())

_KINDS: Final = MappingProxyType(
    {
        "BOOT_FAIL": FailureKind.PREEMPTED,
        "CANCELLED": FailureKind.KILLED,
        "DEADLINE": FailureKind.TIMEOUT,
        "NODE_FAIL": FailureKind.PREEMPTED,
        "OUT_OF_MEMORY": FailureKind.OOM,
        "PREEMPTED": FailureKind.PREEMPTED,
        "REVOKED": FailureKind.PREEMPTED,
        "TIMEOUT": FailureKind.TIMEOUT,
    }
)
"""In which way a task failed whose job has ended so; LOST of any other state."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pilot has left its job behind.

    Attributes:
        kind: In which way the task failed.
        words: What happened.
        is_cancel: Whether somebody has cancelled the pilot.
    """

    kind: FailureKind
    words: str
    is_cancel: bool = False

    @property
    def ended_by(self) -> int | None:
        """The signal that stands for it: a cancelled job is one that was killed on purpose."""
        return int(signal.SIGKILL) if self.is_cancel else None


def is_over(state: SlurmState | None) -> bool:
    """Whether a job has ended for good; None is one that SLURM has forgotten."""
    return state is None or state.state not in _ALIVE | _WAITING


def ending_of(pilot: str, state: SlurmState | None, *, was_first: bool) -> Ending | None:
    """How a pilot has left the job behind that it had taken; None if it may go on with it.

    Args:
        pilot: Its name, with the number of its restarts.
        state: What SLURM says of it.
        was_first: Whether that was the first job that it had taken.
    """
    job, _, restarts = pilot.rpartition(".")
    if state is None:
        return Ending(FailureKind.LOST, f"SLURM does not know the job {job} any more")
    if state.restarts > int(restarts) or state.state in _WAITING:
        return Ending(FailureKind.PREEMPTED, f"the job {job} of SLURM was put back into the queue")
    if state.state in _ALIVE:
        return None
    kind = _KINDS.get(state.state, FailureKind.LOST)
    words = f"the job {job} of SLURM has ended before the task did: {state.state}"
    if kind is FailureKind.TIMEOUT and not was_first:
        kind = FailureKind.PREEMPTED  # it did not have all the time that there is
    elif kind is FailureKind.TIMEOUT:
        words += "; ask for more time, or save checkpoints when should_stop() says so"
    return Ending(kind, words, is_cancel=state.state == "CANCELLED")


def judged(outcome: Outcome, ending: Ending) -> Outcome:
    """The outcome of a task that was ended with its pilot."""
    before = outcome.error or ErrorDetails("", "", "")
    error = ErrorDetails("WorkerLost", ending.words, before.traceback)
    return replace(
        outcome,
        kind=OutcomeKind.FAILED,
        failure=ending.kind,
        error=error,
        exception=None,
        ended_by=ending.ended_by,
    )
