"""The results of one task as lines from axis to axis: what is brushed is what the table has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from flowlib.coordinates import NONE_HEIGHT, Axis, Coordinates, coordinates_of
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.frame import table, task_link, url
from flowlib.dashboard.markup import Markup, cut, tag
from flowlib.dashboard.questions import BadQuestion
from flowlib.dashboard.stock import Stock
from flowlib.dashboard.sweep_rows import Results
from flowlib.result_cells import cell_text
from stores import Address
from stores.cells import Column, Row
from stores.lazy_dataclass import dataclass

_TOP_PX: Final = 40
_TALL_PX: Final = 320
_BELOW_PX: Final = 60
_AXIS_PX: Final = 150
_LEFT_PX: Final = 80
_HIT_PX: Final = 44
_MOST_TABLE_COLUMNS: Final = 14
_LONGEST_CELL: Final = 60
_LONGEST_NAME: Final = 20


def sweep_choice(answers: Answers, stock: Stock) -> Markup:
    """The tasks of which there are several results."""
    counts = answers.counts(stock)
    items = [
        tag("li", tag("a", task, href=url("/sweep", task=task)), f" {counts[task].total():,}")
        for task in sorted(counts)
        if counts[task].total() > 1
    ]
    told = tag("ul", *items) if items else tag("p", "No task has several results yet.")
    return tag("div", tag("h1", "Sweep"), told, class_="live")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which picture is asked for.

    Attributes:
        task: Name of the task.
        metric: The result that orders lines; empty for the first that varies.
        mode: "max" if the largest is the best, else "min".
        filters: What the configs have to hold, as it stands in the address.
    """

    task: str
    metric: str = ""
    mode: str = ""
    filters: str = ""


def sweep(found: Results, wanted: Wanted, now: float) -> Markup:
    """The lines of a task.

    Args:
        found: Its results.
        wanted: What is asked for.
        now: Unix time.

    Raises:
        BadQuestion: there is no such result or column.
    """
    task, metric, mode = wanted.task, wanted.metric, wanted.mode or "max"
    if not found.total:
        raise BadQuestion(f"{task!r} has no results{' that fit' if wanted.filters else ''}")
    if mode not in ("max", "min"):
        raise BadQuestion(f"mode is {mode!r}; choose of max, min")
    lines = coordinates_of(found.grid, {task}, metric or None, mode)
    measured = [each.name for each in found.grid.columns if each.kind in ("value", "time")]
    last = lines.axes[-1].name if lines.axes else ""
    is_part = found.total > len(found.grid.rows)
    return tag(
        "div",
        tag("h1", f"Sweep of {task}"),
        _choice(wanted, [*measured], last, mode, is_part or bool(wanted.filters)),
        tag("p", _part(found), class_="warning") if is_part else None,
        *(tag("p", each, class_="warning") for each in lines.notices),
        tag(
            "p", "drag along an axis to choose a range, click it to clear, click twice to clear all"
        ),
        tag("div", _picture(lines), class_="scroll"),
        tag("p", f"{len(lines.rows)} of {len(lines.rows)} rows", data_lit=len(lines.rows)),
        _table(lines, now),
    )


def _part(found: Results) -> str:
    shown = len(found.grid.rows)
    return f"the newest {shown:,} of {found.total:,} results: choose by config, such as lr=0.1"


def _choice(
    wanted: Wanted, names: Sequence[str], chosen: str, mode: str, has_filter: bool
) -> Markup:
    options = [tag("option", name, value=name, selected=name == chosen) for name in names]
    modes = [tag("option", each, value=each, selected=each == mode) for each in ("max", "min")]
    return tag(
        "form", tag("input", type="hidden", name="task", value=wanted.task),
        tag("label", "metric ", tag("select", *options, name="metric")),
        tag("label", "best ", tag("select", *modes, name="mode")),
        tag("label", "config ", tag("input", name="config_filter", value=wanted.filters))
        if has_filter else None,
        tag("button", "show"),
        action="/sweep", method="get", class_="filters",
    )  # fmt: skip


def _picture(lines: Coordinates) -> Markup:
    width = 2 * _LEFT_PX + _AXIS_PX * max(0, len(lines.axes) - 1)
    height = _TOP_PX + _TALL_PX + _BELOW_PX
    rows = []
    for number in range(len(lines.rows)):
        heights = [axis.heights[number] for axis in lines.axes]
        points = " ".join(f"{_x(at)},{_y(each):.1f}" for at, each in enumerate(heights))
        told = json.dumps([round(each, 5) for each in heights], separators=(",", ":"))
        rows.append(tag("polyline", points=points, class_="row", data_heights=told))
    return tag(
        "svg", *rows, *(_axis(at, axis) for at, axis in enumerate(lines.axes)),
        xmlns="http://www.w3.org/2000/svg", width=width, height=height,
        viewBox=f"0 0 {width} {height}", data_top=_TOP_PX, data_tall=_TALL_PX,
        data_axes=json.dumps([axis.name for axis in lines.axes]), class_="lines",
    )  # fmt: skip


def _axis(at: int, axis: Axis) -> Markup:
    x = _x(at)
    ticks = [
        tag("text", text, x=x + 6, y=f"{_y(height) + 4:.1f}", class_="tick")
        for height, text in axis.ticks
    ]
    bottom = NONE_HEIGHT - 0.06
    return tag(
        "g",
        tag("text", cut(axis.name, _LONGEST_NAME), x=x, y=_TOP_PX - 16, text_anchor="middle"),
        tag("line", x1=x, x2=x, y1=_y(1.0), y2=_y(0.0), class_="axis"),
        *ticks,
        tag("rect", x=x - 8, y=0, width=16, height=0, class_="brush", data_axis=at),
        tag(
            "rect", tag("title", axis.name), x=x - _HIT_PX / 2, y=_y(1.06), width=_HIT_PX,
            height=f"{_y(bottom) - _y(1.06):.1f}", class_="hit", data_axis=at,
        ),
    )  # fmt: skip


def _table(lines: Coordinates, now: float) -> Markup:
    columns = lines.columns[:_MOST_TABLE_COLUMNS]
    rows = [tag("tr", *(_cell(each, row, now) for each in columns)) for row in lines.rows]
    head = [cut(each.name, _LONGEST_CELL) for each in columns]
    return table(head, rows, data_lines=True)


def _cell(column: Column, row: Row, now: float) -> Markup:
    if column.name == "id":
        return tag("td", task_link(Address(row["task"], row["key"])))
    return tag("td", cut(cell_text(column, row, now), _LONGEST_CELL))


def _x(at: int) -> int:
    return _LEFT_PX + at * _AXIS_PX


def _y(height: float) -> float:
    return _TOP_PX + (1.0 - height) * _TALL_PX
