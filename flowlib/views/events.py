"""Every event as a line of JSON on stdout, for programs: the lines of the event log."""

from __future__ import annotations

import sys
from typing import TextIO

from flowlib.event_log import line_of
from flowlib.events import Event
from flowlib.view import View


class EventsView(View):
    """Writes each event at once.

    Args:
        stream: Where to; None is stdout.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._is_gone = False

    def show(self, event: Event) -> None:
        if self._is_gone:
            return
        try:
            self._stream.write(f"{line_of(event)}\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._is_gone = True  # nobody reads any more; the run goes on
