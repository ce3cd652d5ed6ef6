"""In which order are rows shown? By any column or parameter; those without a value come last."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.record_list import short
from stores.config_paths import ABSENT

_CHUNK: Final = 5_000
"""So many rows are sorted at once: while Python sorts, no other thread runs."""


def ordered(rows: Sequence[Row], sort: str, stock: Stock, most: int | None) -> Sequence[Row]:
    """Rows in order, those without a value last; no other thread waits long for it.

    Args:
        rows: They.
        sort: id, task, state, time, when, updated, run, or a path of configs; `-` for the largest
            first.
        stock: What is known.
        most: So many of the first are wanted; None for all.
    """
    is_down = sort.startswith("-")
    value = _value_of(sort.removeprefix("-"), stock)

    def rank(row: Row) -> tuple[Any, ...]:
        found = value(row)
        if isinstance(found, (int, float)):
            return 0, _height(found, is_down=is_down), row.task, row.key
        text = found if isinstance(found, tuple) else str(found)
        return 1, _Upside(text) if is_down else text, row.task, row.key

    missing: list[Row] = []

    def there() -> Iterator[Row]:
        for row in rows:
            found = value(row)
            if found is None or found is ABSENT:
                missing.append(row)
            else:
                yield row

    if most is not None:
        picked = heapq.nsmallest(most, there(), key=rank)
        rest = heapq.nsmallest(most - len(picked), missing, key=_last) if missing else []
        return [*picked, *rest]
    found = [*there()]
    return [*sorted_apart(found, rank), *sorted_apart(missing, _last)]


def sorted_apart(found: Sequence[Any], key: Callable[[Any], Any]) -> Iterator[Any]:
    """Any number of things in order, sorted in pieces: no other thread waits long for it."""
    starts = range(0, len(found), _CHUNK)
    pieces = [sorted(found[start : start + _CHUNK], key=key) for start in starts]
    return heapq.merge(*pieces, key=key)


def _last(row: Row) -> tuple[Any, ...]:
    """How rows without a value are sorted: what has no record stands behind all others."""
    return not row.state, row.task, row.key


def _height(number: float, *, is_down: bool) -> float:
    """A number as it is sorted: NaN last, and others upside down if the largest come first."""
    if number != number:
        return math.inf
    return -number if is_down else number


class _Upside:
    """Text, or several, that comes the sooner the later it is in the alphabet."""

    __slots__ = ("text",)

    def __init__(self, text: Any) -> None:
        self.text = text

    def __lt__(self, other: _Upside) -> bool:
        return bool(self.text > other.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Upside) and bool(self.text == other.text)

    __hash__ = None  # type: ignore[assignment]  # only compared


def _value_of(name: str, stock: Stock) -> Callable[[Row], object]:
    known: dict[str, Callable[[Row], object]] = {
        "id": lambda row: (row.task, row.key),
        "task": lambda row: row.task,
        "state": stock.shown,
        "time": lambda row: row.duration_s,
        "when": lambda row: row.when,
        "updated": lambda row: row.updated,
        "run": lambda row: row.run or None,
    }
    return known.get(name) or (lambda row: _comparable(row.value(name)))


def _comparable(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return value if value is None or value is ABSENT else short(value)
    return value
