"""Parallel coordinates that answer the mouse, as Bokeh models: brushes on axes, rows below."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bokeh.events import DoubleTap, MouseMove, Pan, PanEnd, PanStart, Press, PressUp, Tap
from bokeh.layouts import column
from bokeh.models import (
    CDSView,
    ColumnDataSource,
    CustomJS,
    HoverTool,
    IndexFilter,
    Range1d,
)
from bokeh.models.widgets import DataTable, Div, StringFormatter, TableColumn
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from flowlib.browser_page import script
from flowlib.console_text import elided, harmless
from flowlib.coordinates import NONE_HEIGHT, Axis, Coordinates
from flowlib.result_cells import cell_text, title_of
from stores.cells import Column, Row

_NO_METRIC: Final = "#8a8f98"
_BRIGHTEST: Final = 225
"""What is brighter cannot be seen on a white page."""

_BACKGROUND: Final[Mapping[str, Any]] = {
    "background_fill_color": "white",
    "background_fill_alpha": 0.7,
}
_LONGEST_NAME: Final = 24
_MOST_TOLD: Final = 20
_EXACT: Final = 2**53
"""Larger integers are not numbers to a browser."""

_HINT: Final = (
    "drag along an axis: rows within all brushes stay · click a brush: it goes · "
    "click twice: all rows"
)


def coordinates_models(shown: Coordinates, title: str) -> Any:
    """The models of a page: axes with a line for each row, and a table of what is brushed.

    Args:
        shown: The lines.
        title: Stands above them.
    """
    now = time.time()
    rows = ColumnDataSource(_row_columns(shown, now))
    brushes = ColumnDataSource({name: [] for name in ("axis", "left", "right", "bottom", "top")})
    plot = _plot(shown.axes, rows, brushes, title)
    filter_ = IndexFilter(indices=[*range(len(shown.rows))])
    count = Div(
        text=f"{len(shown.rows)} of {len(shown.rows)} rows", render_as_text=True, name="count"
    )
    brush = CustomJS(
        args={
            "rows": rows, "brushes": brushes, "filter": filter_, "count": count,
            "axes": len(shown.axes),
        },
        code=script("brush.js"),
    )  # fmt: skip
    for event in (PanStart, Pan, PanEnd, Press, PressUp, MouseMove, Tap, DoubleTap):
        plot.js_on_event(event, brush)
    notices = [
        Div(text=text, render_as_text=True, name="notice", styles={"font-weight": "bold"})
        for text in shown.notices
    ]
    hint = Div(text=_HINT, styles={"opacity": "0.6"}, sizing_mode="stretch_width")
    table = DataTable(
        source=rows,
        view=CDSView(filter=filter_),
        columns=_table_columns(shown.columns),
        index_position=None,
        height=320,
        sizing_mode="stretch_width",
        name="table",
    )
    return column(*notices, hint, plot, count, table, sizing_mode="stretch_width")


def _plot(
    axes: Sequence[Axis], rows: ColumnDataSource, brushes: ColumnDataSource, title: str
) -> Any:
    plot = figure(
        height=440,
        sizing_mode="stretch_width",
        title=title,
        tools="save",
        x_range=Range1d(start=-0.5, end=max(len(axes), 1) - 0.5),
        y_range=Range1d(start=NONE_HEIGHT - 0.06, end=1.16),
        name="coordinates",
    )
    plot.axis.visible = False
    plot.grid.visible = False
    lines = plot.multi_line(
        "xs", "ys", source=rows, color="colour", alpha="alpha", line_width=1.5, name="rows"
    )
    chosen = lines.glyph.clone()
    chosen.line_width = 4
    lines.nonselection_glyph, lines.selection_glyph = lines.glyph, chosen
    for at, axis in enumerate(axes):
        plot.segment([at], [0], [at], [1], color="#555", line_width=1.5)
        heights, texts = [height for height, _ in axis.ticks], [text for _, text in axis.ticks]
        plot.text(
            [at] * len(texts), heights, texts, text_font_size="11px", text_baseline="middle",
            x_offset=6, **_BACKGROUND,
        )  # fmt: skip
    plot.text(
        [*range(len(axes))], [1.08] * len(axes), [_name(each) for each in axes],
        text_align="center", text_baseline="bottom", text_font_size="12px",
        text_font_style="bold",
    )  # fmt: skip
    plot.quad(
        "left", "right", "bottom", "top", source=brushes, color="#333", alpha=0.25, name="brushes"
    )
    plot.add_tools(HoverTool(renderers=[lines], tooltips="@told{safe}", line_policy="interp"))
    return plot


def _name(axis: Axis) -> str:
    log = " (log)" if axis.scale == "log" else ""
    return elided(harmless(axis.name), _LONGEST_NAME, "…") + log


def _row_columns(shown: Coordinates, now: float) -> dict[str, Sequence[Any]]:
    heights = list(zip(*(axis.heights for axis in shown.axes), strict=True))
    found: dict[str, Sequence[Any]] = {
        "xs": [[*range(len(shown.axes))] for _ in shown.rows],
        "ys": [[*each] for each in heights] or [[] for _ in shown.rows],
        "colour": [*_colours(shown)],
        "alpha": [0.7 for _ in shown.rows],
        "told": [_told(shown.columns, row, now) for row in shown.rows],
    }
    for at, each in enumerate(shown.columns):
        found[f"cell{at}"] = [_cell(each, row, now) for row in shown.rows]
    return found


def _colours(shown: Coordinates) -> Iterator[str]:
    for height in shown.axes[-1].heights if shown.axes else [NONE_HEIGHT] * len(shown.rows):
        good = height if shown.is_best_high else 1 - height
        is_known = height != NONE_HEIGHT
        yield Viridis256[round(good * _BRIGHTEST)] if is_known else _NO_METRIC


def _told(columns: Sequence[Column], row: Row, now: float) -> str:
    told = [f"{title_of(each)}: {cell_text(each, row, now)}" for each in columns[:_MOST_TOLD]]
    return "<br>".join(html.escape(each) for each in told)


def _cell(column: Column, row: Row, now: float) -> object:
    """Numbers stay numbers, so that a table orders them; all else is what people see."""
    value = row.get(column.name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _EXACT:
        return value if column.kind == "config" else float(f"{value:.6g}")
    return cell_text(column, row, now)


def _table_columns(columns: Sequence[Column]) -> list[Any]:
    return [
        # The head of a column is taken for HTML, a cell is not.
        TableColumn(
            field=f"cell{at}", title=html.escape(title_of(each)), formatter=StringFormatter()
        )
        for at, each in enumerate(columns)
    ]
