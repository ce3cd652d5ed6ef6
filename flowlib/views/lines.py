"""One plain line per event on stderr: for pipes, logs and continuous integration."""

from __future__ import annotations

import sys
import time

from flowlib.event_lines import EventLines
from flowlib.events import Event
from flowlib.view import View


class LinesView(View):
    """Writes `0:04 [ 5/31] done    Glove-1 (Glove/aaee1400)  2.7 s`."""

    def __init__(self) -> None:
        self._lines = EventLines()
        self._began = time.monotonic()

    def show(self, event: Event) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        sys.stderr.write(f"{minutes}:{seconds:02d} {self._lines.line(event)}\n")
