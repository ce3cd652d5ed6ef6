"""Bars, running tasks and failures below a cell of a notebook; the last picture stays in it."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from types import TracebackType
from typing import Any, Final

from flowlib.console_lines import as_html
from flowlib.console_text import Line
from flowlib.events import Event, RunEnded, RunStarted
from flowlib.progress_picture import Frame, bars_picture, progress_picture
from flowlib.run_progress import RunProgress
from flowlib.run_summary import summary_picture
from flowlib.signs import UNICODE_SIGNS
from flowlib.ticker import Ticker
from flowlib.view import View

_PAUSE_S: Final = 0.25
"""The shortest time between two pictures."""

_CLOCK_S: Final = 1.0
_FRAME: Final = Frame(100, 40, UNICODE_SIGNS)


class NotebookView(View):
    """Shows one piece of static HTML, which needs no widgets, and keeps it up to date."""

    def __init__(self) -> None:
        self._progress = RunProgress()
        self._lock = threading.Lock()
        self._ticker = Ticker(self._draw, _PAUSE_S, _CLOCK_S)
        self._handle: Any = None
        self._has_ended = False

    def show(self, event: Event) -> None:
        with self._lock:
            self._progress.note(event)
        if isinstance(event, RunStarted):
            self._put(self._picture())
            if event.workers:
                self._ticker.start()
        elif isinstance(event, RunEnded):
            self._end()
        self._ticker.wake()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _picture(self) -> list[Line]:
        with self._lock:
            return progress_picture(self._progress, time.time(), _FRAME)

    def _draw(self) -> float | None:
        self._put(self._picture())
        return _CLOCK_S

    def _end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._ticker.stop()
            with self._lock:
                has_run = self._progress.start is not None and self._progress.start.workers > 0
                bars = bars_picture(self._progress, _FRAME) if has_run else []
                lines = [*bars, *summary_picture(self._progress, _FRAME.width, _FRAME.signs)]
            if self._progress.has_outcome:
                self._put(lines)

    def _put(self, lines: list[Line]) -> None:
        ipython: Any = import_module("IPython.display")  # it is there, or this view was not chosen
        page = ipython.HTML(as_html(lines))
        if self._handle is None:
            self._handle = ipython.display(page, display_id=True)
        else:
            self._handle.update(page)
