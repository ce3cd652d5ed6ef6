"""A row for each worker, as Bokeh models: what it ran, what failed, when it had nothing to do."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Final

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, FactorRange, HoverTool, NumeralTickFormatter, Range1d
from bokeh.models.widgets import Div
from bokeh.palettes import Category20
from bokeh.plotting import figure

from flowlib.console_text import elided
from flowlib.progress_picture import took
from flowlib.timeline import Span, Timeline

_RED: Final = "#d2453d"
_PALETTE: Final = (*Category20[20][::2], *Category20[20][1::2])
_ROW_PX: Final = 26
_MOST_EDGES: Final = 500
_LONGEST_TOLD: Final = 200
_CLOCK_FROM_S: Final = 120.0


def timeline_models(timeline: Timeline, specs: Sequence[str]) -> Any:
    """The models of a page: rows of workers over time, a colour for each spec.

    Args:
        timeline: What the workers did.
        specs: The names of all specs, in the order that gives them their colours.
    """
    colours = {name: _PALETTE[at % len(_PALETTE)] for at, name in enumerate(specs)}
    rows = {worker: _row(timeline, worker) for worker in timeline.workers}
    plot = figure(
        height=min(900, 90 + _ROW_PX * max(1, len(rows))),
        sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,reset,save",
        active_scroll="xwheel_zoom",
        y_range=FactorRange(factors=[*reversed(rows.values())]),
        x_range=Range1d(start=0, end=max(timeline.duration_s, 1e-3)),
        name="timeline",
    )
    plot.ygrid.visible = False
    if timeline.duration_s >= _CLOCK_FROM_S:
        plot.xaxis.formatter = NumeralTickFormatter(format="00:00:00")
    else:
        plot.xaxis.axis_label = "seconds"
    # Failures lie above the others, so that no neighbour covers their edge.
    spans = sorted(timeline.spans, key=_is_bad)
    thin = 0.5 if len(spans) <= _MOST_EDGES else 0  # edges of many would cover them
    source = ColumnDataSource(
        {
            "start": [each.start for each in spans],
            "end": [each.end for each in spans],
            "row": [rows[each.worker] for each in spans],
            "colour": [colours.get(each.task.spec, _PALETTE[-1]) for each in spans],
            "edge": [_RED if _is_bad(each) else "white" for each in spans],
            "width": [3 if _is_bad(each) else thin for each in spans],
            "title": [_title(each) for each in spans],
        }
    )
    bars = plot.hbar(
        y="row", left="start", right="end", height=0.76, source=source, fill_color="colour",
        line_color="edge", line_width="width", name="spans",
    )  # fmt: skip
    plot.add_tools(HoverTool(renderers=[bars], tooltips="@title{safe}"))
    present = [name for name in specs if any(each.task.spec == name for each in spans)]
    legend = " ".join(
        f'<span style="color:{colours[name]}">■</span> {html.escape(elided(name, 30, "…"))}'
        for name in present
    )
    edge = f'<span style="color:{_RED}">□</span> failed · gaps: nothing to do'
    texts = [f"{legend} {edge}"]
    if timeline.hidden:
        texts.append(f"the shortest {timeline.hidden:,} tries are not drawn")
    notes = [Div(text=text, sizing_mode="stretch_width") for text in texts]
    return column(*notes, plot, sizing_mode="stretch_width")


def _row(timeline: Timeline, worker: int) -> str:
    return f"w{worker}  busy {timeline.busy(worker):.0%}"


def _is_bad(span: Span) -> bool:
    return span.word in ("failed", "killed")


def _title(span: Span) -> str:
    task = span.task
    lines = [
        f"{task.unique_name} {task.label}".rstrip(),
        task.id,
        f"{span.word} after {took(span.end - span.start)}",
        span.resource,
        elided(span.told, _LONGEST_TOLD, "…"),
    ]
    return "<br>".join(html.escape(line) for line in lines if line)
