"""How does a flow show itself? In the console or as a page, with the states of its last run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from flowlib.flow_facts import facts_of_flow
from flowlib.graph import TaskGraph
from flowlib.graph_summary import Wish
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.reasons import Reason

if TYPE_CHECKING:
    from flowlib.drawing_bokeh import GraphPage
    from flowlib.results import Run

_STORED: Final[Mapping[Reason | None, str]] = {
    Reason.FAILED: "failed",
    Reason.INTERRUPTED: "killed",
}
"""How nodes that would run have ended, where that is the reason."""


def print_flow(
    graph: TaskGraph,
    seen: Run | Plan | None,
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

    facts = facts_of_flow(graph, lambda node: _word_of(node, seen))
    print_graph(facts, wish, width=width, use_unicode=use_unicode, use_pager=use_pager)


def page_of_flow(graph: TaskGraph, seen: Run | Plan | None, wish: Wish) -> GraphPage:
    """The graph of a flow as a page for a browser.

    Raises:
        SelectorError: the wish names what is not in the graph.
        MissingExtra: Bokeh is not installed.
    """
    from flowlib.drawing_bokeh import facts_page

    facts = facts_of_flow(graph, lambda node: _word_of(node, seen), has_configs=True)
    return facts_page(facts, wish, "task graph")


def _word_of(node: Node, seen: Run | Plan | None) -> str | None:
    """The state of a node after a run, or in the store of a plan; None if neither is known."""
    if seen is None:
        return None
    if isinstance(seen, Plan):
        is_cached = node.key not in seen.reasons and node.key not in seen.left_out
        return "cached" if is_cached else _STORED.get(seen.reasons.get(node.key), "pending")
    return "cached" if seen.is_cached(node) else seen.state_of(node).value
