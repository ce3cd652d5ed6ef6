"""One plain line per event on stderr: for pipes, logs and continuous integration."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Final, TextIO

from flowlib.console_lines import as_text
from flowlib.console_text import Span, harmless
from flowlib.event_lines import EventLines, word_of
from flowlib.events import Event, RunEnded, RunStarted
from flowlib.progress_picture import clock
from flowlib.run_progress import RunProgress
from flowlib.run_summary import summary_picture
from flowlib.signs import Signs
from flowlib.terminal import shows_colour, shows_unicode
from flowlib.ticker import Ticker
from flowlib.view import View
from flowlib.vocabulary import SHOWN_STATES

_SILENCE_S: Final = 30.0
"""After how long without an event a line says that the run is alive."""

_WIDTH: Final = 100
_STATES: Final = {"start": "running", "done": "finished", "retry": "running"}
"""States of the words that are no states."""


class LinesView(View):
    """Writes `0:04 [ 5/31] done    Glove-1 dim=50 (Glove/aaee1400)  2.7 s`.

    Args:
        stream: Where to; None is stderr.
        silence_s: After how long without an event a line says that the run is alive.
    """

    def __init__(self, stream: TextIO | None = None, silence_s: float = _SILENCE_S) -> None:
        self._stream = stream or sys.stderr
        self._silence_s = silence_s
        self._has_colours = shows_colour(self._stream)
        self._signs = Signs.of(has_unicode=shows_unicode(self._stream))
        self._lines = EventLines()
        self._progress = RunProgress()
        self._last_line = time.monotonic()
        self._lock = threading.Lock()
        self._ticker = Ticker(self._look, 0.0, silence_s)
        self._has_ended = False
        self._is_gone = False

    def show(self, event: Event) -> None:
        with self._lock:
            self._progress.note(event)
            line = self._lines.line(event)
            if isinstance(event, RunEnded):
                self._end()
            else:
                self._say(
                    event.at, self._painted(harmless(line, self._signs.encoding), word_of(event))
                )
        if isinstance(event, RunStarted):
            self._tell_cached(event)
            if event.workers:
                self._ticker.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._end()
        self._ticker.stop()

    def _tell_cached(self, start: RunStarted) -> None:
        """One line per spec about what need not run."""
        done = 0
        width = len(str(self._progress.total))
        for spec in start.specs:
            done += spec.cached
            if spec.cached:
                count = f" {self._signs.times}{spec.cached}" if spec.total > 1 else ""
                line = f"[{done:>{width}}/{self._progress.total}] cached  {spec.name}{count}"
                with self._lock:
                    self._say(start.at, self._painted(line, "cached"))

    def _look(self) -> float | None:
        """Say that the run is alive, if it has been silent for long; when to look again."""
        with self._lock:
            silent_s = time.monotonic() - self._last_line
            if silent_s < self._silence_s:
                return self._silence_s - silent_s
            progress = self._progress
            words = [f"{progress.ended}/{progress.total} done"]
            words.append(f"{len(progress.running)} running")
            if failed := progress.count("failed", "killed"):
                words.append(f"{failed} failed")
            if (eta_s := progress.eta_s(time.time())) is not None:
                words.append(f"ETA ~{clock(eta_s)}")
            self._say(time.time(), ", ".join(words))
            return self._silence_s

    def _painted(self, line: str, word: str) -> str:
        state = SHOWN_STATES.get(_STATES.get(word, word))
        if state is None or not self._has_colours:
            return line
        shown = as_text([(Span(word, state.colour),)], has_colours=True).rstrip("\n")
        return line.replace(f"] {word}", f"] {shown}", 1)

    def _say(self, at: float, line: str) -> None:
        began = self._progress.start.at if self._progress.start else at
        self._write(f"{clock(at - began)} {line}\n")
        self._last_line = time.monotonic()

    def _end(self) -> None:
        if not self._has_ended and self._progress.has_outcome:
            self._has_ended = True
            lines = summary_picture(self._progress, _WIDTH, self._signs, has_boxes=False)
            self._write(as_text(lines, has_colours=self._has_colours))

    def _write(self, text: str) -> None:
        """One call per line: what others write meanwhile stands before it or after it."""
        if self._is_gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._is_gone = True  # nobody reads any more; the run goes on
