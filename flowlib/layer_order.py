"""In which order do the items of each layer stand, so that few lines cross?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from flowlib.layering import Layers

if TYPE_CHECKING:
    from grandalf.layouts import SugiyamaLayout

Order = list[list[int]]
"""The items of each layer, from top to bottom."""

_MOST_ROUNDS: Final = 12
_MOST_VISITS: Final = 400_000
"""Items and lines that rounds look at in all: what bounds the time of huge graphs."""


def barycentre_order(layers: Layers, items: Sequence[int]) -> Order:
    """The order of a connected part, by the mean place of each item's neighbours.

    Equal items stay in the order of their numbers, which is that of the expansion.
    """
    order = _as_given(layers, items)
    sources = sources_of(layers, items)
    best, fewest = [*map(list, order)], crossings(layers, order)
    visits = sum(1 + len(layers.targets[item]) for item in items)
    for _ in range(max(2, min(_MOST_ROUNDS, _MOST_VISITS // visits))):
        if fewest == 0:
            break
        before = [*map(list, order)]
        _sort_layers(order, range(1, len(order)), sources.__getitem__)
        _sort_layers(order, range(len(order) - 2, -1, -1), layers.targets.__getitem__)
        count = crossings(layers, order)
        if count < fewest:
            best, fewest = [*map(list, order)], count
        if order == before:
            break
    return best


def grandalf_order(layers: Layers, items: Sequence[int]) -> Order:
    """The order of a connected part, as grandalf finds it; slow above some hundred items."""
    from grandalf.graphs import Edge, Graph, Vertex
    from grandalf.layouts import SugiyamaLayout

    first = min(layers.layer_of[item] for item in items)
    vertices = {item: Vertex(item) for item in items}
    edges = [Edge(vertices[a], vertices[b]) for a in items for b in layers.targets[a]]
    sources = sources_of(layers, items)
    extra: list[Vertex] = []
    for item in items:
        # grandalf puts what has no source into its first layer: a chain holds it where it is.
        depth = layers.layer_of[item] - first if not sources[item] else 0
        chain = [Vertex(None) for _ in range(depth)]
        extra += chain
        edges += [Edge(a, b) for a, b in pairwise([*chain, vertices[item]])]
    graph = Graph([*vertices.values(), *extra], edges)
    for vertex in graph.C[0].V():
        vertex.view = _VIEW
    sugiyama = SugiyamaLayout(graph.C[0])
    sugiyama.init_all()
    return _best_of_grandalf(layers, sugiyama)


def crossings(layers: Layers, order: Order) -> int:
    """How many pairs of lines cross."""
    count = 0
    for upper, lower in pairwise(order):
        place = {item: index for index, item in enumerate(lower)}
        ends = [
            end
            for item in upper
            for end in sorted(place[target] for target in layers.targets[item])
        ]
        count += _inversions(ends, len(lower))
    return count


def sources_of(layers: Layers, items: Sequence[int]) -> dict[int, list[int]]:
    """For each of `items` those that lead to it."""
    sources: dict[int, list[int]] = {item: [] for item in items}
    for item in items:
        for target in layers.targets[item]:
            sources[target].append(item)
    return sources


class _View:
    """The size of a node, which grandalf asks for; every row is as high as the others."""

    w = h = 1


_VIEW: Final = _View()


def _best_of_grandalf(layers: Layers, sugiyama: SugiyamaLayout) -> Order:
    best: Order = []
    fewest = -1
    for _ in range(3):
        for _step in sugiyama.ordering_step():
            pass
        order = [[v.data for v in layer if v.data is not None] for layer in sugiyama.layers]
        count = crossings(layers, order)
        if not best or count < fewest:
            best, fewest = order, count
    return best


def _as_given(layers: Layers, items: Sequence[int]) -> Order:
    first = min(layers.layer_of[item] for item in items)
    last = max(layers.layer_of[item] for item in items)
    order: Order = [[] for _ in range(first, last + 1)]
    for item in sorted(items):
        order[layers.layer_of[item] - first].append(item)
    return order


def _sort_layers(
    order: Order, indexes: range, neighbours_of: Callable[[int], Sequence[int]]
) -> None:
    """Sort the layers one after the other by the mean place of the neighbours just placed."""
    back = -indexes.step
    for index in indexes:
        place = {item: at for at, item in enumerate(order[index + back])}
        means: dict[int, float] = {}
        for at, item in enumerate(order[index]):
            near = neighbours_of(item)
            means[item] = sum(place[each] for each in near) / len(near) if near else float(at)
        order[index].sort(key=means.__getitem__)


def _inversions(ends: Sequence[int], size: int) -> int:
    """How many pairs are out of order (a Fenwick tree: n log n)."""
    tree = [0] * (size + 1)
    count = 0
    for seen, end in enumerate(ends):
        at, not_after = end + 1, 0
        while at:
            not_after += tree[at]
            at &= at - 1
        count += seen - not_after
        at = end + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return count
