"""What may the value of a setting be? Each kind reads text of a variable and values of a file."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Final

from stores.errors import QueryError
from stores.lazy_dataclass import dataclass
from stores.moments import span

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "WARN", "ERROR", "FATAL", "CRITICAL")
_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting may be.

    Attributes:
        expects: What is allowed, in words.
        read: The value that text, or a value of a TOML file or a call, means. Raises ValueError
            or TypeError if it means none.
    """

    expects: str
    read: Callable[[object], object]


def level_number(level: object) -> int:
    """The number of a level of `logging`.

    Raises:
        ValueError: there is no such level.
    """
    if isinstance(level, str) and level.upper() in LEVELS:
        return int(logging.getLevelName(level.upper()))
    if isinstance(level, int) and not isinstance(level, bool) and 10 <= level <= 50:
        return level
    raise ValueError(
        f"level is one of {', '.join(LEVELS)} or a number from 10 to 50, not {level!r}"
    )


def _level(value: object) -> str | int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    number = level_number(value)
    return value.upper() if isinstance(value, str) else number


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in (*_YES, *_NO):
        return value.lower() in _YES
    raise ValueError(value)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(value)
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = span(value, "a setting")
        except QueryError as error:
            raise ValueError(str(error)) from None
    if not 0 < seconds < math.inf:
        raise ValueError(value)
    return seconds


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(value)
    count = int(value)
    if count < 0:
        raise ValueError(value)
    return count


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(value)
    return value.strip()


def _names(value: object) -> tuple[str, ...]:
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not all(isinstance(each, str) for each in found):
        raise TypeError(value)
    return tuple(each.strip() for each in found if each.strip())


def _stores(value: object) -> tuple[tuple[str, str], ...]:
    """Names and URIs, from a table or from `name=URI,name=URI`."""
    if isinstance(value, str):
        value = dict(each.strip().split("=", 1) for each in value.split(","))
    if not isinstance(value, Mapping):
        raise TypeError(value)
    for name, uri in value.items():
        if not _text(name).isidentifier() or ":" not in _text(uri):
            raise ValueError(value)
    return tuple((name.strip(), uri.strip()) for name, uri in value.items())


def one_of(*words: str) -> Kind:
    """One of some words."""

    def read(value: object) -> object:
        if value not in words:
            raise ValueError(value)
        return value

    return Kind(", ".join(words[:-1]) + f" or {words[-1]}", read)


FLAG: Final = Kind("true or false", _flag)
SECONDS: Final = Kind('seconds above 0, such as 90, or "2m"', _seconds)
COUNT: Final = Kind("a whole number from 0 on", _count)
NAMES: Final = Kind("names between commas, * for any letters", _names)
VIEW: Final = Kind("auto, none or the name of a view", _text)
LEVEL: Final = Kind(f"{', '.join(LEVELS)} or a number from 10 to 50", _level)
STORE: Final = Kind('the URI of a store, such as "file:runs"', _text)
STORES: Final = Kind("a table of names and URIs; name=URI between commas in a variable", _stores)
