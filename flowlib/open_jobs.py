"""Which jobs are with an engine, which of them travel together, and how many more may come?"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import field
from typing import Final

from flowlib.bundle import Answers, Pace, fair_share
from flowlib.job import Assignment, Job, Outcome
from stores.lazy_dataclass import dataclass

_ROUNDING: Final = 1e-9
"""Parts of slots are not exact."""


@dataclass(slots=True, eq=False)
class OpenJob:
    """A job that has no answer yet.

    Attributes:
        index: Tells it from all others that are open.
        job: It.
        assignment: What it has in common with others of its spec.
        load: What part of a slot it takes: a short one takes less.
        goes_alone: Whether it must not travel with others.
        is_again: Whether it was in a bundle before that has not come to it.
        sent: With what it is on its way; None while it waits to be sent.
    """

    index: int
    job: Job
    assignment: Assignment
    load: float
    goes_alone: bool
    is_again: bool = False
    sent: Sent | None = None

    @property
    def key(self) -> str:
        """Of its node."""
        return self.job.address.key


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """Jobs that travel as one.

    Attributes:
        jobs: They.
        future: Their answers.
        at: When they were sent (monotonic).
    """

    jobs: Sequence[OpenJob]
    future: Future[Answers] | Future[Outcome]
    at: float = field(default_factory=time.monotonic)

    @property
    def open_jobs(self) -> list[OpenJob]:
        """Those that nobody has answered for, and that were not sent again."""
        return [each for each in self.jobs if each.sent is self]


class OpenJobs:
    """Those of one run.

    Args:
        deepest: How many jobs may be with the engine for each that it runs.
        largest: How many short ones of one spec may travel together.
    """

    def __init__(self, deepest: int, largest: int) -> None:
        self._depths = (deepest, largest)
        self._paces: dict[str, Pace] = {}  # by assignment
        self._open: dict[str, OpenJob] = {}
        self._load = 0.0
        self._stumbled: set[str] = set()  # keys of jobs that have not just finished
        self._free_indices: list[int] = []

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[OpenJob]:
        return iter(self._open.values())

    def free(self, slots: int) -> int:
        """How many jobs may come that are long; for short ones there is room once more."""
        return math.ceil(slots - self._load - _ROUNDING)

    def new(self, job: Job, assignment: Assignment) -> OpenJob:
        """A job that is not among these yet."""
        pace = self.pace(assignment)
        is_usual = job.resource is None and not job.environment
        goes_alone = not is_usual or job.address.key in self._stumbled or pace.size == 1
        index = self._free_indices[0] if self._free_indices else len(self._open)
        return OpenJob(index, job, assignment, 1 / pace.depth, goes_alone)

    def add(self, opened: OpenJob) -> None:
        """From now on it is."""
        if self._free_indices:
            heapq.heappop(self._free_indices)
        self._open[opened.key] = opened
        self._load += opened.load

    def close(self, opened: OpenJob, *, is_finished: bool) -> None:
        """Its answer is there."""
        del self._open[opened.key]
        heapq.heappush(self._free_indices, opened.index)
        self._load = self._load - opened.load if self._open else 0.0
        opened.sent = None
        if not is_finished:
            self._stumbled.add(opened.key)

    def pace(self, assignment: Assignment) -> Pace:
        """How short the jobs of a spec are."""
        pace = self._paces.get(assignment.id)
        if pace is None:
            pace = self._paces[assignment.id] = Pace(*self._depths)
        return pace

    def bundles(self, waiting: Iterable[OpenJob], slots: int) -> Iterator[list[OpenJob]]:
        """What travels together: jobs of one spec, and some for each of the slots."""
        fair = fair_share(len(self._open), slots)
        begun: dict[str, list[OpenJob]] = {}
        for each in waiting:
            if each.goes_alone:
                yield [each]
                continue
            spec = each.assignment.id
            bundle = begun.setdefault(spec, [])
            bundle.append(each)
            if len(bundle) >= min(fair, self._paces[spec].size):
                yield begun.pop(spec)
        yield from begun.values()

    def on_their_way(self) -> list[Sent]:
        """What was sent and has no answer, each once."""
        return list({id(each.sent): each.sent for each in self if each.sent}.values())
