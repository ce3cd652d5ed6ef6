"""How does a flow show itself? In the console or as a page, with the states of its last run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from flowlib.flow_arguments import DrawArguments, ViewArguments
from flowlib.flow_facts import facts_of_flow
from flowlib.graph import TaskGraph
from flowlib.graph_summary import GraphFacts, Wish
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.reasons import Reason

if TYPE_CHECKING:
    from flowlib.drawing_bokeh import GraphPage
    from flowlib.graph_export import GraphExport
    from flowlib.results import Run

_STORED: Final[Mapping[Reason | None, str]] = {
    Reason.FAILED: "failed",
    Reason.INTERRUPTED: "killed",
}
"""How nodes that would run have ended, where that is the reason."""


def drawn(
    graph: TaskGraph, seen: Run | Plan | None, view: str, how: DrawArguments
) -> GraphPage | GraphExport | None:
    """The graph of a flow: printed, as a page, or as text for a file.

    Args:
        graph: The nodes.
        seen: What tells their states.
        view: See `Flow.draw`.
        how: See `DrawArguments`.

    Raises:
        SelectorError: what is wished for is not in the graph.
        MissingExtra: Bokeh is wanted and not installed.
        ValueError: there is no such view.
    """
    has_configs, known = view != "console", _with_growth(graph, seen)
    facts = facts_of_flow(known, lambda node: _word_of(node, seen), has_configs=has_configs)
    return drawn_facts(facts, view, how)


def drawn_facts(facts: GraphFacts, view: str, how: DrawArguments) -> GraphPage | GraphExport | None:
    """The same of a graph as plain data."""
    from flowlib.graph_export import FORMS, GraphExport

    expand = how.get("expand", ())
    expand = [expand] if isinstance(expand, str) else expand
    wish = Wish(expand, how.get("around"), how.get("tasks"))
    if view == "console":
        _print(facts, wish, how)
        return None
    if unused := sorted(how.keys() - ViewArguments.__annotations__.keys()):
        raise TypeError(f"{unused[0]} is for the console, not for {view!r}")
    if view == "bokeh":
        from flowlib.drawing_bokeh import facts_page

        return facts_page(facts, wish, "task graph")
    for form in FORMS:
        if view == form:
            return GraphExport.of(facts, form, wish)
    listed = ", ".join(map(repr, ("console", "bokeh", *FORMS)))
    raise ValueError(f"there is no view {view!r} of a graph. There are: {listed}")


def html_of_flow(graph: TaskGraph, seen: Run | Plan | None) -> str:
    """What a notebook shows of a flow: a static piece of a page, under 50 kB."""
    from flowlib.flow_page import flow_html

    return flow_html(facts_of_flow(_with_growth(graph, seen), lambda node: _word_of(node, seen)))


def _with_growth(graph: TaskGraph, seen: Run | Plan | None) -> TaskGraph:
    """The graph with what its tasks have returned, as far as a run or a plan knows of it."""
    known = seen if seen is None or isinstance(seen, Plan) else seen.plan
    return graph if known is None or not known.graph.growths else known.graph


def _print(facts: GraphFacts, wish: Wish, how: DrawArguments) -> None:
    from flowlib.drawing import print_graph

    print_graph(
        facts,
        wish,
        width=how.get("width"),
        use_unicode=how.get("use_unicode"),
        use_pager=how.get("use_pager", False),
    )


def _word_of(node: Node, seen: Run | Plan | None) -> str | None:
    """The state of a node after a run, or in the store of a plan; None if neither is known."""
    if seen is None:
        return None
    if isinstance(seen, Plan):
        is_cached = node.key not in seen.reasons and node.key not in seen.left_out
        return "cached" if is_cached else _STORED.get(seen.reasons.get(node.key), "pending")
    return "cached" if seen.is_cached(node) else seen.state_of(node).value
