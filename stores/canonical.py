"""
What is the one text of a value? Typed, injective, the same in every process and on every machine.

The text is compact JSON with sorted keys, ASCII only. What JSON has no type for is an object with
a single key that begins with `$`:

    (1, 2)        {"$tuple":[1,2]}                {1, 2}   {"$set":[1,2]}, sorted by text
    {1: 2}        {"$dict":[[1,2]]}               b"a"     {"$bytes":"YQ=="}
    nan           {"$float":"nan"}                Path(p)  {"$path":"p"}
    Color.RED     {"$enum":["m:Color","RED"]}     int      {"$type":"builtins:int"}

and so on; dicts with keys that are no strings, or that begin with `$`, are written as `$dict`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from stores.errors import Unencodable

VERSION: Final = 1
"""Version of the encoding; a text of another version is another text."""

Writer = Callable[[Any, list[str], str], None]

_DEEPEST: Final = 200
"""Values nested deeper than this are taken for circular."""


def encode(value: object, path: str = "") -> str:
    """The canonical text of `value`. It is not changed, and no iterator is consumed.

    Args:
        value: Anything made of the types above.
        path: What to call the value in an error.

    Raises:
        Unencodable: some part has no text that is the same in every process; the message
            names its path and the cure.
    """
    parts: list[str] = []
    try:
        _write(value, parts, path)
    except RecursionError:
        raise Unencodable(
            f"{path or 'the value'} is nested too deeply or contains itself"
        ) from None
    return "".join(parts)


def digest(text: str) -> str:
    """BLAKE2b-128 of a text, as 32 hexadecimal digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _write(value: Any, parts: list[str], path: str) -> None:
    writer = _WRITERS.get(type(value))
    if writer is not None:
        writer(value, parts, path)
    else:
        from stores.canonical_types import write_other  # the rarer types, when they are met

        write_other(value, parts, path, _write)


def _write_str(value: str, parts: list[str], path: str) -> None:
    parts.append(quoted(value))


def _write_int(value: int, parts: list[str], path: str) -> None:
    parts.append(int.__repr__(value))


def _write_float(value: float, parts: list[str], path: str) -> None:
    if math.isfinite(value):
        parts.append(float.__repr__(value))
    else:
        parts.append(f'{{"$float":"{float.__repr__(value)}"}}')


def _write_bool(value: bool, parts: list[str], path: str) -> None:
    parts.append("true" if value else "false")


def _write_none(value: None, parts: list[str], path: str) -> None:
    parts.append("null")


def _write_list(value: list[Any], parts: list[str], path: str) -> None:
    parts.append("[")
    write_items(value, parts, path)
    parts.append("]")


def _write_tuple(value: tuple[Any, ...], parts: list[str], path: str) -> None:
    parts.append('{"$tuple":[')
    write_items(value, parts, path)
    parts.append("]}")


def write_items(values: Iterable[Any], parts: list[str], path: str) -> None:
    """The texts of `values`, in order, with commas between them."""
    if path.count("[") > _DEEPEST:
        raise RecursionError
    for index, value in enumerate(values):
        if index:
            parts.append(",")
        writer = _WRITERS.get(type(value), _write)
        writer(value, parts, f"{path}[{index}]")


def _write_dict(value: dict[Any, Any], parts: list[str], path: str) -> None:
    if path.count(".") > _DEEPEST:
        raise RecursionError
    for key in value:
        if type(key) is not str or key[:1] == "$":
            _write_pairs(value, parts, path)
            return
    separator = "{"
    for key in sorted(value):
        parts.append(f"{separator}{quoted(key)}:")
        separator = ","
        item = value[key]
        writer = _WRITERS.get(type(item), _write)
        writer(item, parts, f"{path}.{key}" if path else key)
    parts.append("}" if value else "{}")


def _write_pairs(value: dict[Any, Any], parts: list[str], path: str) -> None:
    pairs = []
    for key, item in value.items():
        inner = f"{path}[{key!r}]"
        pairs.append(f"[{encode(key, inner)},{encode(item, inner)}]")
    parts.append(f'{{"$dict":[{",".join(sorted(pairs))}]}}')


def _write_set(value: set[Any], parts: list[str], path: str) -> None:
    parts.append(f'{{"$set":[{",".join(sorted(encode(each, path) for each in value))}]}}')


def _write_frozenset(value: frozenset[Any], parts: list[str], path: str) -> None:
    parts.append(f'{{"$frozenset":[{",".join(sorted(encode(each, path) for each in value))}]}}')


_WRITERS: Final[dict[type, Writer]] = {
    str: _write_str,
    int: _write_int,
    float: _write_float,
    bool: _write_bool,
    type(None): _write_none,
    list: _write_list,
    tuple: _write_tuple,
    dict: _write_dict,
    set: _write_set,
    frozenset: _write_frozenset,
}


def decode(text: str) -> object:
    """The value of a canonical text. Built-in types come back as they were.

    Values of the user's own types come back as `Opaque`: nothing of the user's is imported.
    """
    from stores.canonical_types import untagged  # needed by readers only

    return untagged(text)


def qualified_name(thing: Any) -> str:
    """`module:qualname` of a class or function; a script counts by its file's stem."""
    from stores.canonical_types import name_of

    return name_of(thing)
