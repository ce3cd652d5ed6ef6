"""
Which jobs go to an engine as one, and which of them have ended if nobody answers?

Tasks of a millisecond spend most of their time on the way: an engine takes as long for one that
does nothing as for one that works. So jobs of one spec travel together while they are short,

    alone, alone | two | four | ... | as many as take a twentieth of a second

and never so many that an engine's worker has nothing while another has two bundles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.policy import FailureKind
from stores import Record, ResultsStore, StoreError, TaskState
from stores.lazy_dataclass import dataclass

Work = tuple[Job, Assignment]
"""A job, and what it has in common with others of its spec."""

BUNDLE_S: Final = 0.05
"""How long a bundle takes, by the duration of the last jobs."""

LONGEST_S: Final = 0.1
"""After so long a worker begins no more jobs of a bundle; those that are left come back."""

LARGEST: Final = 32
"""How many jobs travel together at the most."""

_QUEUE_S: Final = 0.02
"""How much work waits at a worker at the most where jobs travel alone."""

_AHEAD: Final = 2
"""How many bundles there are for each worker, so that it never waits for the next one."""

_WEIGHT: Final = 0.5
"""Of the last answer in the running mean of durations."""

_KINDS: Final = {TaskState.FAILED: OutcomeKind.FAILED, TaskState.KILLED: OutcomeKind.KILLED}


@dataclass(frozen=True, slots=True)
class Answers:
    """What comes back for jobs that were sent as one.

    Attributes:
        outcomes: In the order of the jobs; what is missing at the end was not begun.
        seconds: How long all of them took.
    """

    outcomes: tuple[Outcome, ...]
    seconds: float


class Pace:
    """How short are the jobs of one spec?

    Args:
        deepest: How many of them may be with the engine for each that it runs, alone.
        largest: How many may travel together.
    """

    def __init__(self, deepest: int, largest: int) -> None:
        self._deepest, self._largest = deepest, largest
        self._mean_s: float | None = None
        self._trusted = 1  # doubled by every answer

    def note(self, answers: Answers) -> None:
        """Jobs of this spec have ended."""
        if not answers.outcomes:
            return
        each_s = answers.seconds / len(answers.outcomes)
        known_s = each_s if self._mean_s is None else self._mean_s
        self._mean_s = known_s + _WEIGHT * (each_s - known_s)
        self._trusted = min(2 * self._trusted, max(self._largest, self._deepest))

    @property
    def size(self) -> int:
        """How many jobs may travel together."""
        return self._number(BUNDLE_S, self._largest)

    @property
    def depth(self) -> int:
        """How many jobs may be with the engine for each that it runs."""
        size = self.size
        return _AHEAD * size if size > 1 else self._number(_QUEUE_S, self._deepest)

    def _number(self, seconds: float, most: int) -> int:
        if self._mean_s is None:
            return 1
        return max(1, min(most, self._trusted, int(seconds / max(self._mean_s, 1e-6))))


def fair_share(jobs: int, slots: int) -> int:
    """How many jobs a bundle may have so that each of the slots gets some of so many jobs."""
    return max(1, -(-jobs // (_AHEAD * max(1, slots))))


def ended(jobs: Iterable[Job], store: ResultsStore) -> dict[str, Outcome]:
    """The outcomes of those that have ended, by key, as far as the store knows."""
    found: dict[str, Outcome] = {}
    for job in jobs:
        try:
            record = store.record(job.address)
        except (StoreError, OSError):
            continue
        if record is not None and (outcome := _outcome(job, record)) is not None:
            found[job.address.key] = outcome
    return found


def _outcome(job: Job, record: Record) -> Outcome | None:
    counted, last = record.finished, record.latest
    if counted is not None and job.accepts(counted.number, counted.facts):
        return Outcome.finished(job.address, counted.number, counted.duration_s or 0.0)
    kind = _KINDS.get(last.state)
    if kind is None or last.number <= job.newer_than or last.run != job.run:
        return None
    failure = FailureKind.KILLED if kind is OutcomeKind.KILLED else FailureKind.EXCEPTION
    seconds = last.duration_s or 0.0
    return Outcome(job.address, kind, last.number, seconds, error=last.error, failure=failure)
