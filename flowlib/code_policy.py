"""What is done with results whose code was changed since? The choices, and who decides."""

from __future__ import annotations

from enum import Enum
from typing import Final

from flowlib.errors import SpecError, nearest


class OnCodeChange(Enum):
    """What becomes of a result that other code has made; the values are what users write."""

    WARN = "warn"  # it is used, and one line tells of it
    RERUN = "rerun"  # it is computed again
    IGNORE = "ignore"  # it is used
    ERROR = "error"  # nothing is run at all


WORDS: Final = tuple(each.value for each in OnCodeChange)


def code_policy_of(spec: str, given: object) -> OnCodeChange | None:
    """What the option `on_code_change` of a spec means; None where it has none of its own.

    Raises:
        SpecError: it is another word.
    """
    if given is None:
        return None
    if given not in WORDS:
        raise SpecError(f"{spec}: {wrong_policy(given)}")
    return OnCodeChange(given)


def checked_code_policy(given: object) -> OnCodeChange | None:
    """What the argument `on_code_change` of a call means; None where it is not given.

    Raises:
        ValueError: it is another word.
    """
    if given is None:
        return None
    if given not in WORDS:
        raise ValueError(wrong_policy(given))
    return OnCodeChange(given)


def wrong_policy(given: object) -> str:
    """What is wrong with a word."""
    listed = ", ".join(repr(word) for word in WORDS)
    return f"on_code_change is one of {listed}, not {given!r}.{nearest(str(given), WORDS)}"
