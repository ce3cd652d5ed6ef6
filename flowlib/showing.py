"""How is a run shown here? A view for this terminal, notebook or pipe, while events come."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from flowlib.configuration import settings
from flowlib.events import Event
from flowlib.live_terminal import is_live
from flowlib.logs import own_handlers
from flowlib.run_progress import RunProgress
from flowlib.terminal import is_in_notebook
from flowlib.view import View, views
from stores import UnknownPlugin

Tell = Callable[[Event], None]
"""Tells an event to whoever watches."""

_EVENT_LOG: Final = "flowlib.run"


@contextmanager
def shown_by(progress: str | None, story: RunProgress) -> Iterator[Tell]:
    """Open the views of a run; gives what tells them an event.

    Every event goes to the standard logging, too; but where a view tells it, handlers that write
    to the console and were made by nobody or by `configure_logging` keep silent about it.

    Args:
        progress: The name of a view; "none" or None for none; "auto" for what `chosen` says.
        story: Notes every event first.

    Raises:
        UnknownPlugin: there is no such view.
    """
    name = chosen(progress)
    with ExitStack() as stack:
        watching: list[View] = [stack.enter_context(views.find("log")())]
        if name is not None:
            view: View = views.find(name)()
            stack.enter_context(_told_once())
            watching.append(stack.enter_context(view))

        def tell(event: Event) -> None:
            story.note(event)
            for each in watching:
                each.show(event)

        yield tell


def watch(events: Iterable[Event], progress: str | None = "auto") -> None:
    """Show a run by its events, as the process that runs it does.

    Args:
        events: From `RunStarted` on; those of a log that still grows, for instance.
        progress: As in `Flow.run`.

    Raises:
        UnknownPlugin: there is no such view.
    """
    name = chosen(progress)
    if name is None:
        return
    with views.find(name)() as view:
        for event in events:
            view.show(event)


def check_progress(progress: object) -> None:
    """See to it that a run can be shown so.

    Raises:
        UnknownPlugin: there is no such view.
    """
    own = ["auto", "none"]
    if progress is None or progress in (*own, *views.names_at_hand):
        return
    if progress not in (known := [*own, *views.names]):
        raise UnknownPlugin("view", str(progress), known)


def chosen(progress: str | None) -> str | None:
    """The name of the view that is meant; None for none.

    "auto" is the setting `progress`. If that is "auto", too, it is "notebook" in a notebook,
    "live" on a terminal, and none where nobody looks: in a pipe, in continuous integration.
    Where "live" is asked for and cannot be, it is "lines".
    """
    name = settings().progress if progress == "auto" else progress
    if name is None or name == "none":
        return None
    if name == "auto":
        if is_in_notebook():
            return "notebook"
        return "live" if is_live(sys.stderr) else None
    return "lines" if name == "live" and not is_live(sys.stderr) else name


@contextmanager
def _told_once() -> Iterator[None]:
    """Events that a view tells do not appear a second time on the console."""
    silent = [*own_handlers(), *([logging.lastResort] if logging.lastResort else [])]
    for handler in silent:
        handler.addFilter(_is_no_event)
    try:
        yield
    finally:
        for handler in silent:
            handler.removeFilter(_is_no_event)


def _is_no_event(record: logging.LogRecord) -> bool:
    return record.name != _EVENT_LOG
