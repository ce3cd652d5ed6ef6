"""The configs of nodes with those of all their ancestors, by task name: their `unique_config`."""

from __future__ import annotations

from collections.abc import Mapping

from flowlib.graph import TaskGraph
from flowlib.node import Node
from flowlib.recorded import RecordedConfig
from stores import UniqueConfig, canonical
from stores.lineage import Config, as_meta, merged


class UniqueConfigs:
    """The unique configs of a graph, worked out together when one is asked for."""

    def __init__(self, graph: TaskGraph) -> None:
        self._graph = graph
        self._merged: dict[str, Config] = {}

    def of(self, node: Node) -> UniqueConfig:
        """The unique config of one node: a copy of the asker's own."""
        if not self._merged:
            self._merged = _merged_configs(self._graph)
        return UniqueConfig(as_meta(self._merged[node.key]), node.address)


def _merged_configs(graph: TaskGraph) -> dict[str, Config]:
    found: dict[str, Config] = {}
    texts: dict[int, RecordedConfig] = {}
    for node in graph:
        text = texts.get(id(node.declaration))
        if text is None:
            text = texts[id(node.declaration)] = RecordedConfig(node.declaration)
        own = canonical.decode(text.user(node.arguments))
        config: Mapping[str, object] = own if isinstance(own, dict) else {}
        upstream = [found[each.key] for each in node.upstream.nodes]
        found[node.key] = merged((node.name, config), upstream, gathers=node.upstream.gathers)
    return found
