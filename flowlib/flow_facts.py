"""The tasks of a flow as plain data, with their states in its last run."""

from __future__ import annotations

from collections.abc import Callable

from flowlib.graph import TaskGraph
from flowlib.graph_summary import GraphFacts, TaskFacts, config_text
from flowlib.labels import TaskRefs
from flowlib.node import Node


def facts_of_flow(
    graph: TaskGraph, state_of: Callable[[Node], str | None], *, has_configs: bool = False
) -> GraphFacts:
    """What pictures show of the tasks of a flow.

    Args:
        graph: The nodes.
        state_of: The state of a node, as a word; None if it is not known.
        has_configs: Whether the whole config of each task is wanted.
    """
    numbers = {key: number for number, key in enumerate(graph.nodes)}
    refs = TaskRefs(graph.by_spec)
    sources: dict[int, tuple[int, ...]] = {}
    for node in graph:
        if id(node.upstream) not in sources:
            sources[id(node.upstream)] = tuple(numbers[each.key] for each in node.upstream.nodes)
    return GraphFacts(
        tasks=[
            TaskFacts(
                node.name,
                node.unique_name,
                node.key,
                refs.label(node),
                state_of(node),
                config_text(node.config) if has_configs else "",
            )
            for node in graph
        ],
        sources=[sources[id(node.upstream)] for node in graph],
    )
