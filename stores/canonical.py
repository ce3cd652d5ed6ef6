"""
What is the one text of a value? Typed, injective, the same in every process and on every machine.

The text is compact JSON with sorted keys, ASCII only. What JSON has no type for is an object with
a single key that begins with `$`:

    (1, 2)        {"$tuple":[1,2]}                {1, 2}   {"$set":[1,2]}, sorted by text
    {1: 2}        {"$dict":[[1,2]]}               b"a"     {"$bytes":"YQ=="}
    nan           {"$float":"nan"}                Path(p)  {"$path":"p"}
    Color.RED     {"$enum":["m:Color","RED"]}     int      {"$type":"builtins:int"}
    P(x=1)        {"$dataclass":["m:P",{"x":1}]}  f        {"$function":"m:f"}

and so on, see `stores.canonical_types`. A dict with keys that are no strings, or that begin with
`$`, is a `$dict`, so that no dict of a user's looks like a tag. Subclasses of dict, list, str, int
and float count as their base, and the scalars of numpy as Python's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from typing import Any, Final

from stores.canonical_types import Rule, circle_in, name_of, rule_for
from stores.digests import blake2b
from stores.errors import Unencodable
from stores.opaque import Opaque, untag

__all__ = ["VERSION", "Opaque", "decode", "digest", "encode", "qualified_name"]

VERSION: Final = 1
"""Version of the encoding; a text of another version is another text."""

_LONGEST_INT: Final = 640
"""Digits that every Python prints and reads, however `sys.set_int_max_str_digits` is set."""


def encode(value: object, path: str = "") -> str:
    """The canonical text of `value`, which is not changed; no iterator is consumed.

    Costs about a quarter of a microsecond per number or string in it.

    Args:
        value: Anything made of the types above.
        path: What to call the value in an error.

    Raises:
        Unencodable: some part has no text that is the same in every process; the message
            names its path and the cure.
    """
    try:
        return _text(value)
    except Unencodable as error:
        raise error.inside(path) from None
    except RecursionError:
        circle = circle_in(value)
        fault = "is nested too deeply" if circle is None else "contains itself"
        cure = "pass it in additional_kwargs, which are no part of the identity, or make it a tree"
        raise Unencodable(f"{fault}: {cure}", circle or "").inside(path) from None


def digest(text: str) -> str:
    """BLAKE2b-128 of a text, as 32 hexadecimal digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def decode(text: str) -> object:
    """The value of a canonical text. Built-in types come back as they were.

    Values of other types come back as `Opaque`, which has the same text: nothing of the user's
    is imported.
    """
    return json.loads(text, object_hook=untag)


def qualified_name(thing: Any) -> str:
    """`module:qualname` of a class or function; a script counts by its file's stem."""
    return name_of(thing)


def _text(value: Any) -> str:
    return _WRITERS.get(type(value), _other_text)(value)


def _other_text(value: Any) -> str:
    kind: Any = type(value)
    tag, head, content = _rule_for(kind)(value)
    text = _text(content)
    if head:
        text = f"[{quoted(head)},{text}]"
    return f'{{"${tag}":{text}}}' if tag else text


@lru_cache(maxsize=1024)
def _rule_for(kind: Any) -> Rule:
    return rule_for(kind)


def _str_text(value: str) -> str:
    if value.isascii() or _is_unicode(value):
        return quoted(value)
    return f'{{"$str":[{",".join([str(ord(each)) for each in value])}]}}'


def _is_unicode(value: str) -> bool:
    """Whether JSON keeps a string: half of a pair that stands alone would join its neighbour."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _int_text(value: int) -> str:
    try:
        text = repr(value)
    except ValueError:  # longer than this process wants to print
        text = ""
    return text if 0 < len(text) <= _LONGEST_INT else f'{{"$int":"{value:x}"}}'


def _float_text(value: float) -> str:
    return repr(value) if isfinite(value) else f'{{"$float":"{value!r}"}}'


def _bool_text(value: bool) -> str:
    return "true" if value else "false"


def _none_text(value: None) -> str:
    return "null"


def _items_text(values: Iterable[Any]) -> str:
    parts: list[str] = []
    writers = _WRITERS
    try:
        for value in values:
            parts.append(writers.get(type(value), _other_text)(value))  # noqa: PERF401  # counted
    except Unencodable as error:
        raise error.inside(f"[{len(parts)}]") from None
    return ",".join(parts)


def _list_text(value: list[Any]) -> str:
    return f"[{_items_text(value)}]"


def _tuple_text(value: tuple[Any, ...]) -> str:
    return f'{{"$tuple":[{_items_text(value)}]}}'


def _set_text(value: set[Any]) -> str:
    return f'{{"$set":[{",".join(sorted(map(_text, value)))}]}}'


def _frozenset_text(value: frozenset[Any]) -> str:
    return f'{{"$frozenset":[{",".join(sorted(map(_text, value)))}]}}'


def _dict_text(value: dict[Any, Any]) -> str:
    for key in value:
        if type(key) is not str or key[:1] == "$" or not (key.isascii() or _is_unicode(key)):
            return _unusual_dict_text(value)
    parts: list[str] = []
    writers = _WRITERS
    key = ""
    try:
        for key in sorted(value):
            item = value[key]
            parts.append(f"{quoted(key)}:{writers.get(type(item), _other_text)(item)}")
    except Unencodable as error:
        raise error.inside(f".{key}") from None
    return "{" + ",".join(parts) + "}"


def _unusual_dict_text(value: dict[Any, Any]) -> str:
    """A dict whose keys are not all plain names; keys derived from `str` count as plain."""
    pairs: list[tuple[str, str]] = []
    for key, item in value.items():
        try:
            pairs.append((_text(key), _text(item)))
        except Unencodable as error:
            raise error.inside(f"[{key!r}]") from None
    if len({key for key, _ in pairs if key[0] == '"' and key[1] != "$"}) == len(pairs):
        named = sorted((json.loads(key), key, item) for key, item in pairs)
        return "{" + ",".join([f"{key}:{item}" for _, key, item in named]) + "}"
    return f'{{"$dict":[{",".join(sorted([f"[{key},{item}]" for key, item in pairs]))}]}}'


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    str: _str_text,
    int: _int_text,
    float: _float_text,
    bool: _bool_text,
    type(None): _none_text,
    list: _list_text,
    tuple: _tuple_text,
    dict: _dict_text,
    set: _set_text,
    frozenset: _frozenset_text,
}
