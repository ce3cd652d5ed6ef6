"""The configs of nodes with those of all their ancestors, by task name: their `unique_config`."""

from __future__ import annotations

from flowlib.graph import TaskGraph
from flowlib.node import Node
from flowlib.recorded import RecordedConfig
from stores import UniqueConfig, canonical
from stores.lineage import Config, Lineage, merged, plain


class UniqueConfigs:
    """The unique configs of a graph, worked out together when one is asked for."""

    def __init__(self, graph: TaskGraph) -> None:
        self._graph = graph
        self._lineages: dict[str, Lineage] = {}

    def of(self, node: Node) -> UniqueConfig:
        """The unique config of one node: a copy of the asker's own."""
        if not self._lineages:
            self._lineages = _lineages(self._graph)
        return UniqueConfig(plain(self._lineages[node.key]), node.address)


def _lineages(graph: TaskGraph) -> dict[str, Lineage]:
    found: dict[str, Lineage] = {}
    texts: dict[int, RecordedConfig] = {}
    for node in graph:
        text = texts.get(id(node.declaration))
        if text is None:
            text = texts[id(node.declaration)] = RecordedConfig(node.declaration)
        own = canonical.decode(text.user(node.arguments))
        config: Config = own if isinstance(own, dict) else {}
        upstream = [found[each.key] for each in node.upstream.nodes]
        found[node.key] = merged(node.name, config, upstream, gathers=node.upstream.gathers)
    return found
