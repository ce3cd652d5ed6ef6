"""The words, icons and colours of states: the same in graphs, runs, tables and pages."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from stores import TaskState
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ShownState:
    """How a state is shown.

    Attributes:
        word: What it is called; the words of `TaskState`, and `cached`, `skipped`.
        icon: One cell wide.
        ascii_icon: The same for a terminal without Unicode.
        colour: A style of rich; never the only sign, the icon or the word stands beside it.
    """

    word: str
    icon: str
    ascii_icon: str
    colour: str


_WORST_FIRST: Final = (
    ShownState("failed", "✖", "x", "red"),
    ShownState("killed", "✖", "x", "red"),
    ShownState("skipped", "⊘", "/", "magenta"),
    ShownState("running", "▶", ">", "yellow"),
    ShownState("pending", "◌", ".", "dim"),
    ShownState("finished", "✔", "+", "green"),
    ShownState("cached", "≡", "=", "cyan"),
)

SHOWN_STATES: Final = MappingProxyType({each.word: each for each in _WORST_FIRST})
"""Every state by its word, the worst first."""

_OTHER_WORDS: Final = {
    TaskState.SCHEDULED.value: "pending",
    TaskState.UPSTREAM_FAILED.value: "skipped",
    TaskState.SAVED.value: "finished",
}


def shown_state(state: str) -> ShownState:
    """How a state is shown, of which the word or the value of the `TaskState` is given.

    Raises:
        KeyError: there is no such state.
    """
    return SHOWN_STATES[_OTHER_WORDS.get(state, state)]


def worst(words: Iterable[str]) -> str | None:
    """The word of the state that needs most attention; None if there is none at all."""
    present = set(words)
    return next((word for word in SHOWN_STATES if word in present), None)
