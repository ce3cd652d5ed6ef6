"""Nothing while a run goes on, and at its end on stderr how it went."""

from __future__ import annotations

import contextlib
import sys
from types import TracebackType
from typing import Final, TextIO

from flowlib.console_lines import as_text
from flowlib.events import Event
from flowlib.run_progress import RunProgress
from flowlib.run_summary import summary_picture
from flowlib.signs import Signs
from flowlib.terminal import shows_colour, shows_unicode
from flowlib.view import View

_WIDTH: Final = 100


class EndView(View):
    """Writes failures and the last line.

    Args:
        stream: Where to; None is stderr.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._progress = RunProgress()

    def show(self, event: Event) -> None:
        self._progress.note(event)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._progress.has_outcome:
            return
        signs = Signs.of(has_unicode=shows_unicode(self._stream))
        lines = summary_picture(self._progress, _WIDTH, signs, has_boxes=False, is_short=True)
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            self._stream.write(as_text(lines, has_colours=shows_colour(self._stream)))
            self._stream.flush()
