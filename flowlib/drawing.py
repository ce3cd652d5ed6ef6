"""How is a graph shown in the console? As a list in running order, each node with its readers."""

from __future__ import annotations

import os
import pydoc
import sys
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from networkx import DiGraph


def visualize_graph_in_console(
    graph: DiGraph[Any], use_pager: bool = True, use_unicode: bool = False
) -> None:
    """Show a graph in the console: every node, all components.

    Args:
        graph: A directed graph, such as `flow.task_graph` or `flow.task_spec_graph`.
        use_pager: Whether a pager is used; only where stdin and stdout are a terminal.
        use_unicode: Whether arrows and lines are Unicode characters.
    """
    text = graph_text(graph, use_unicode=use_unicode)
    if use_pager and sys.stdin.isatty() and sys.stdout.isatty():
        pydoc.pager(text)
    else:
        sys.stdout.write(text)


def graph_text(graph: DiGraph[Any], *, use_unicode: bool) -> str:
    """The name of the graph, then a line per node, predecessors first."""
    arrow = "──▶" if use_unicode and _can_show("──▶") else "-->"
    levels = levels_of(graph)
    width = max((len(str(node)) for node in graph), default=0)
    lines = [str(graph.name or "graph")]
    for node in sorted(graph, key=lambda each: levels[each]):
        readers = ", ".join(str(each) for each in graph.successors(node))
        indent = "  " * levels[node]
        lines.append(
            f"{indent}{node!s:<{width}} {arrow} {readers}" if readers else f"{indent}{node}"
        )
    return "\n".join(lines) + "\n"


def levels_of(graph: DiGraph[Any]) -> dict[Hashable, int]:
    """For each node the length of the longest path that leads to it.

    Raises:
        networkx.NetworkXUnfeasible: the graph has a circle.
    """
    import networkx as nx  # heavy, and wanted only here

    levels: dict[Hashable, int] = {}
    for node in nx.topological_sort(graph):
        levels[node] = max((levels[each] + 1 for each in graph.predecessors(node)), default=0)
    return levels


def _can_show(text: str) -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return not os.environ.get("FLOWLIB_ASCII")
