"""An event as one line of text."""

from __future__ import annotations

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
    match event:
        case Started():
            resource = "" if event.resource is None else f" {_braced(event.resource)}"
            return f"start   {{name}}  w{event.worker}{resource}"
        case Finished():
            return f"done    {{name}}  {event.duration_s:.1f} s"
        case Cached():
            return "cached  {name}"
        case Failed():
            word = "killed" if event.is_kill else "failed"
            return f"{word}  {{name}}  {_braced(event.error.type_)}: {_first(event.error.message)}"
        case Retried():
            return f"retry   {{name}}  {_braced(event.error.type_)}: {_first(event.error.message)}"
        case Skipped():
            return f"skipped {{name}}  upstream {event.cause.unique_name} failed"
        case Waiting():
            return f"waiting {{name}}  {_first(event.owner)}"
        case _:
            return f"{type(event).__name__.lower():<7} {{name}}"


def _first(text: str) -> str:
    return _braced(text.splitlines()[0] if text else "")


def _braced(value: object) -> str:
    """The text of a value, safe inside a format string."""
    return str(value).replace("{", "{{").replace("}", "}}")
