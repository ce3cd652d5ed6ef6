"""Which characters are pictures made of, with Unicode and without?"""

from __future__ import annotations

from typing import Final

from flowlib.vocabulary import shown_state
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a picture.

    Attributes:
        is_ascii: Whether the icons of states are the ASCII ones.
        done: A piece of a bar whose tasks have ended.
        running: A piece of a bar whose tasks run.
        pending: A piece of a bar whose tasks have not begun.
        more: Stands for what was left out.
        dot: Separates words.
        times: Before a number of equal things.
        here: Marks the line that raised.
        box: Corners and sides: top left, top right, bottom left, bottom right, level, upright.
    """

    is_ascii: bool
    done: str
    running: str
    pending: str
    more: str
    dot: str
    times: str
    here: str
    box: tuple[str, str, str, str, str, str]

    @property
    def encoding(self) -> str:
        """What the text of users must be told in."""
        return "ascii" if self.is_ascii else "utf-8"

    def icon(self, word: str) -> str:
        """The icon of a state."""
        state = shown_state(word)
        return state.ascii_icon if self.is_ascii else state.icon

    @classmethod
    def of(cls, *, has_unicode: bool) -> Signs:
        """The characters for a stream that can encode Unicode, or cannot."""
        return UNICODE_SIGNS if has_unicode else ASCII_SIGNS


UNICODE_SIGNS: Final = Signs(
    False, "━", "╍", "─", "…", "·", "×", "❱", ("╭", "╮", "╰", "╯", "─", "│")
)
ASCII_SIGNS: Final = Signs(
    True, "#", ">", ".", "...", "|", "x", ">", ("+", "+", "+", "+", "-", "|")
)
