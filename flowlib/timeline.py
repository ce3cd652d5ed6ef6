"""Which worker did what, and when? Folded from the events of a run, without a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flowlib.events import (
    Cached,
    Event,
    Failed,
    Finished,
    Retried,
    RunEnded,
    RunStarted,
    Started,
    TaskEvent,
    TaskRef,
    Waiting,
)

MOST_SPANS: Final = 10_000
"""More would make a page slow; the longest are kept."""


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
    """

    spans: Sequence[Span]
    duration_s: float
    workers: Sequence[int]
    hidden: int = 0

    def busy(self, worker: int) -> float:
        """The share of the run in which a worker had a task, from 0 to 1."""
        if self.duration_s <= 0:
            return 0.0
        spent = sum(each.end - each.start for each in self.spans if each.worker == worker)
        return min(1.0, spent / self.duration_s)  # as sums of floats are not exact


def timeline_of(events: Iterable[Event]) -> Timeline:
    """The tries of tasks, row by row.

    Args:
        events: Of one run, by time; the first may be lost.
    """
    found = list(events)
    began = min((each.at for each in found), default=0.0)
    last = max((each.at for each in found), default=0.0)
    is_over = any(isinstance(each, RunEnded) for each in found)
    running: dict[str, Started] = {}
    spans: list[Span] = []
    count = 0
    for event in found:
        if isinstance(event, RunStarted):
            count = event.workers
        elif isinstance(event, Started):
            running[event.task.key] = event
        elif isinstance(event, TaskEvent) and event.task.key in running:
            start = running.pop(event.task.key)
            if not isinstance(event, Waiting):  # nothing was computed here
                spans.append(_span(start, event.at, began, *_ended(event)))
    word = "killed" if is_over else "running"
    spans += [_span(start, last, began, word, "") for start in running.values()]
    workers = sorted({*range(count), *(each.worker for each in spans)})
    spans = [*_in_turn(spans)]
    longest = sorted(spans, key=lambda each: each.start - each.end)[:MOST_SPANS]
    kept = sorted(longest, key=lambda each: (each.start, each.worker))
    return Timeline(tuple(kept), last - began, tuple(workers), len(spans) - len(kept))


def _in_turn(spans: Iterable[Span]) -> Iterator[Span]:
    """A worker does one thing at a time; what was handed to it before waits for its turn."""
    free: dict[int, float] = {}
    for each in sorted(spans, key=lambda span: (span.end, span.start)):
        yield replace(each, start=max(each.start, free.get(each.worker, 0.0)))
        free[each.worker] = each.end


def _span(start: Started, at: float, began: float, word: str, told: str) -> Span:
    end = max(at, start.at)
    return Span(start.task, start.worker, start.at - began, end - began, word, start.resource, told)


def _ended(event: TaskEvent) -> tuple[str, str]:
    match event:
        case Finished():
            return "finished", ""
        case Cached():
            return "cached", ""
        case Failed(error=error, is_kill=is_kill):
            return ("killed" if is_kill else "failed"), f"{error.type_}: {error.message}"
        case Retried(error=error):
            return "failed", f"tried again after {error.type_}: {error.message}"
    return "failed", ""
