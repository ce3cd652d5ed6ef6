"""Which value does an unquoted word stand for? As the core schema of YAML 1.2 says, everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_NUMBERS: Final[tuple[tuple[re.Pattern[str], Callable[[str], float]], ...]] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _: float("nan")),
)
_LONGEST_INT: Final = 640
"""Characters of the longest number: every Python reads so many digits, whatever its limit is."""


def read_scalar(text: str) -> object:
    """None, a bool, an int, a float or the text itself.

    The rules are those of section 10.3.2 of YAML 1.2.2: `1e-3` is a float, `on` and `2026-01-01`
    are text, `0o17` is 15 and `017` is 17.
    """
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    for pattern, read in _NUMBERS:
        if len(text) <= _LONGEST_INT and pattern.fullmatch(text):
            return read(text)
    return text


def needs_quotes(text: str) -> bool:
    """Whether a text would be read as something else without quotes."""
    return not isinstance(read_scalar(text), str)
