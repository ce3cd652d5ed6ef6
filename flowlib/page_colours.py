"""Which colours can be read on a white page and on a dark one?"""

from __future__ import annotations

from typing import Final

from flowlib.vocabulary import shown_state

_COLOURS: Final = {
    "green": "#2b9556", "cyan": "#1f8b9b", "yellow": "#a67c0c", "red": "#d2453d",
    "magenta": "#a957b8", "dim": "#7f858f",
}  # fmt: skip

NO_STATE: Final = "#5b87b8"
"""Of what has not run."""

LINE: Final = "#7f858f"
"""Of lines between tasks."""


def colour_of(word: str | None) -> str:
    """The colour of a state, as pages write it; the icon or the word stands beside it."""
    return NO_STATE if word is None else _COLOURS[shown_state(word).colour]
