"""In which order do rows stand? By several columns; what is missing, or is NaN, comes last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from flowlib.result_columns import SortKey
from flowlib.result_groups import Spread
from stores.cells import Row

_NUMBERS, _TRUTHS, _TEXTS, _OTHERS, _NONE, _NAN, _MISSING = range(7)
_RANKS: Final = range(_MISSING + 1)


def ordered(rows: Iterable[Row], keys: Sequence[SortKey]) -> list[Row]:
    """The rows by their keys, the first counts most; equal ones keep their order.

    In either direction numbers come before True and False, those before words, then all else;
    None, NaN and what is missing come last.
    """
    found = list(rows)
    for key in reversed(keys):
        found = _by(found, key)
    return found


def comparable(row: Row, name: str) -> tuple[int, Any]:
    """What a cell is compared by: its kind, and within the kind its value."""
    if name not in row:
        return _MISSING, 0
    value = row[name]
    if isinstance(value, Spread):
        value = value.mean
    if value is None:
        return _NONE, 0
    if isinstance(value, bool):
        return _TRUTHS, value
    if isinstance(value, datetime):
        return _NUMBERS, value.timestamp()
    if isinstance(value, (int, float)):
        return (_NUMBERS, value) if value == value else (_NAN, 0)
    return (_TEXTS, value) if isinstance(value, str) else (_OTHERS, repr(value))


def _by(rows: Iterable[Row], key: SortKey) -> list[Row]:
    kinds: list[list[tuple[Any, Row]]] = [[] for _ in _RANKS]
    for row in rows:
        rank, value = comparable(row, key.name)
        kinds[rank].append((value, row))
    return [
        row
        for kind in kinds
        for _, row in sorted(kind, key=lambda pair: pair[0], reverse=key.is_descending)
    ]
