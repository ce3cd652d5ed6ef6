"""
What stands at `model.depth` in a config, and is it the value that is asked for?

Each step of a path is a key of a dict (or of a dataclass, as far as its text tells), or the index
of a list. A key that holds a dot is found, too: the longest key that fits is tried first, and a
tuple of steps, `("a.b", "c")`, leaves no doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stores.canonical import Opaque, encode

Path = str | tuple[str, ...]

ABSENT: Final = object()
"""What stands at a path that leads nowhere."""


def value_at(config: object, path: Path) -> object:
    """What stands at a path; ABSENT if it leads nowhere."""
    steps = path if isinstance(path, tuple) else tuple(path.split("."))
    for length in (1,) if isinstance(path, tuple) else range(len(steps), 0, -1):
        inner = _step(config, ".".join(steps[:length]))
        if inner is not ABSENT:
            rest = steps[length:]
            kept: Path = rest if isinstance(path, tuple) else ".".join(rest)
            found = value_at(inner, kept) if rest else inner
            if found is not ABSENT:
                return found
    return ABSENT


def leaves(config: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """The dotted paths of all values that are no dicts with keys; an empty dict is a value."""
    inner = _fields(config)
    if not inner:
        if prefix:
            yield prefix, config
        return
    for key, value in inner.items():
        yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))


def leaf_steps(
    config: object, steps: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], object]]:
    """All values that are no dicts with keys, with the keys that lead there; {} itself has none."""
    inner = _fields(config)
    if not inner:
        if steps or inner is None:
            yield steps, config
        return
    for key, value in inner.items():
        yield from leaf_steps(value, (*steps, key))


def nodes(config: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """The dotted paths of all values, also of dicts; items of lists have none here."""
    for key, value in (_fields(config) or {}).items():
        path = f"{prefix}.{key}" if prefix else str(key)
        yield path, value
        yield from nodes(value, path)


def same_text(value: object) -> str:
    """A text that two values share when a query takes them for the same.

    It is the canonical text, but a float that is a whole number counts as an int: who looks for
    1 finds 1.0. `True` is no number.
    """
    return encode(_loosened(value))


def shown(path: Path) -> str:
    """A path as text, for errors."""
    return path if isinstance(path, str) else ".".join(path)


def _step(value: object, step: str) -> object:
    fields = _fields(value)
    if fields is not None:
        if step in fields:
            return fields[step]
        return next((inner for key, inner in fields.items() if str(key) == step), ABSENT)
    if isinstance(value, (list, tuple)) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return ABSENT


def _fields(value: object) -> Mapping[Any, Any] | None:
    """The keys and values of a dict, or of an object whose text holds its name and its fields."""
    if isinstance(value, Mapping):
        return value
    content = value.content if isinstance(value, Opaque) else None
    if isinstance(content, list) and len(content) == 2 and isinstance(content[1], dict):
        return content[1]
    return None


def _loosened(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind in (list, tuple, set, frozenset):
        return kind(map(_loosened, value))
    if kind is dict:
        return {key: _loosened(inner) for key, inner in value.items()}
    return value
