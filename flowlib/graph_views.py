"""networkx views of a graph, made when asked for; the graph itself is held once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flowlib.graph import TaskGraph
from flowlib.lineage import UniqueConfigs
from flowlib.node import Node
from flowlib.spec import TaskSpec
from stores import Address, MetaDict, TaskState, UniqueConfig

if TYPE_CHECKING:
    from networkx import DiGraph

StateOf = Callable[[Node], TaskState]


class NodeView:
    """What can be read of a node: the attribute `task` of `flow.task_graph`.

    Attributes:
        name: Name of the spec.
        unique_name: Name of the node.
        address: Where its record lies.
    """

    def __init__(self, node: Node, graph: _GraphFacts) -> None:
        self.name = node.name
        self.unique_name = node.unique_name
        self.address: Address = node.address
        self._node = node
        self._graph = graph

    def __repr__(self) -> str:
        return f"<NodeView {self.unique_name} {self.address}>"

    @property
    def key(self) -> str:
        """Its identity."""
        return self._node.key

    @property
    def unique_config_hash(self) -> str:
        """The first 8 characters of the key."""
        return self._node.key[:8]

    @property
    def state(self) -> TaskState:
        """Its state in the last run of the flow; pending before."""
        return self._graph.state_of(self._node)

    @property
    def config(self) -> MetaDict:
        """Its own config, as the task gets it."""
        return MetaDict({**self._node.config, **self._node.declaration.additional_kwargs})

    @property
    def unique_config(self) -> UniqueConfig:
        """Its config and those of all its ancestors, by task name."""
        return self._graph.configs.of(self._node)

    @property
    def sweep_counter(self) -> str:
        """Its index among the nodes of its spec."""
        return f"{self._node.index:03d}"

    @property
    def reduce(self) -> bool | list[str] | None:
        """Whether it gathers its predecessors."""
        reduce = self._node.declaration.reduce
        return list(reduce) if isinstance(reduce, tuple) else (reduce or None)

    @property
    def expects(self) -> Mapping[str, object]:
        """What it wants from its predecessors, by name."""
        return self._node.declaration.signature.expects

    @property
    def predecessors(self) -> list[NodeView]:
        """The nodes it reads from."""
        return [NodeView(each, self._graph) for each in self._node.upstream.nodes]

    @property
    def successors(self) -> list[NodeView]:
        """The nodes that read from it."""
        return [NodeView(each, self._graph) for each in self._graph.readers[self._node.key]]


class _GraphFacts:
    """Facts about all nodes that are worked out when one of them is asked for."""

    def __init__(self, graph: TaskGraph, state_of: StateOf) -> None:
        self._graph = graph
        self.state_of = state_of
        self.configs = UniqueConfigs(graph)
        self._readers: dict[str, list[Node]] | None = None

    @property
    def readers(self) -> dict[str, list[Node]]:
        if self._readers is None:
            self._readers = {key: [] for key in self._graph.nodes}
            for node in self._graph:
                for each in node.upstream.nodes:
                    self._readers[each.key].append(node)
        return self._readers


def task_graph_view(graph: TaskGraph, state_of: StateOf) -> DiGraph[Any]:
    """Every node by its unique name, with a `NodeView` as attribute `task`."""
    import networkx as nx  # heavy, and wanted only here

    facts = _GraphFacts(graph, state_of)
    view: DiGraph[Any] = nx.DiGraph(name="task graph")
    for node in graph:
        view.add_node(node.unique_name, task=NodeView(node, facts))
    for node in graph:
        for each in node.upstream.nodes:
            view.add_edge(each.unique_name, node.unique_name)
    return view


def spec_graph_view(graph: TaskGraph, specs: Iterable[TaskSpec]) -> DiGraph[Any]:
    """Every spec by its name, itself as attribute `task`; what tasks have returned its declaration.

    Of several calls of one function, which are one node, that is the first.
    """
    import networkx as nx  # heavy, and wanted only here

    by_name = {spec.name: spec for spec in reversed([*specs])}
    view: DiGraph[Any] = nx.DiGraph(name="task spec graph")
    for name, nodes in graph.by_spec.items():
        view.add_node(name, task=by_name.get(name, nodes[0].declaration if nodes else None))
    for name, sources in graph.spec_edges.items():
        for source in sources:
            view.add_edge(source, name)
    return view
