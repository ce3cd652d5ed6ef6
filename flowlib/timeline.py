"""Which worker did what, and when? Folded from the events of a run, without a picture."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from flowlib.events import (
    OF_WORKERS,
    Cached,
    Event,
    Failed,
    Finished,
    Grown,
    Retried,
    RunEnded,
    RunStarted,
    Started,
    TaskEvent,
    TaskRef,
    Waiting,
)
from stores.lazy_dataclass import dataclass

MOST_SPANS: Final = 10_000
"""More would make a page slow; the longest are kept."""

_MOST_IDLE: Final = 10_000
"""More workers that had nothing to do are no rows."""


@dataclass(frozen=True, slots=True)
class Span:
    """A try of a task on a worker; times are seconds since the run began.

    Attributes:
        task: Who.
        worker: Index of the worker, from 0.
        start: When the worker, to which it was handed, had nothing else to do.
        end: When the driver heard of its end, or of it at all.
        word: How it ended, by the words of the vocabulary; `running` if it has not.
        resource: What it was leased; empty for nothing.
        told: What went wrong; empty if nothing did.
    """

    task: TaskRef
    worker: int
    start: float
    end: float
    word: str
    resource: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What all workers did.

    Attributes:
        spans: By their start.
        duration_s: How long the run took, or has taken so far.
        workers: Their indices, also of those that had nothing to do.
        hidden: How many spans were left out, the shortest.
        busy_s: How long each worker had a task, also in spans that were left out.
    """

    spans: Sequence[Span]
    duration_s: float
    workers: Sequence[int]
    hidden: int = 0
    busy_s: Mapping[int, float] = field(default_factory=dict)

    def busy(self, worker: int) -> float:
        """The share of the run in which a worker had a task, from 0 to 1."""
        if self.duration_s <= 0:
            return 0.0
        return min(1.0, self.busy_s.get(worker, 0.0) / self.duration_s)  # sums are not exact


def timeline_of(events: Iterable[Event]) -> Timeline:
    """The tries of tasks, row by row.

    Args:
        events: Of one run, by time; the first may be lost.
    """
    fold = TimelineFold()
    for event in events:
        fold.note(event)
    return fold.timeline()


class TimelineFold:
    """Takes in one event after the other; what it keeps does not grow with their number.

    Args:
        most: So many of the longest spans are kept.
    """

    def __init__(self, most: int = MOST_SPANS) -> None:
        self._most = most
        self._began = self._last = 0.0
        self._is_over = False
        self._workers: set[int] = set()
        self._running: dict[str, Started] = {}
        self._ended: list[Span] = []  # at one moment; in which turn is known after it
        self._rows = _Rows(most)

    def note(self, event: Event) -> None:
        """Something happened."""
        self._began = min(self._began or event.at, event.at)
        if event.at > self._last:
            self._rows.take(self._ended)
            self._ended, self._last = [], event.at
        if isinstance(event, RunStarted):
            self._workers |= {*range(min(event.workers, _MOST_IDLE))}
        elif isinstance(event, RunEnded):
            self._is_over = True
        elif isinstance(event, Started):
            self._running[event.task.key] = event
            self._workers.add(event.worker)
        elif isinstance(event, TaskEvent) and event.task.key in self._running:
            start = self._running.pop(event.task.key)
            if not isinstance(event, Waiting):  # nothing was computed here
                self._ended.append(_span(start, event.at, *_ended(event)))

    def timeline(self) -> Timeline:
        """What is known so far; what runs ends now, or with the run."""
        rows = self._rows.copy()
        word = "killed" if self._is_over else "running"
        left = [_span(start, self._last, word, "") for start in self._running.values()]
        rows.take([*self._ended, *left])
        kept = sorted(rows.kept(), key=lambda each: (each.start, each.worker))
        began = self._began
        spans = [replace(e, start=e.start - began, end=e.end - began) for e in kept]
        workers = tuple(sorted(self._workers))
        return Timeline(tuple(spans), self._last - began, workers, rows.hidden, rows.busy_s)


class _Rows:
    """The longest spans, of which no two of a worker overlap."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._longest: list[tuple[float, int, Span]] = []
        self._free: dict[int, float] = {}
        self.hidden = 0
        self.busy_s: dict[int, float] = {}

    def copy(self) -> _Rows:
        """Another one that knows the same."""
        made = _Rows(self._most)
        made._longest, made._free = self._longest.copy(), self._free.copy()
        made.hidden, made.busy_s = self.hidden, self.busy_s.copy()
        return made

    def take(self, spans: Iterable[Span]) -> None:
        """A worker does one thing at a time; what was handed to it before waits for its turn."""
        for each in sorted(spans, key=lambda span: (span.end, span.start)):
            start = min(each.end, max(each.start, self._free.get(each.worker, 0.0)))
            lasted = each.end - start
            self._free[each.worker] = each.end
            self.busy_s[each.worker] = self.busy_s.get(each.worker, 0.0) + lasted
            number = -len(self._longest) - self.hidden  # of equal ones the first is kept
            entry = lasted, number, replace(each, start=start)
            if len(self._longest) < self._most:
                heapq.heappush(self._longest, entry)
            else:
                heapq.heappushpop(self._longest, entry)
                self.hidden += 1

    def kept(self) -> list[Span]:
        """Those that are left, in no particular order."""
        return [span for _, _, span in self._longest]


def _span(start: Started, at: float, word: str, told: str) -> Span:
    return Span(start.task, start.worker, start.at, max(at, start.at), word, start.resource, told)


def _ended(event: TaskEvent) -> tuple[str, str]:
    match event:
        case Finished():
            return "finished", ""
        case Cached():
            return "cached", ""
        case Failed(error=error, is_kill=is_kill):
            return ("killed" if is_kill else "failed"), f"{error.type_}: {error.message}"
        case Retried(error=error, kind=kind):
            word = "killed" if kind in OF_WORKERS else "failed"
            shown = f" ({kind})" if kind else ""
            return word, f"tried again{shown} after {error.type_}: {error.message}"
        case Grown():
            return "finished", "returned specs"
    return "failed", ""
