"""Where do the nodes of a graph stand? Layers from left to right, rows from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from flowlib.layer_order import (
    Order,
    barycentre_order,
    crossings,
    grandalf_order,
    sources_of,
)
from flowlib.layering import Layers, layers_of
from stores.lazy_dataclass import dataclass

_MOST_FOR_GRANDALF: Final = 500
"""Nodes; grandalf takes seconds for thousands."""

_POLISHING_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """A graph with a place for everything.

    Attributes:
        layers: The layer of each item, and what it leads to; items that are no nodes are lanes.
        rows: The row of each item, from 0 at the top; one item per layer and row.
        height: The number of rows.
        width: The number of layers.
    """

    layers: Layers
    rows: tuple[int, ...]
    height: int
    width: int


def layout(targets: Sequence[Sequence[int]]) -> Layout:
    """Place a graph: grandalf orders up to 500 nodes, a barycentre of our own more.

    Connected parts stand below each other.

    Args:
        targets: For each node, by number, the nodes it leads to.

    Raises:
        GraphError: the graph has a circle.
    """
    layers = layers_of(targets)
    rows = [0] * len(layers.layer_of)
    top = 0
    for items in _parts(layers):
        order = _order(layers, items)
        height = max(map(len, order))
        for item, row in _rows(layers, items, order, height).items():
            rows[item] = top + row
        top += height
    return Layout(layers, tuple(rows), top, max(layers.layer_of, default=-1) + 1)


def _order(layers: Layers, items: Sequence[int]) -> Order:
    ours = barycentre_order(layers, items)
    fewest = crossings(layers, ours)
    is_large = layers.nodes > _MOST_FOR_GRANDALF or len(items) > 2 * _MOST_FOR_GRANDALF
    if fewest == 0 or is_large:
        return ours
    # Where grandalf is no better, the order of the expansion is kept, which ours does.
    theirs = grandalf_order(layers, items)
    return theirs if crossings(layers, theirs) < fewest else ours


def _parts(layers: Layers) -> Iterable[list[int]]:
    """The connected parts, in the order of their first nodes."""
    neighbours: list[list[int]] = [[] for _ in layers.layer_of]
    for item, targets in enumerate(layers.targets):
        neighbours[item].extend(targets)
        for target in targets:
            neighbours[target].append(item)
    is_seen = [False] * len(neighbours)
    for first in range(layers.nodes):
        if is_seen[first]:
            continue
        is_seen[first] = True
        part = [first]
        for item in part:
            for each in neighbours[item]:
                if not is_seen[each]:
                    is_seen[each] = True
                    part.append(each)
        yield sorted(part)


def _rows(layers: Layers, items: Sequence[int], order: Order, height: int) -> dict[int, int]:
    """Rows that keep the order and lie close to those of the neighbours.

    The widest layer fills all rows; the others follow it outwards, then all are drawn to both
    of their sides.
    """
    sources = sources_of(layers, items)
    widest = max(range(len(order)), key=lambda index: len(order[index]))
    rows = {item: row for row, item in enumerate(order[widest])}
    outwards = chain(range(widest + 1, len(order)), range(widest - 1, -1, -1))
    for index in outwards:
        _settle(order[index], height, rows, [sources, layers.targets])
    for _ in range(_POLISHING_ROUNDS):
        for index in chain(range(len(order)), range(len(order) - 1, -1, -1)):
            if len(order[index]) < height:
                _settle(order[index], height, rows, [sources, layers.targets])
    return rows


def _settle(
    layer: Sequence[int],
    height: int,
    rows: dict[int, int],
    sides: Sequence[Sequence[Sequence[int]] | dict[int, list[int]]],
) -> None:
    """Give a layer the rows that are nearest to the middle of its neighbours' rows."""
    wanted = []
    for at, item in enumerate(layer):
        near = sorted(rows[each] for side in sides for each in side[item] if each in rows)
        middle = (near[(len(near) - 1) // 2] + near[len(near) // 2]) / 2 if near else float(at)
        wanted.append(middle - at)
    for at, (item, offset) in enumerate(zip(layer, _rising(wanted), strict=True)):
        rows[item] = at + min(max(0, int(offset + 0.5)), height - len(layer))


def _rising(values: Sequence[float]) -> list[float]:
    """The rising sequence with the least sum of squared differences (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, size = value, 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean = (before * count + mean * size) / (count + size)
            size += count
        blocks.append((mean, size))
    return [mean for mean, size in blocks for _ in range(size)]
