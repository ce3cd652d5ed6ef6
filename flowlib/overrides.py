"""
What does `train.lr=1e-3,1e-4` on the command line change? The grammar of overrides.

    a.b=1            set a value                    a.b=1,2        one of these values per task
    a.b=[1,2]        a list is one value            a.b="1,2"      so is a text in quotes
    @a.b=1,2         advances with other @          a.b=@x.yaml    the content of a file
    +a.b=1           add a key that is not there    ~a.b           delete a key

Words are read as in YAML 1.2: `1e-3` is a float, `on` a text; so is what stands in quotes or
brackets, as in `{depth: 3}`. Anything else is the text that it is. What could mean two things is
refused.
"""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Final

from flowlib.errors import ConfigError
from flowlib.scalars import read_scalar
from flowlib.sources import parse, read_source
from stores.lazy_dataclass import dataclass

_KEY: Final = re.compile(r"[^\s.=,@~+\"'\[\]{}][^\s.=,\"'\[\]{}]*")
_QUOTED: Final = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^']|'')*'""", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""(?<=[\[{,:\s])(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|[\[\]{}]""", re.DOTALL
)
"""A text in quotes, which begin only where a value can, or a bracket."""


class Action(enum.Enum):
    """What is done with the place that an override names."""

    SET = "set"
    ADD = "add"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Override:
    """One change of a document.

    Attributes:
        text: As the user wrote it.
        action: What is done.
        path: The keys that lead to the place; the first names a spec.
        values: The value; several are choices.
        is_zipped: Whether they advance with those of other such overrides.
    """

    text: str
    action: Action
    path: tuple[str, ...]
    values: tuple[object, ...] = ()
    is_zipped: bool = False


def parse_override(text: str) -> Override:
    """The override that a text stands for.

    Raises:
        ConfigError: it is none; the message says what was expected.
    """
    if text.startswith("~"):
        return _deletion(text)
    is_zipped, is_added = text.startswith("@"), text.startswith("+")
    left, equals, right = text[is_zipped or is_added :].partition("=")
    if not equals:
        raise _fault(text, "a value is missing: write key=value, or ~key to delete it")
    path = _path(text, left)
    action = Action.ADD if is_added else Action.SET
    if right.startswith("@"):
        return Override(text, action, path, (_content(text, right[1:]),), is_zipped)
    values = _values(text, right)
    if is_zipped and len(values) < 2:
        raise _fault(text, "@ lets several values advance together; give at least two")
    return Override(text, action, path, values, is_zipped)


def _deletion(text: str) -> Override:
    if "=" in text:
        raise _fault(text, "~ deletes a key; it takes no value")
    return Override(text, Action.DELETE, _path(text, text[1:]))


def _path(text: str, dotted: str) -> tuple[str, ...]:
    path = tuple(dotted.split("."))
    wrong = [key for key in path if not _KEY.fullmatch(key)]
    if wrong:
        raise _fault(text, f"{dotted!r} is no dotted path of keys")
    if len(path) < 2:
        raise _fault(text, f"the first key names a spec: write <spec>.{dotted}=…")
    return path


def _content(text: str, name: str) -> object:
    if not name:
        raise _fault(text, "a file name is expected after @; a text that begins with @ is quoted")
    return read_source(Path(name)).value


def _values(text: str, rest: str) -> tuple[object, ...]:
    """What stands between commas, those in quotes and brackets left alone."""
    values, at = [], 0
    while True:
        rest_at = rest[at:].lstrip()
        at = len(rest) - len(rest_at)
        end = _end(text, rest, at)
        part = rest[at:end].strip()
        if not part:
            raise _fault(text, "a value is empty: write '' for an empty text, null for no value")
        values.append(_value(text, part))
        if end == len(rest):
            return tuple(values)
        if rest[end] != ",":
            raise _fault(text, f"a comma is expected after {part}")
        at = end + 1


def _end(text: str, rest: str, at: int) -> int:
    """Where the value that begins at `at` ends."""
    if rest[at : at + 1] in ("[", "{"):
        end = _end_of_collection(text, rest, at)
    elif rest[at : at + 1] in ('"', "'"):
        quoted = _QUOTED.match(rest, at)
        if quoted is None:
            raise _fault(text, f"a closing {rest[at]} is missing")
        end = quoted.end()
    else:
        return (rest + ",").index(",", at)
    return end + len(rest[end:]) - len(rest[end:].lstrip())


def _end_of_collection(text: str, rest: str, at: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(rest, at):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth == 0:
            return token.end()
    raise _fault(text, f"a closing {']' if rest[at] == '[' else '}'} is missing")


def _value(text: str, part: str) -> object:
    if part[0] not in "[{\"'":
        return read_scalar(part)
    try:
        return parse(part, "value").value
    except ConfigError as error:
        reason = str(error).partition(": ")[2]
        raise _fault(text, f"{part} is no value: {reason}") from None


def _fault(text: str, reason: str) -> ConfigError:
    return ConfigError(f"override {text!r}: {reason}")
