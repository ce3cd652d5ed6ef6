"""What do the tags of a canonical text stand for? Values of built-in types, and names of others."""

from __future__ import annotations

import base64
import datetime
import importlib
import pathlib
import re
from collections.abc import Callable
from typing import Any, Final

from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value of a type that is not rebuilt when a text is read.

    Attributes:
        kind: The tag without its `$`: "enum", "dataclass", "ndarray", …
        content: What the text holds, read as far as it is made of built-in types.
    """

    kind: str
    content: object

    def __hash__(self) -> int:
        return hash(self.kind)  # the content may be a list or a dict


def untag(found: dict[str, Any]) -> object:
    """The value of one object of a canonical text, whose parts were read already."""
    if len(found) == 1:
        [(key, content)] = found.items()
        if key[:1] == "$":
            try:
                return _READERS[key[1:]](content)
            except (KeyError, TypeError, ValueError, ArithmeticError):
                return Opaque(key[1:], content)
    return found


def _clock(kind: type[Any]) -> Callable[[Any], object]:
    """A reader for times of day; the second of two equal hours is a pair."""

    def read(content: Any) -> object:
        text, fold = content if isinstance(content, list) else (content, 0)
        return kind.fromisoformat(text).replace(fold=fold)

    return read


def _imported(module: str) -> Any:
    """A module whose values are seldom in a config, and which takes long to load."""
    return importlib.import_module(module)


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "int": lambda digits: int(digits, 16),
    "float": float,
    "str": lambda points: "".join(map(chr, points)),
    "bytes": base64.b64decode,
    "bytearray": lambda text: bytearray(base64.b64decode(text)),
    "complex": lambda parts: complex(*parts),
    "range": lambda parts: range(*parts),
    "slice": lambda parts: slice(*parts),
    "path": pathlib.Path,
    "pattern": lambda parts: re.compile(*parts),
    "datetime": _clock(datetime.datetime),
    "date": datetime.date.fromisoformat,
    "time": _clock(datetime.time),
    "timedelta": lambda parts: datetime.timedelta(*parts),
    "decimal": lambda text: _imported("decimal").Decimal(text),
    "fraction": lambda text: _imported("fractions").Fraction(text),
    "uuid": lambda text: _imported("uuid").UUID(text),
}

TAGS: Final = frozenset(_READERS)
"""The kinds of values that `untag` makes, as tags without their `$`."""
