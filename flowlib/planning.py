"""How is a plan made? The graph is compared with the store, which is asked in one look."""

from __future__ import annotations

from collections.abc import Sequence

from flowlib.bulk import paused_collection
from flowlib.comparison import Comparison, is_older_than_input
from flowlib.graph import TaskGraph
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.reasons import SPREADING, Reason
from flowlib.recorded import RecordedConfig
from flowlib.selection import Selected
from flowlib.wishes import forced_nodes
from stores import ResultsStore


def make_plan(
    graph: TaskGraph, store: ResultsStore, force: str | Sequence[str] | None = None
) -> Plan:
    """Compare `graph` with `store`, which is asked once for all nodes.

    Raises:
        SelectorError: `force` names an unknown spec.
        TypeError: `force` is neither a name nor a list of names, or mixes "all" with names.
    """
    forced = forced_nodes(graph, force)
    with paused_collection():
        return _plan(graph, store, forced)


def _plan(graph: TaskGraph, store: ResultsStore, forced: Selected) -> Plan:
    statuses = store.statuses([node.address for node in graph])
    texts = {
        nodes[0].declaration: RecordedConfig(nodes[0].declaration)
        for nodes in graph.by_spec.values()
        if nodes
    }
    comparison = Comparison(store, statuses, texts)
    reasons: dict[str, Reason] = {}
    stale: list[Node] = []
    for node in graph:
        reason = _reason(node, comparison, forced, reasons)
        status = statuses.get(node.key)
        if reason is not None:
            reasons[node.key] = reason
        elif status is not None and is_older_than_input(node, status, statuses, reasons):
            stale.append(node)
    return Plan(graph, reasons, statuses, tuple(stale), forced.keys, texts)


def _reason(
    node: Node, comparison: Comparison, forced: Selected, reasons: dict[str, Reason]
) -> Reason | None:
    if node.key in forced.named:
        return Reason.FORCE
    if node.key in forced.spread:
        return Reason.UPSTREAM
    reason = comparison.reason(node)
    is_spread = reason is None and bool(reasons)
    if is_spread and any(reasons.get(n.key) in SPREADING for n in node.upstream.nodes):
        return Reason.UPSTREAM
    return reason
