"""How is a cell of a table written: for people, for JSON, for a spreadsheet?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from unicodedata import normalize

from flowlib.age import ago
from flowlib.progress_picture import took
from flowlib.result_groups import Spread
from stores.cells import Column, Row

MISSING: Final = "–"
"""What people see where there is no value; None is a value."""

_FORMULAS: Final = frozenset("=+-@\t\r\n")
"""With what a formula begins, for programs that show a CSV."""

_TITLES: Final = {"duration_s": "time", "ended": "when"}
_PARTS: Final = ("mean", "std", "count")


def title_of(column: Column) -> str:
    """What stands above a column."""
    return _TITLES.get(column.name, column.name)


def cell_text(column: Column, row: Row, now: float) -> str:
    """A cell for people; configs exactly, results with six digits.

    Args:
        column: Of the cell.
        row: Of the cell.
        now: Unix time, for how long ago something was.
    """
    if column.name not in row:
        return MISSING
    value = row[column.name]
    if column.kind == "time":
        return _time_text(value, now)
    if isinstance(value, float) and column.kind == "value":
        return f"{value:.6g}"
    return str(value)


def is_number(value: object) -> bool:
    """Whether a cell stands to the right."""
    return isinstance(value, (int, float, Spread)) and not isinstance(value, bool)


def is_comparable(value: object) -> bool:
    """Whether a cell holds a number that can be the best: no NaN."""
    number = value.mean if isinstance(value, Spread) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return False
    return number == number  # no NaN


def flat(columns: Iterable[Column], rows: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """Names and rows for programs: a mean is three columns, `acc.mean`, `acc.std`, `acc.count`."""
    several = list(columns)
    taken = {each.name for each in several}
    parts: dict[str, tuple[str, ...]] = {}
    names: list[str] = []
    for each in several:
        if any(isinstance(row.get(each.name), Spread) for row in rows):
            parts[each.name] = tuple(_free(f"{each.name}.{part}", taken) for part in _PARTS)
        names += parts.get(each.name, (each.name,))
    return names, [dict(_flat_cells(row, parts, several)) for row in rows]


def as_json(value: Any) -> Any:
    """A cell as plain JSON: times as ISO 8601, `"NaN"`, `"Infinity"`, all else as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _odd_number(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    return str(value)


def for_spreadsheet(value: object) -> object:
    """A cell of a CSV; text that a program would take for a formula gets a `'` before it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if is_number(value) or not (text := str(value)):
        return value
    start = normalize("NFKC", text[:1]) if not text[0].isspace() else text.lstrip(" ")[:1]
    return f"'{text}" if start in _FORMULAS else text


def _time_text(value: object, now: float) -> str:
    if isinstance(value, datetime):
        return ago(now - value.timestamp())
    if isinstance(value, Spread):
        several = "" if value.std is None else f" ± {took(value.std)}"
        return f"{took(value.mean)}{several}"
    return took(value) if isinstance(value, (int, float)) else str(value)


def _odd_number(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _flat_cells(
    row: Row, parts: Mapping[str, tuple[str, ...]], columns: Iterable[Column]
) -> Iterator[tuple[str, object]]:
    for each in columns:
        value = row.get(each.name)
        if isinstance(value, Spread):
            cells = zip(parts[each.name], (value.mean, value.std, value.count), strict=True)
            yield from ((name, cell) for name, cell in cells if cell is not None)
        elif each.name in row:
            yield parts.get(each.name, (each.name,))[0], value


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name}_"
    taken.add(name)
    return name
