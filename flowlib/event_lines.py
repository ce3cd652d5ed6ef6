"""An event as one line of text."""

from __future__ import annotations

from typing import Final

from flowlib.events import Cached, Event, Failed, Finished, Retried, Skipped, Started, Waiting


class EventLines:
    """Words for events, with the progress of the run.

    Args:
        total: How many nodes the flow has.
        done: How many of them were cached when the run began.
    """

    def __init__(self, total: int, done: int) -> None:
        self._total = total
        self._done = done

    def count(self, event: Event) -> None:
        """Note the progress that `event` is."""
        self._done += isinstance(event, (Cached, Finished, Failed, Skipped))

    def line(self, event: Event) -> str:
        """One line about `event`, which also counts."""
        self.count(event)
        width = len(str(self._total))
        node = event.node
        head = f"[{self._done:>{width}}/{self._total}]"
        return f"{head} {_words(event).format(name=f'{node.unique_name} ({node.address})')}"


def _words(event: Event) -> str:
    word = _WORDS.get(type(event), type(event).__name__.lower())
    if isinstance(event, Failed) and event.is_kill:
        word = "killed"
    return f"{word:<7} {{name}}  {_rest(event)}".rstrip()


_WORDS: Final = {
    Started: "start",
    Finished: "done",
    Cached: "cached",
    Failed: "failed",
    Retried: "retry",
    Skipped: "skipped",
    Waiting: "waiting",
}


def _rest(event: Event) -> str:
    match event:
        case Started(worker=worker, resource=resource):
            return f"w{worker}" if resource is None else f"w{worker} {_braced(resource)}"
        case Finished(duration_s=duration_s):
            return f"{duration_s:.1f} s"
        case Failed(error=error) | Retried(error=error):
            return f"{_when(event)}{_braced(error.type_)}: {_first(error.message)}"
        case Skipped(cause=cause):
            return f"upstream {cause.unique_name} failed"
        case Waiting(owner=owner):
            return _first(owner)
    return ""


def _when(event: Event) -> str:
    if isinstance(event, Retried) and event.pause_s > 0:
        return f"in {event.pause_s:g} s, after "
    return ""


def _first(text: str) -> str:
    return _braced(text.splitlines()[0] if text else "")


def _braced(value: object) -> str:
    """The text of a value, safe inside a format string."""
    return str(value).replace("{", "{{").replace("}", "}}")
