"""A line for each result, from axis to axis: of a run, of a store, or of any table of them."""

from __future__ import annotations

from flowlib.browser_page import BrowserPage, need_bokeh
from flowlib.coordinates import coordinates_of
from flowlib.result_table import ResultTable, Tabular


def parallel_coordinates(
    source: Tabular | ResultTable, metric: str | None = None, *, mode: str = "max"
) -> BrowserPage:
    """A page with a line for each row of a table; dragging along an axis chooses rows.

    Args:
        source: `run["Train"]`, `store.records("Train")`, or a table of them.
        metric: The column that is the last axis and the colour; None is the first result.
        mode: "max" if the largest number of the metric is the best, "min" if the smallest is.

    Returns:
        The page, to `.show()` or to `.save("lines.html")`.

    Raises:
        ColumnUnknown: there is no such column.
        MissingExtra: Bokeh is not installed.
        ValueError: `mode` is neither "max" nor "min".
    """
    need_bokeh("parallel_coordinates")
    from flowlib.coordinates_page import coordinates_models

    table = source if isinstance(source, ResultTable) else ResultTable.of(source)
    shown = coordinates_of(table.grid, table.tasks, metric, mode)
    title = ", ".join(sorted(table.tasks)) or "results"
    return BrowserPage(title, coordinates_models(shown, title), height_px=880)
