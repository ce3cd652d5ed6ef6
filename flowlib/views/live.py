"""Bars, running tasks and failures on a terminal, drawn anew as the run goes on."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Final, TextIO

from flowlib.console_lines import as_text, cut
from flowlib.console_streams import standing_above
from flowlib.event_lines import stopping_text
from flowlib.events import Event, RunEnded, RunStarted
from flowlib.failure_picture import failure_line
from flowlib.footer import Footer
from flowlib.live_terminal import size_of
from flowlib.progress_picture import Frame, bars_picture, progress_picture
from flowlib.run_progress import RunProgress
from flowlib.run_summary import summary_picture
from flowlib.signs import Signs
from flowlib.terminal import shows_colour, shows_unicode
from flowlib.ticker import Ticker
from flowlib.view import View

_PAUSE_S: Final = 0.1
"""The shortest time between two pictures."""

_CLOCK_S: Final = 1.0
"""How often the clock moves while nothing happens."""


class LiveView(View):
    """Draws on stderr, which is a terminal; the program's own output stands above.

    A thread draws, at most ten times a second; telling an event costs microseconds.
    """

    def __init__(self) -> None:
        self._stream: TextIO = sys.stderr
        self._has_colours = shows_colour(self._stream)
        self._signs = Signs.of(has_unicode=shows_unicode(self._stream))
        self._progress = RunProgress()
        self._footer = Footer(self._stream)
        self._ticker = Ticker(self._draw, _PAUSE_S, _CLOCK_S)
        self._shown = ExitStack()
        self._has_begun = False
        self._has_ended = False

    def show(self, event: Event) -> None:
        with self._footer.lock:
            kinds = self._progress.failure_count
            self._progress.note(event)
            if self._progress.failure_count > kinds:
                self._tell_failure()
        if isinstance(event, RunStarted) and event.workers and not self._has_begun:
            self._has_begun = True
            self._shown.enter_context(standing_above(self._footer, self._stream))
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
        try:
            self._end()
        finally:  # also when Ctrl-C comes in the middle of that
            self._footer.clear()
            self._shown.close()

    def _tell_failure(self) -> None:
        """A failure of a new kind, once above the bars."""
        columns, _ = size_of(self._stream)
        first = self._progress.failures[-1].first
        line = cut(failure_line(first, self._signs), columns - 1, self._signs.more)
        self._footer.say(as_text([line], has_colours=self._has_colours))

    def _draw(self) -> float | None:
        columns, lines = size_of(self._stream)
        frame = Frame(columns - 1, lines - 1, self._signs)  # the cursor needs a line of its own
        with self._footer.lock:
            picture = progress_picture(self._progress, time.time(), frame, self._hint())
            text = as_text(picture, has_colours=self._has_colours)
            self._footer.draw(text.splitlines())
        return _CLOCK_S

    def _hint(self) -> str:
        start, stopping = self._progress.start, self._progress.stopping
        if start is None or start.pid != os.getpid():
            return "Ctrl-C: stop watching; the run goes on"
        if stopping is not None:
            again = "" if stopping.is_now else f" {self._signs.dot} Ctrl-C again: stop now"
            return f"{stopping_text(stopping)}{again}"
        if start.workers == 1:  # the task runs in this process
            return "Ctrl-C: stop"
        dot = self._signs.dot
        return f"Ctrl-C once: let running tasks end {dot} twice: stop now"

    def _end(self) -> None:
        """Leave the bars, what failed and the summary; the terminal is as it was before."""
        if self._has_ended:
            return
        self._has_ended = True
        self._ticker.stop()
        columns, lines = size_of(self._stream)
        frame = Frame(columns - 1, lines - 1, self._signs)
        bars = bars_picture(self._progress, frame) if self._has_begun else []
        summary = summary_picture(self._progress, columns - 1, self._signs)
        if self._progress.has_outcome:
            self._footer.say(as_text([*bars, *summary], has_colours=self._has_colours))
