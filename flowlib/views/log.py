"""One log record per event: seen wherever the logger `flowlib` is configured."""

from __future__ import annotations

import logging

from flowlib.event_lines import EventLines
from flowlib.events import Event, Failed, Retried, RunStarted, Started
from flowlib.view import View

_log = logging.getLogger("flowlib.run")


class LogView(View):
    """Tells the standard logging; says nothing where that is not configured."""

    def __init__(self) -> None:
        self._lines = EventLines()

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted) and event.stale and _log.isEnabledFor(logging.WARNING):
            names = ", ".join(event.stale)
            _log.warning("cached tasks are older than their input: %s", names)
        level = _level(event)
        if _log.isEnabledFor(level):
            _log.log(level, "%s", self._lines.line(event))
        else:
            self._lines.count(event)


def _level(event: Event) -> int:
    if isinstance(event, (Failed, Retried)):
        return logging.WARNING
    if isinstance(event, (RunStarted, Started)) and not _log.isEnabledFor(logging.INFO):
        return logging.DEBUG
    return logging.INFO
