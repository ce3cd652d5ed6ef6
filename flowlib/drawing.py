"""How is a graph shown in the console? Any directed graph, or the tasks of a flow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowlib.console_graph import charset, graph_lines
from flowlib.console_text import Line, Span, elided, harmless, plain, styled
from flowlib.errors import GraphError
from flowlib.graph_summary import GraphFacts, TaskFacts, Wish
from flowlib.layering import circle_of
from flowlib.terminal import encoding_of, show, shows_colour, shows_unicode, terminal_width

if TYPE_CHECKING:
    from networkx import DiGraph


def visualize_graph_in_console(
    graph: DiGraph[Any], use_pager: bool = True, use_unicode: bool = False
) -> None:
    """Show a graph in the console: every node, all components, from left to right.

    A graph that is wider than the terminal becomes a list, each node with those it comes from.

    Args:
        graph: A directed graph, such as `flow.task_graph` or `flow.task_spec_graph`.
        use_pager: Whether $PAGER shows it; only where stdin and stdout are a terminal.
        use_unicode: Whether lines are drawn with Unicode characters, if stdout can show them.

    Raises:
        GraphError: the graph has a circle, or no directions.
    """
    facts = facts_of_digraph(graph)
    encoding = encoding_of(sys.stdout)
    title = elided(harmless(str(graph.name or "graph"), encoding), terminal_width(), "..")
    print_graph(
        facts,
        Wish(tasks=True),
        use_unicode=use_unicode,
        use_pager=use_pager,
        title=[(Span(title),)],
    )


def print_graph(
    facts: GraphFacts,
    wish: Wish,
    *,
    width: int | None = None,
    use_unicode: bool | None = None,
    use_pager: bool = False,
    title: Sequence[Line] = (),
) -> None:
    """Show a graph of tasks on stdout.

    Args:
        facts: The tasks.
        wish: What is to be seen of them.
        width: Of the picture; None is that of the terminal.
        use_unicode: Whether lines and icons are Unicode, if stdout can show them; None is yes.
        use_pager: Whether $PAGER shows it on a terminal.
        title: Lines above it.

    Raises:
        GraphError: the graph has a circle.
        SelectorError: the wish names what is not there.
    """
    chars = charset(
        use_unicode is not False and shows_unicode(sys.stdout),
        encoding_of(sys.stdout),
    )
    lines = [
        *title,
        *graph_lines(facts, terminal_width() if width is None else width, chars, wish),
    ]
    show(styled(lines) if shows_colour(sys.stdout) else plain(lines), use_pager=use_pager)


def facts_of_digraph(graph: DiGraph[Any]) -> GraphFacts:
    """The nodes of any directed graph as tasks; states where a node's `task` has run.

    Raises:
        GraphError: the graph has a circle, or no directions.
    """
    if not graph.is_directed():
        raise GraphError(f"only a graph with directions can be drawn, not {type(graph).__name__}")
    numbers = {node: number for number, node in enumerate(graph)}
    if circle := circle_of([[numbers[each] for each in graph.successors(n)] for n in graph]):
        nodes = list(graph)
        names = " -> ".join(str(nodes[number]) for number in circle)
        raise GraphError(f"the graph has a circle: {names}")
    states = [_state(data) for _, data in graph.nodes(data=True)]
    has_run = any(state not in (None, "pending") for state in states)
    return GraphFacts(
        tasks=[
            TaskFacts(spec=str(node), unique_name=str(node), state=state if has_run else None)
            for node, state in zip(graph, states, strict=True)
        ],
        sources=[[numbers[each] for each in graph.predecessors(node)] for node in graph],
    )


def _state(data: dict[str, Any]) -> str | None:
    """The state of a node of `flow.task_graph`; None for nodes of other graphs."""
    state = getattr(data.get("task"), "state", None)
    return getattr(state, "value", None)
