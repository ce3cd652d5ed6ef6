"""A graph that answers the mouse, as Bokeh models: hover, click, filter, states, zoom."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Literal

from bokeh.layouts import column, row
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    HoverTool,
    Range1d,
    TapTool,
    WheelZoomTool,
)
from bokeh.models.widgets import CheckboxButtonGroup, Div, PreText, TextInput
from bokeh.plotting import figure

from flowlib.browser_page import script
from flowlib.graph_boxes import Boxes, boxes_of
from flowlib.graph_folding import folding_controls, looks_of
from flowlib.graph_summary import ShownGraph
from flowlib.graph_unfolding import Unfolding
from flowlib.vocabulary import SHOWN_STATES
from stores.lazy_dataclass import dataclass

_Mode = Literal["stretch_width", "fixed"]


@dataclass(frozen=True, slots=True)
class PageSize:
    """How large a graph is shown.

    Attributes:
        plot_width: Pixels.
        plot_height: Pixels; None is what the rows need, within reason.
        node_width: Pixels between layers, before the zoom.
        node_height: Pixels from row to row, before the zoom.
        scale_width: Whether it is as wide as the page, whatever `plot_width` is.
    """

    plot_width: int
    plot_height: int | None
    node_width: int
    node_height: int
    scale_width: bool


def graph_page(
    graph: ShownGraph,
    title: str,
    size: PageSize,
    notice: str = "",
    unfolding: Unfolding | None = None,
) -> Any:
    """The models of a page: the graph, its filter, its states, and a text about what was clicked.

    Args:
        graph: What is shown.
        title: Stands above it.
        size: How large it is.
        notice: What is left out, if anything is.
        unfolding: How specs open and close; None if they do not.
    """
    boxes = boxes_of(graph, size.node_width, size.node_height)
    nodes = ColumnDataSource(_node_columns(graph, boxes, size))
    edges = ColumnDataSource(_edge_columns(boxes))
    plot = _plot(nodes, edges, boxes, title, size)
    found = {node.state for node in graph.nodes}
    if unfolding is not None:
        found.update(node.state for node in unfolding.closed.nodes + unfolding.opened.nodes)
    words = [word for word in SHOWN_STATES if word in found]
    labels = [f"{SHOWN_STATES[word].icon} {word}" for word in words]
    wanted = TextInput(placeholder="filter by name, config or state", name="filter")
    states = CheckboxButtonGroup(labels=labels, active=[*range(len(words))], name="states")
    told = PreText(text="", name="told", width=260, styles={"white-space": "pre-wrap"})
    answer = CustomJS(
        args={
            "nodes": nodes, "edges": edges, "filter": wanted, "states": states,
            "words": words, "told": told,
        },
        code=script("answer.js"),
    )  # fmt: skip
    nodes.selected.js_on_change("indices", answer)
    wanted.js_on_change("value_input", answer)
    states.js_on_change("active", answer)
    said = Div(text=notice, render_as_text=True, visible=bool(notice), name="notice")
    mode: _Mode = "stretch_width" if size.scale_width else "fixed"
    controls = [wanted, *([states] if words else [])]
    folding = []
    if unfolding is not None and unfolding.foldable:
        models = {"nodes": nodes, "edges": edges, "plot": plot, "notice": said, "answer": answer}
        folding = folding_controls(unfolding, models, size.node_width, size.node_height)
    return column(
        said, row(*controls), *folding, row(plot, told, sizing_mode=mode), sizing_mode=mode
    )


def _plot(
    nodes: ColumnDataSource,
    edges: ColumnDataSource,
    boxes: Boxes,
    title: str,
    size: PageSize,
) -> Any:
    margin = size.node_height / 2
    needed = round(min(max(boxes.height + 100, 300), 900))
    plot = figure(
        width=size.plot_width,
        height=needed if size.plot_height is None else size.plot_height,
        sizing_mode="stretch_width" if size.scale_width else "fixed",
        title=title,
        tools="pan,reset,save",
        x_range=Range1d(start=-margin, end=boxes.width + margin, min_interval=margin),
        y_range=Range1d(start=boxes.height + margin, end=-margin, min_interval=margin),
        name="graph",
    )
    plot.axis.visible = False
    plot.grid.visible = False
    is_tall = boxes.height > 2 * boxes.width
    zoom = WheelZoomTool(dimensions="height" if is_tall else "both")
    plot.add_tools(zoom)
    plot.toolbar.active_scroll = zoom
    plot.multi_line("xs", "ys", source=edges, color="#8a8f98", alpha="alpha", line_width="width")
    shapes = plot.rect(
        "x", "y", "width", "height", source=nodes, fill_color="colour", line_color="colour",
        fill_alpha="fill", line_alpha="alpha", name="nodes",
    )  # fmt: skip
    texts = plot.text(
        "x", "y", "label", source=nodes, text_align="center", text_baseline="middle",
        text_alpha="alpha", text_font_size="12px",
    )  # fmt: skip
    for each in (shapes, texts):
        # The script lights what is chosen; copies of the glyph would not follow the zoom.
        each.nonselection_glyph = each.selection_glyph = each.glyph
    plot.add_tools(
        HoverTool(renderers=[shapes], tooltips="@title{safe}"), TapTool(renderers=[shapes])
    )
    follow = CustomJS(
        args={"plot": plot, "glyph": texts.glyph, "row_px": size.node_height},
        code=script("follow_zoom.js"),
    )
    for model, names in ((plot.x_range, ("start", "end")), (plot.y_range, ("start", "end"))):
        for name in names:
            model.js_on_change(name, follow)
    plot.js_on_change("inner_width", follow)
    plot.js_on_change("inner_height", follow)
    return plot


def _node_columns(graph: ShownGraph, boxes: Boxes, size: PageSize) -> dict[str, Sequence[Any]]:
    sources: list[list[int]] = [[] for _ in graph.nodes]
    for source, targets in enumerate(graph.targets):
        for target in targets:
            sources[target].append(source)
    looks = looks_of(graph.nodes)
    return {
        **looks,
        "x": [box.x for box in boxes.boxes],
        "y": [box.y for box in boxes.boxes],
        "height": [size.node_height * 0.6 for _ in graph.nodes],
        "alpha": [1.0 for _ in graph.nodes],
        "fill": [0.15 for _ in graph.nodes],
        "title": ["<br>".join(html.escape(t) for t in told.split("\n")) for told in looks["told"]],
        "words": [told.casefold() for told in looks["told"]],
        "sources": sources,
        "targets": [list(each) for each in graph.targets],
    }


def _edge_columns(boxes: Boxes) -> dict[str, Sequence[Any]]:
    return {
        "xs": [[x for x, _ in each.points] for each in boxes.connections],
        "ys": [[y for _, y in each.points] for each in boxes.connections],
        "source": [each.source for each in boxes.connections],
        "target": [each.target for each in boxes.connections],
        "alpha": [0.6 for _ in boxes.connections],
        "width": [1.0 for _ in boxes.connections],
    }
