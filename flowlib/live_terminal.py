"""May the lines of a stream be drawn anew, and how much room do they have?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Final, TextIO

_NEVER_MOVES: Final = ("dumb", "unknown")
_NO: Final = ("", "0", "false", "no", "off")
_USUAL: Final = (80, 24)


def is_live(stream: TextIO | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `stream` is a terminal that a person looks at.

    FORCE_COLOR says nothing about it: a pipe may get colours, but never codes that move a cursor.

    Args:
        stream: Where pictures would be drawn; None where a process has no stderr.
        environment: The variables of the process.
    """
    try:
        is_terminal = stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
    can_move = environment.get("TERM", "") not in _NEVER_MOVES
    in_ci = environment.get("CI", "").lower() not in _NO
    return is_terminal and can_move and not in_ci


def size_of(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of the terminal behind `stream`, looked up anew each time."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = shutil.get_terminal_size(_USUAL)
    # some terminals do not know their size
    return (columns, lines) if columns > 0 and lines > 0 else _USUAL
