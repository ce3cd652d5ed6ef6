"""How do rows of results become lines from axis to axis? Scales and rungs; no picture yet."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

from flowlib.console_text import elided, harmless
from flowlib.result_columns import SortKey, find_column, worth_showing
from flowlib.result_groups import Spread
from flowlib.result_order import comparable, ordered
from stores.cells import Column, Grid, Row, constants
from stores.lazy_dataclass import dataclass

MOST_ROWS: Final = 2000
"""More lines are no picture; the best are shown, and the page says so."""

NONE_HEIGHT: Final = -0.12
"""Where lines pass that have no value: on a rung of its own, below the axis."""

_MOST_AXES: Final = 20
_MOST_RUNGS_OF_NUMBERS: Final = 8
_MOST_TICKS: Final = 24
_LOG_FROM: Final = 50.0
"""Positive numbers whose largest is more than so many times the smallest have a log axis."""

_LONGEST_TICK: Final = 18
_STEPS: Final = 4
_CLOSE: Final = 0.05

Scale = Literal["linear", "log", "rungs"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One column as an upright axis.

    Attributes:
        name: Of the column.
        scale: How values become heights.
        heights: For each row, from 0 to 1; `NONE_HEIGHT` for None, NaN, infinite and missing ones.
        ticks: Heights and what is written there.
    """

    name: str
    scale: Scale
    heights: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Rows as lines.

    Attributes:
        axes: From left to right; the last is that of the metric.
        rows: The rows that are drawn, the best first.
        columns: What a table of these rows shows.
        notices: What is left out, in words.
        is_best_high: Whether the largest number of the metric is the best.
    """

    axes: tuple[Axis, ...]
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    notices: tuple[str, ...]
    is_best_high: bool


def coordinates_of(
    grid: Grid, tasks: Collection[str], metric: str | None = None, mode: str = "max"
) -> Coordinates:
    """The lines of a table: configs that vary, results that vary, at last the metric.

    Args:
        grid: The table.
        tasks: The tasks whose results these are.
        metric: The column that lines are coloured by; None is the first result that varies.
        mode: "max" if the largest is the best, "min" if the smallest is.

    Raises:
        ColumnUnknown: there is no such column.
        ValueError: `mode` is neither "max" nor "min".
    """
    if mode not in ("max", "min"):
        raise ValueError(f'mode is "max" or "min", not {mode!r}')
    rows: Sequence[Row] = grid.rows
    dropped = constants(grid.columns, rows)
    columns = worth_showing([e for e in grid.columns if e.name not in dropped], rows, tasks)
    last = _metric(grid) if metric is None else find_column(grid.columns, metric, tasks)
    if last is not None:
        rows = ordered(rows, [SortKey(last, is_descending=mode == "max")])
    notices = []
    if len(rows) > MOST_ROWS:
        by = f" by {last} ({mode})" if last else ""
        notices.append(f"{len(rows):,} rows: the best {MOST_ROWS:,}{by} are shown")
        rows = rows[:MOST_ROWS]
    names = [name for name in _varying(columns, grid.rows) if name != last]
    if len(names) > _MOST_AXES:
        notices.append(f"{len(names) - _MOST_AXES} more columns stand in the table only")
    axes = [axis_of(name, rows) for name in [*names[:_MOST_AXES], *([last] if last else [])]]
    return Coordinates(tuple(axes), tuple(rows), columns, tuple(notices), mode == "max")


def axis_of(name: str, rows: Sequence[Row]) -> Axis:
    """The axis of a column.

    Numbers have a scale, logarithmic where they are positive and lie far apart; words, and
    numbers of which there are few, have rungs.
    """
    values = [_value(row, name) for row in rows]
    present = [each for each in values if each is not None]
    numbers = [*_numbers(present)]
    scale: Scale = "rungs"
    if len(numbers) < len(present) or len(set(numbers)) <= _MOST_RUNGS_OF_NUMBERS:
        heights, ticks = _rungs(name, rows, values)
    else:
        scale, heights, ticks = _scaled(values, min(numbers), max(numbers))
    if len(present) < len(values):
        ticks = [(NONE_HEIGHT, "none"), *ticks]
    return Axis(name, scale, tuple(heights), tuple(ticks))


def _metric(grid: Grid) -> str | None:
    """The first result that varies and is a number; else how long the tasks took."""
    measured = [each.name for each in grid.columns if each.kind == "value"]
    timed = [each.name for each in grid.columns if each.name == "duration_s"]
    for name in [*measured, *timed]:
        if len({*_numbers(_value(row, name) for row in grid.rows)}) > 1:
            return name
    return next(iter([*measured, *timed]), None)


def _varying(columns: Iterable[Column], rows: Sequence[Row]) -> list[str]:
    """Configs and results that have more than one value; all of them in a single row."""
    return [
        each.name
        for each in columns
        if each.kind in ("config", "value")
        and (len(rows) < 2 or len({comparable(row, each.name) for row in rows}) > 1)
    ]


def _value(row: Row, name: str) -> object:
    """What a height is made of; None where there is nothing to be high."""
    value = row.get(name)
    if isinstance(value, Spread):
        value = value.mean
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return value if math.isfinite(value) else None
        except OverflowError:
            return None
    return value


def _numbers(values: Iterable[object]) -> Iterator[float]:
    for each in values:
        if isinstance(each, (int, float)) and not isinstance(each, bool):
            yield float(each)


def _rungs(
    name: str, rows: Sequence[Row], values: Sequence[object]
) -> tuple[list[float], list[tuple[float, str]]]:
    marks = [
        None if value is None else comparable(row, name)
        for row, value in zip(rows, values, strict=True)
    ]
    texts = {m: str(v) for m, v in zip(marks, values, strict=True) if m is not None}
    order = sorted(texts)
    gap = 1 / max(1, len(order) - 1)
    height = {mark: at * gap if len(order) > 1 else 0.5 for at, mark in enumerate(order)}
    every = max(1, math.ceil(len(order) / _MOST_TICKS))
    ticks = [(height[mark], _short(texts[mark])) for mark in order[::every]]
    return [NONE_HEIGHT if mark is None else height[mark] for mark in marks], ticks


def _scaled(
    values: Sequence[object], least: float, most: float
) -> tuple[Scale, list[float], list[tuple[float, str]]]:
    is_log = least > 0 and most / least > _LOG_FROM
    start, end = (math.log10(least), math.log10(most)) if is_log else (least, most)
    span = end / 2 - start / 2  # halved: the difference of the largest floats is none

    def height(value: float) -> float:
        at = math.log10(value) if is_log else value
        return min(1.0, max(0.0, (at / 2 - start / 2) / span))

    heights = [
        height(float(each)) if isinstance(each, (int, float)) else NONE_HEIGHT for each in values
    ]
    if is_log:
        inner = [10.0**power for power in range(math.ceil(start), math.floor(end) + 1)]
        inner = inner[:: max(1, math.ceil(len(inner) / 8))]
    else:
        inner = [start + 2 * span * step / _STEPS for step in range(1, _STEPS)]
    ticks = [(height(each), f"{each:.4g}") for each in [least, *inner, most]]
    return "log" if is_log else "linear", heights, _apart(ticks)


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Without those that lie on another one; both ends stay."""
    kept = [ticks[0]]
    for tick, after in pairwise(ticks[1:]):
        if tick[0] - kept[-1][0] > _CLOSE and ticks[-1][0] - tick[0] > _CLOSE and after:
            kept.append(tick)
    return [*kept, ticks[-1]]


def _short(text: str) -> str:
    return elided(harmless(text), _LONGEST_TICK, "…")
