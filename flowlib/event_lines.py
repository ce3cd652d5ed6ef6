"""An event as one line of text."""

from __future__ import annotations

import signal
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
    Skipped,
    Started,
    Stopping,
    TaskEvent,
    Waiting,
)


class EventLines:
    """Words for events, with the progress of the run, which `RunStarted` begins."""

    def __init__(self) -> None:
        self._total = 0
        self._done = 0
        self._run = ""

    def count(self, event: Event) -> None:
        """Note the progress that `event` is."""
        if isinstance(event, RunStarted):
            self._run = event.run_name
            self._total = sum(spec.total for spec in event.specs)
            self._done = sum(spec.cached for spec in event.specs)
        if isinstance(event, Grown):
            self._total += sum(spec.total for spec in event.specs)
            self._done += sum(spec.cached for spec in event.specs)
        self._done += isinstance(event, (Cached, Finished, Failed, Skipped))

    def line(self, event: Event) -> str:
        """One line about `event`, which also counts."""
        self.count(event)
        if isinstance(event, RunStarted):
            return f"run {self._run}: {self._total - self._done} to run, {self._done} cached"
        if isinstance(event, RunEnded):
            words = ", ".join(f"{count} {word}" for word, count in event.counts.items())
            return f"run {self._run}: {words} in {event.duration_s:.1f} s"
        if isinstance(event, Stopping):
            return stopping_text(event)
        if not isinstance(event, TaskEvent):
            return type(event).__name__.lower()
        width = len(str(self._total))
        label = f" {event.task.label}" if event.task.label else ""
        name = f"{event.task.unique_name}{label} ({event.task.id})"
        head = f"[{self._done:>{width}}/{self._total}] {word_of(event):<7} {name}"
        return f"{head}  {_rest(event)}".rstrip()


def stopping_text(event: Stopping) -> str:
    """What a signal does to a run, in a few words."""
    try:
        name = signal.Signals(event.signal).name
    except ValueError:
        name = "a signal"
    what = "running tasks are ended" if event.is_now else "running tasks may end, no new ones start"
    return f"stopping after {name}: {what}"


def word_of(event: Event) -> str:
    """What the line of an event calls it."""
    if isinstance(event, Failed) and event.is_kill:
        return "killed"
    return _WORDS.get(type(event), type(event).__name__.lower())


_WORDS: Final = {
    Started: "start",
    Finished: "done",
    Cached: "cached",
    Failed: "failed",
    Retried: "retry",
    Skipped: "skipped",
    Waiting: "waiting",
    Grown: "grown",
}


def _rest(event: Event) -> str:
    rest = ""
    match event:
        case Started(worker=worker, resource=resource):
            rest = f"w{worker} {resource}"
        case Finished(duration_s=duration_s):
            rest = f"{duration_s:.1f} s"
        case Failed(error=error) | Retried(error=error):
            log = event.log if isinstance(event, Failed) else None
            at = f"  log: {log}" if log else ""
            rest = f"{_when(event)}{error.type_}: {_first(error.message)}{_kind(event)}{at}"
        case Grown(specs=specs):
            listed = ", ".join(f"{spec.name} ×{spec.total}" for spec in specs)
            rest = f"more tasks: {listed}" if listed else "waits for tasks of the run"
        case Skipped(cause=cause):
            rest = f"upstream {cause.unique_name} failed"
        case Waiting(owner=owner, waited_s=waited_s, others=others):
            since = f", for {waited_s:.0f} s" if waited_s else ""
            more = f", and so for {others} more" if others else ""
            rest = f"{_first(owner)}{since}{more}"
    return rest


def _when(event: Event) -> str:
    if isinstance(event, Retried) and event.pause_s > 0:
        return f"in {event.pause_s:g} s, after "
    return ""


def _kind(event: Event) -> str:
    """What the error does not say: whether a worker was lost, or taken away."""
    kind = event.kind if isinstance(event, Retried) else ""
    return f" ({kind})" if kind in OF_WORKERS else ""


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""
