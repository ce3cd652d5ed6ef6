"""How is a graph shown in a browser or a notebook, and kept as a file?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowlib.browser_page import BrowserPage, need_bokeh
from flowlib.drawing import facts_of_digraph
from flowlib.graph_summary import (
    GraphFacts,
    ShownGraph,
    Wish,
    chosen,
    config_text,
    shown,
)
from flowlib.graph_unfolding import Unfolding, is_bearable, unfolding

if TYPE_CHECKING:
    from networkx import DiGraph

    from flowlib.graph_page import PageSize


class GraphPage(BrowserPage):
    """A graph to look at in a browser."""

    __slots__ = ()


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

    The mouse tells about a node, a click lights what it comes from and leads to.

    Args:
        graph: A directed graph, such as `flow.task_graph`.
        plot_width: Width of the plot in pixels, unless it is scaled.
        plot_height: Height of the plot in pixels.
        node_width: Space between layers.
        node_height: Space from one row to the next.
        scale_width: Whether the plot is as wide as the page.
        browser: Name of a browser known to `webbrowser`; None is the default one.

    Raises:
        MissingExtra: Bokeh is not installed.
        GraphError: the graph has a circle, or no directions.
    """
    sizes = (plot_width, plot_height, node_width, node_height)
    digraph_page(graph, *sizes, scale_width).show(browser)


def digraph_page(
    graph: DiGraph[Any],
    plot_width: int = 500,
    plot_height: int = 200,
    node_width: int = 50,
    node_height: int = 50,
    scale_width: bool = True,
) -> GraphPage:
    """The page that `visualize_graph_interactive` shows; its parameters are described there."""
    need_bokeh("the browser graph")
    from flowlib.graph_page import PageSize

    facts = facts_of_digraph(graph)
    configs = [_config_of(data.get("task")) for _, data in graph.nodes(data=True)]
    tasks = [replace(t, config=c) for t, c in zip(facts.tasks, configs, strict=True)]
    size = PageSize(plot_width, plot_height, node_width, node_height, scale_width)
    return _page(
        shown(GraphFacts(tasks, facts.sources), None), str(graph.name or "graph"), size, ""
    )


def facts_page(facts: GraphFacts, wish: Wish, title: str) -> GraphPage:
    """The page of a flow: its tasks if they are not too many, else its specs.

    Args:
        facts: The tasks.
        wish: What is to be seen of them.
        title: Stands above the graph.

    Raises:
        MissingExtra: Bokeh is not installed.
        SelectorError: the wish names what is not there.
    """
    need_bokeh("the browser graph")
    from flowlib.graph_page import PageSize

    facts, expand, focus = chosen(facts, wish)
    graph, notice = shown(facts, expand, focus), ""
    if not is_bearable(graph):
        notice = (
            f"{len(graph.nodes):,} nodes and {sum(map(len, graph.targets)):,} lines are too many "
            f"for one page: specs are shown; around= shows what belongs to one task"
        )
        graph, expand = shown(facts, (), focus), ()
    known = unfolding(facts, expand, focus)
    return _page(graph, title, PageSize(900, None, 60, 40, True), notice, known)


def _page(
    graph: ShownGraph, title: str, size: PageSize, notice: str, known: Unfolding | None = None
) -> GraphPage:
    from flowlib.graph_page import graph_page

    return GraphPage(title, graph_page(graph, title, size, notice, known))


def _config_of(task: object) -> str:
    """The config of a node of `flow.task_graph`; nothing for nodes of other graphs."""
    config = getattr(task, "config", None)
    return config_text(config) if isinstance(config, Mapping) else ""
