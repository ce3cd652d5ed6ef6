"""Which selectors does a command get, if `-` means those that stand in stdin?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from flowlib import NothingSelected

STDIN: Final = "-"


def selectors_from(words: Sequence[str]) -> list[str]:
    """The selectors of a command line; `-` stands for the lines of stdin.

    Raises:
        NothingSelected: stdin was asked for and has none; without them all would be meant.
    """
    found: list[str] = []
    for word in words:
        if word != STDIN:
            found.append(word)
            continue
        lines = [line.strip() for line in sys.stdin]
        found += [line for line in lines if line]
        if not any(lines):
            raise NothingSelected("there are no ids in stdin")
    return found
