"""The parameters of a config as short texts that an index can find: `model.depth=3`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stores.canonical import decode, digest
from stores.config_paths import nodes, same_text
from stores.query import Condition

_LONGEST: Final = 200
"""Longer values are found by their digest."""


def parameters_of(config: str) -> list[str]:
    """All parameters of a config, those inside of dicts by dotted paths.

    Args:
        config: Canonical text, as in `Identity`.
    """
    return sorted({_text(path, same_text(value)) for path, value in nodes(decode(config))})


def choices(condition: Condition, is_task: Callable[[str], bool]) -> list[str] | None:
    """The parameters of which a record that fits has one; None if they cannot tell.

    Args:
        condition: What a query asks for.
        is_task: Whether there are records of a task: `Load.n` is found in upstream configs, too.
    """
    path = condition.path if isinstance(condition.path, str) else ".".join(condition.path)
    first, dot, _ = path.partition(".")
    if condition.texts is None or any(step.isdecimal() for step in path.split(".")):
        return None
    if dot and is_task(first):
        return None
    return [_text(path, text) for text in sorted(condition.texts)]


def beginning(condition: Condition) -> str:
    """How all parameters at the path of a condition begin, unless it is very long."""
    path = condition.path if isinstance(condition.path, str) else ".".join(condition.path)
    return _encodable(path)[:_LONGEST]


def _text(path: str, value: str) -> str:
    whole = _encodable(f"{path}={value}")
    return whole if len(whole) <= _LONGEST else f"{_encodable(path)[:_LONGEST]}#{digest(whole)}"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
