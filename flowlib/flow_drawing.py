"""How does a flow show itself? In the console or as a page, with the states of its last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowlib.flow_facts import facts_of_flow
from flowlib.graph import TaskGraph
from flowlib.graph_summary import Wish
from flowlib.node import Node

if TYPE_CHECKING:
    from flowlib.drawing_bokeh import GraphPage
    from flowlib.results import Run


def print_flow(
    graph: TaskGraph,
    run: Run | None,
    wish: Wish,
    width: int | None,
    use_unicode: bool | None,
    use_pager: bool,
) -> None:
    """Print the graph of a flow.

    Raises:
        SelectorError: the wish names what is not in the graph.
    """
    from flowlib.drawing import print_graph

    facts = facts_of_flow(graph, lambda node: _word_of(node, run))
    print_graph(facts, wish, width=width, use_unicode=use_unicode, use_pager=use_pager)


def page_of_flow(graph: TaskGraph, run: Run | None, wish: Wish) -> GraphPage:
    """The graph of a flow as a page for a browser.

    Raises:
        SelectorError: the wish names what is not in the graph.
        MissingExtra: Bokeh is not installed.
    """
    from flowlib.drawing_bokeh import facts_page

    facts = facts_of_flow(graph, lambda node: _word_of(node, run), has_configs=True)
    return facts_page(facts, wish, "task graph")


def _word_of(node: Node, run: Run | None) -> str | None:
    """The state of a node in a run, as it is shown; None before the first."""
    if run is None:
        return None
    return "cached" if run.is_cached(node) else run.state_of(node).value
