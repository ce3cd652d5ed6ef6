"""How is a graph shown in the browser? As a Bokeh page of boxes in layers."""

from __future__ import annotations

import html
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from flowlib.drawing import facts_of_digraph
from flowlib.errors import MissingExtra
from flowlib.graph_summary import shown
from flowlib.layout import layout

if TYPE_CHECKING:
    from networkx import DiGraph


def visualize_graph_interactive(
    graph: DiGraph[Any],
    plot_width: int = 500,
    plot_height: int = 200,
    node_width: int = 50,
    node_height: int = 50,
    scale_width: bool = True,
    browser: str | None = None,
) -> None:
    """Show a graph in a browser, or in the notebook this runs in.

    Args:
        graph: A directed graph, such as `flow.task_graph`.
        plot_width: Width of the plot in pixels.
        plot_height: Height of the plot in pixels.
        node_width: Space between the nodes of a layer.
        node_height: Space between layers.
        scale_width: Whether the plot is as wide as the page.
        browser: Name of a browser known to `webbrowser`; None is the default one.

    Raises:
        MissingExtra: Bokeh is not installed.
    """
    try:
        from bokeh.plotting import show
    except ImportError:
        raise MissingExtra(
            "the browser graph needs Bokeh: install flowlib-runner[viz] from the checkout"
        ) from None
    show(
        graph_figure(graph, plot_width, plot_height, (node_width, node_height), scale_width),
        browser=browser,
    )


def graph_figure(
    graph: DiGraph[Any],
    plot_width: int,
    plot_height: int,
    node_size: tuple[int, int],
    scale_width: bool,
) -> Any:
    """The Bokeh figure of a graph: a box per node, a line per edge, names on hover."""
    from bokeh.models import HoverTool
    from bokeh.plotting import figure

    places = _places(graph, node_size)
    plot = figure(
        width=plot_width,
        height=plot_height,
        sizing_mode="stretch_width" if scale_width else "fixed",
        title=str(graph.name or "graph"),
        tools="pan,wheel_zoom,reset,save",
    )
    plot.axis.visible = False
    plot.grid.visible = False
    edges = list(graph.edges)
    plot.multi_line(
        [[places[a][0], places[b][0]] for a, b in edges],
        [[places[a][1], places[b][1]] for a, b in edges],
        color="#888888",
    )
    boxes = plot.rect(
        x=[places[node][0] for node in graph],
        y=[places[node][1] for node in graph],
        width=node_size[0] * 0.9,
        height=node_size[1] * 0.5,
        fill_color="#dbe9f6",
        line_color="#4477aa",
    )
    source: Any = boxes.data_source
    source.data["name"] = [html.escape(str(node)) for node in graph]
    plot.text(
        x=[places[node][0] for node in graph],
        y=[places[node][1] for node in graph],
        text=[str(node) for node in graph],
        text_align="center",
        text_baseline="middle",
        text_font_size="10px",
    )
    plot.add_tools(HoverTool(renderers=[boxes], tooltips=[("task", "@name{safe}")]))
    return plot


def _places(graph: DiGraph[Any], node_size: tuple[int, int]) -> dict[Hashable, tuple[float, float]]:
    """Layers from top to bottom; in each of them the places of the console graph."""
    places = layout(shown(facts_of_digraph(graph), None).targets)
    width, height = node_size
    return {
        node: (float(row * width), -float(layer * height))
        for node, row, layer in zip(graph, places.rows, places.layers.layer_of, strict=False)
    }
