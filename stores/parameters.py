"""The parameters of a config as short texts that an index can find: `model.depth=3`."""

from __future__ import annotations

import json
from typing import Final

from stores.canonical import digest, encode

_LONGEST: Final = 200
"""Longer values are found by their digest."""


def parameters_of(config: str) -> list[str]:
    """All parameters of a config, those inside of dicts by dotted paths.

    Args:
        config: Canonical text, as in `Identity`.
    """
    found: list[str] = []
    _collect(json.loads(config), "", found)
    return found


def parameter(path: str, value: object) -> str:
    """The text of one parameter with one value; equal exactly if path and typed value are."""
    return _text(path, encode(value))


def _collect(value: object, path: str, found: list[str]) -> None:
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        inner = f"{path}.{name}" if path else name
        text = json.dumps(item, sort_keys=True, separators=(",", ":"))
        found.append(_text(inner, text))
        _collect(item, inner, found)


def _text(path: str, canonical: str) -> str:
    whole = f"{path}={canonical}".encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= _LONGEST else f"{path[:_LONGEST]}#{digest(whole)}"
