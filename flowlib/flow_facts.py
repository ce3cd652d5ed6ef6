"""The tasks of a flow as plain data, with their states in its last run."""

from __future__ import annotations

from collections.abc import Callable

from flowlib.graph import TaskGraph
from flowlib.graph_summary import GraphFacts, TaskFacts, config_text
from flowlib.growth import in_running_order
from flowlib.items import is_slot
from flowlib.labels import TaskRefs
from flowlib.node import Node


def facts_of_flow(
    graph: TaskGraph,
    state_of: Callable[[Node], str | None],
    *,
    has_configs: bool = False,
    refs: TaskRefs | None = None,
) -> GraphFacts:
    """What pictures show of the tasks of a flow.

    A task that has returned specs comes after their tasks, from which it has its results.

    Args:
        graph: The nodes.
        state_of: The state of a node, as a word; None if it is not known.
        has_configs: Whether the whole config of each task is wanted.
        refs: What names the nodes of this graph, if somebody has that already.
    """
    growths = graph.growths
    nodes = list(in_running_order(graph, growths) if growths else graph)
    numbers = {node.key: number for number, node in enumerate(nodes)}
    refs = refs or TaskRefs(graph.by_spec)
    sources: dict[int, tuple[int, ...]] = {}
    for node in nodes:
        if id(node.upstream) not in sources:
            sources[id(node.upstream)] = tuple(numbers[each.key] for each in node.upstream.nodes)
    every = [sources[id(node.upstream)] for node in nodes]
    for key, growth in growths.items():
        roots = [numbers[each.key] for each in growth.upstream.nodes if each.key in numbers]
        every[numbers[key]] = tuple(dict.fromkeys([*every[numbers[key]], *roots]))
    return GraphFacts(
        tasks=[
            TaskFacts(
                node.name,
                node.unique_name,
                node.key,
                refs.label(node),
                state_of(node),
                config_text(_told(node)) if has_configs else "",
            )
            for node in nodes
        ],
        sources=every,
    )


def _told(node: Node) -> dict[str, object]:
    """The config of a node without the parameters for which it reads a whole result."""
    return {name: value for name, value in node.config.items() if not is_slot(value)}
