"""Which nodes of a graph do selectors select?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from flowlib.graph import TaskGraph
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
            spread |= downstream(graph, keys)
        if selector.upstream:
            spread |= {node.key for node in lineage(nodes)}
    return Selected(frozenset(named), frozenset(spread - named))


class Selected:
    """Keys of nodes.

    Attributes:
        named: Those that were meant themselves.
        spread: Those that only a `+` adds.
    """

    __slots__ = ("named", "spread")

    def __init__(self, named: frozenset[str], spread: frozenset[str]) -> None:
        self.named = named
        self.spread = spread

    @property
    def keys(self) -> frozenset[str]:
        """All of them."""
        return self.named | self.spread


def downstream(graph: TaskGraph, keys: Collection[str]) -> set[str]:
    """The keys of the nodes that read, directly or not, from those with `keys`."""
    found: set[str] = set(keys)
    reads: dict[int, bool] = {}
    for node in graph:
        upstream = node.upstream
        is_below = reads.get(id(upstream))
        if is_below is None:
            is_below = any(each.key in found for each in upstream.nodes)
            reads[id(upstream)] = is_below
        if is_below:
            found.add(node.key)
    return found - set(keys)


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
