"""
A few lines that stay at the bottom of a terminal, below all that is written meanwhile.

The cursor stands at the beginning of the line below them. What a program writes goes to the
terminal at once and as it is: the first piece of text takes the lines away, the next `draw` puts
them below. While a line is unfinished (a question, a progress bar of the user's) there are none.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Final, TextIO

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"


class Footer:
    """The lines of one terminal.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: tuple[str, ...] = ()
        self._is_mid_line = False
        self._asked = 0
        self.lock = threading.RLock()

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines instead of those before; they are no wider than the terminal."""
        with self.lock:
            if self._is_mid_line or self._asked or tuple(lines) == self._lines:
                return
            text = "".join(f"{line}\n" for line in lines)
            self._send(f"{_HIDE_CURSOR}{self._taken_away()}{text}")
            self._lines = tuple(lines)

    def write(self, stream: TextIO, text: str) -> int:
        """Write the text of somebody else above the lines.

        Args:
            stream: Leads to the same terminal.
            text: Goes there as it is.
        """
        with self.lock:
            self.clear()
            written = stream.write(text)
            stream.flush()
            shown = _ESCAPES.sub("", text)
            if shown:
                self._is_mid_line = not shown.endswith("\n")
            return written

    def say(self, text: str) -> None:
        """Write lines of one's own above the lines, from the start of a line."""
        with self.lock:
            self.clear()
            self._send("\n" * self._is_mid_line + text)
            self._is_mid_line = False

    def clear(self) -> None:
        """Take the lines away; the terminal is as if there had been none."""
        with self.lock:
            if self._lines:
                self._send(f"{self._taken_away()}{_SHOW_CURSOR}")
                self._lines = ()

    def pause(self) -> None:
        """Stay away until as many calls of `resume`: somebody is asked a question."""
        with self.lock:
            self.clear()
            self._asked += 1

    def resume(self, *, is_mid_line: bool) -> None:
        """The question was answered, by a line that has ended, or not if it was interrupted."""
        with self.lock:
            self._asked -= 1
            self._is_mid_line = is_mid_line

    def _taken_away(self) -> str:
        return f"\r\x1b[{len(self._lines)}A\x1b[J" if self._lines else ""

    def _send(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._lines = ()  # the terminal is gone; the run goes on
