"""What is the mean of rows that differ in a seed only, and how far do they lie apart?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from stores import Unencodable, canonical
from stores.cells import Column, Grid, Row
from stores.lazy_dataclass import dataclass

_COUNT: Final = "rows"
_DIGITS: Final = 12
"""More decimals than this are noise."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of several numbers.

    Attributes:
        mean: NaN if one of them is.
        std: Of the sample (divided by one less than their number); None for a single one.
        count: How many there are.
        total: How many records there are; those without a number add nothing to the mean.
    """

    mean: float
    std: float | None
    count: int
    total: int

    @classmethod
    def of(cls, numbers: Sequence[float], total: int) -> Spread:
        """The mean and the standard deviation of one number or more."""
        count = len(numbers)
        if not all(map(math.isfinite, numbers)):
            mean = sum(numbers) / count  # NaN, or infinite
            return cls(mean, None if count == 1 else math.nan, count, total)
        if min(numbers) == max(numbers):
            return cls(numbers[0], None if count == 1 else 0.0, count, total)
        mean = math.fsum(each / count for each in numbers)
        widest = max(abs(each - mean) for each in numbers)
        if math.isinf(widest):
            return cls(mean, widest, count, total)
        squares = math.fsum(((each - mean) / widest) ** 2 for each in numbers)
        return cls(mean, widest * math.sqrt(squares / (count - 1)), count, total)

    def __str__(self) -> str:
        missing = "" if self.count == self.total else f" ({self.count} of {self.total})"
        return f"{self._numbers()}{missing}"

    def _numbers(self) -> str:
        if self.std is None:
            return f"{self.mean:.6g}"
        if not (math.isfinite(self.std) and math.isfinite(self.mean)):
            return f"{self.mean:.6g} ± {self.std:.2g}"
        if self.std == 0:
            return f"{self.mean:.6g} ± 0"
        decimals = 1 - math.floor(math.log10(self.std))
        if abs(self.mean) >= 1e12 or decimals > _DIGITS:
            return f"{self.mean:.6g} ± {self.std:.2g}"
        return f"{self.mean:.{max(0, decimals)}f} ± {self.std:.{max(0, decimals)}f}"


def grouped(grid: Grid, keys: Sequence[str]) -> Grid:
    """A row for all rows that agree in some columns, in the order of the first of each.

    Numbers become their mean with its spread, words stay if all of a group agree, the last of the
    times counts; the column `rows` tells how many a row stands for.

    Args:
        grid: The table.
        keys: Names of columns.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in grid.rows:
        groups.setdefault(tuple(_mark(row, name) for name in keys), []).append(row)
    kept = [each for each in grid.columns if each.name in keys]
    measured = [each for each in grid.columns if each.kind in ("value", "time")]
    name = _COUNT
    while any(name == each.name for each in (*kept, *measured)):
        name = f"count.{name}"
    rows = [
        {
            **{each.name: members[0][each.name] for each in kept if each.name in members[0]},
            name: len(members),
            **_measures(members, measured),
        }
        for members in groups.values()
    ]
    found = [each for each in measured if any(each.name in row for row in rows)]
    return Grid((*kept, Column(name, "count"), *found), tuple(rows))


def _measures(members: Sequence[Row], measured: Iterable[Column]) -> Row:
    row: Row = {}
    for column in measured:
        values = [member[column.name] for member in members if column.name in member]
        if column.name == "ended":
            row |= {column.name: max(values)} if values else {}
        elif numbers := _numbers(values):
            row[column.name] = Spread.of(numbers, len(members))
        elif len(values) == len(members) and all(each == values[0] for each in values):
            row[column.name] = values[0]
    return row


def _numbers(values: Iterable[object]) -> list[float]:
    found = []
    for each in values:
        if isinstance(each, (int, float)) and not isinstance(each, bool):
            try:
                found.append(float(each))
            except OverflowError:
                found.append(math.inf if each > 0 else -math.inf)
    return found


def _mark(row: Row, name: str) -> object:
    """Equal for cells that hold the same, types included."""
    if name not in row:
        return None
    value = row[name]
    kind = type(value)
    if kind in (int, str, bool):
        return kind, value
    try:
        return kind, canonical.encode(value)
    except Unencodable:  # a value of the user's that was read from a record
        return kind, repr(value)
