"""Which nodes of a graph do selectors select?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from flowlib.graph import TaskGraph
from flowlib.growth import in_running_order
from flowlib.node import Node, lineage
from flowlib.selectors import Selector, parse_selector, unknown

Words = Mapping[str, Collection[str]]
"""The keys that a word such as `failed` stands for."""


def select(graph: TaskGraph, texts: Iterable[str], words: Words | None = None) -> Selected:
    """The nodes that any of the selectors selects.

    Raises:
        SelectorError: a text is no selector, or selects nothing.
    """
    named: set[str] = set()
    spread: set[str] = set()
    leading: set[str] = set()
    groups = {**graph.labelled, **graph.by_spec}
    for text in texts:
        task, _, key = text.rpartition("/")
        exact = graph.nodes.get(key)
        if exact is not None and exact.name == task:  # whatever letters the name has
            named.add(key)
            continue
        selector = parse_selector(text, groups)
        nodes = _meant(graph, groups, selector, words or {})
        if not nodes:
            raise unknown(selector, groups, words or ())
        keys = {node.key for node in nodes}
        named |= keys
        if selector.downstream:
            leading |= keys
            spread |= downstream(graph, keys)
        if selector.upstream:
            spread |= {node.key for node in lineage(nodes)}
    return Selected(frozenset(named), frozenset(spread - named), frozenset(leading))


class Selected:
    """Keys of nodes.

    Attributes:
        named: Those that were meant themselves.
        spread: Those that only a `+` adds.
        leading: Those of the named with all that is downstream of them.
    """

    __slots__ = ("leading", "named", "spread")

    def __init__(
        self,
        named: frozenset[str],
        spread: frozenset[str],
        leading: frozenset[str] = frozenset(),
    ) -> None:
        self.named = named
        self.spread = spread
        self.leading = leading

    @property
    def keys(self) -> frozenset[str]:
        """All of them."""
        return self.named | self.spread


def downstream(graph: TaskGraph, keys: Collection[str]) -> set[str]:
    """The keys of the nodes that read, directly or not, from those with `keys`."""
    found: set[str] = set(keys)
    aliases: set[str] = set()
    reads: dict[int, bool] = {}
    growths = graph.growths
    for node in in_running_order(graph, growths) if growths else graph:
        upstream = node.upstream
        is_below = reads.get(id(upstream))
        if is_below is None:
            is_below = any(each.key in found for each in upstream.nodes)
            reads[id(upstream)] = is_below
        if is_below:
            found.add(node.key)
        elif growths and _has_grown(graph, node, found):
            aliases.add(node.key)  # its results are put together again, and no more than that
            found.add(node.key)
    return found - set(keys) - aliases


def _has_grown(graph: TaskGraph, node: Node, keys: Collection[str]) -> bool:
    """Whether the results of a node are those of some of these, which it has grown."""
    growth = graph.growths.get(node.key)
    return growth is not None and any(each.key in keys for each in growth.upstream.nodes)


def _meant(
    graph: TaskGraph, groups: Mapping[str, tuple[Node, ...]], selector: Selector, words: Words
) -> list[Node]:
    if selector.word:
        meant = words.get(selector.word, ())
        return [node for node in graph if node.key in meant]
    specs = [name for name in groups if selector.names_spec(name)]
    nodes = [node for name in specs for node in groups[name]] if specs else list(graph)
    if specs and not selector.key and not selector.conditions:
        return nodes
    return [
        node
        for name, node in _with_names(nodes, specs, groups)
        if selector.matches(name, node.unique_name, node.key, node.config)
    ]


def _with_names(
    nodes: list[Node], specs: list[str], groups: Mapping[str, tuple[Node, ...]]
) -> Iterator[tuple[str, Node]]:
    """Nodes, each with the name that was meant."""
    if not specs:
        yield from ((node.name, node) for node in nodes)
    for name in specs:
        yield from ((name, node) for node in groups[name])
