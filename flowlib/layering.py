"""In which layer does each node of a graph stand, and which lines pass the layers between?"""

from __future__ import annotations

from collections.abc import Sequence

from flowlib.errors import GraphError
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Layers:
    """A graph in which every edge leads to the next layer.

    Attributes:
        nodes: How many of the items are nodes; the items after them are lanes, pieces of lines
            that pass through a layer on their way to later ones.
        layer_of: The layer of each item, from 0.
        targets: For each item those it leads to, all in the next layer.
    """

    nodes: int
    layer_of: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]


def layers_of(targets: Sequence[Sequence[int]]) -> Layers:
    """Give every node the length of the longest path to it, and cut long edges into lanes.

    Nodes that feed more than they read stand as late as they can. Lines that still lead to the
    same nodes share a lane.

    Args:
        targets: For each node the nodes it leads to, by number.

    Raises:
        GraphError: the graph has a circle.
    """
    return _with_lanes(targets, levels_of(targets))


def levels_of(targets: Sequence[Sequence[int]]) -> list[int]:
    """The layer of each node, without lanes.

    Raises:
        GraphError: the graph has a circle.
    """
    order = topological_order(targets)
    levels = _levels(targets, order)
    _move_towards_readers(targets, order, levels)
    return levels


def topological_order(targets: Sequence[Sequence[int]]) -> list[int]:
    """The nodes in an order in which every edge leads forward.

    Raises:
        GraphError: there is none, as the graph has a circle.
    """
    missing = _incoming_counts(targets)
    order = [node for node, count in enumerate(missing) if count == 0]
    for node in order:
        for target in targets[node]:
            missing[target] -= 1
            if missing[target] == 0:
                order.append(target)
    if len(order) < len(targets):
        raise GraphError("the graph has a circle")
    return order


def circle_of(targets: Sequence[Sequence[int]]) -> list[int]:
    """The nodes of one circle, the first also at the end; empty if there is none."""
    missing = _incoming_counts(targets)
    free = [node for node, count in enumerate(missing) if count == 0]
    for node in free:
        for target in targets[node]:
            missing[target] -= 1
            if missing[target] == 0:
                free.append(target)
    # A node that is left has a source that is left: walking back must come round.
    source_of: dict[int, int] = {}
    for node, count in enumerate(missing):
        if count > 0:
            source_of.update(dict.fromkeys((t for t in targets[node] if missing[t] > 0), node))
    if not source_of:
        return []
    node, met = next(iter(source_of)), dict[int, None]()
    while node not in met:
        met[node] = None
        node = source_of[node]
    walked = list(met)
    return [node, *reversed(walked[walked.index(node) :])]


def _incoming_counts(targets: Sequence[Sequence[int]]) -> list[int]:
    counts = [0] * len(targets)
    for each in targets:
        for target in each:
            counts[target] += 1
    return counts


def _levels(targets: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    levels = [0] * len(targets)
    for node in order:
        below = levels[node] + 1
        for target in targets[node]:
            if levels[target] < below:
                levels[target] = below
    return levels


def _move_towards_readers(
    targets: Sequence[Sequence[int]], order: Sequence[int], levels: list[int]
) -> None:
    """Shorten lines: what has more readers than sources goes to the layer before its readers."""
    incoming = _incoming_counts(targets)
    for node in reversed(order):
        if incoming[node] < len(targets[node]):
            levels[node] = min(levels[target] for target in targets[node]) - 1


def _with_lanes(targets: Sequence[Sequence[int]], levels: Sequence[int]) -> Layers:
    layer_of = list(levels)
    found: list[tuple[int, ...]] = [()] * len(targets)
    lanes: dict[tuple[int, tuple[int, ...]], int] = {}
    waiting = [(node, tuple(sorted(set(targets[node])))) for node in range(len(targets))]
    for item, wanted in waiting:  # grows while it is walked: every new lane comes to its end
        below = layer_of[item] + 1
        near = [target for target in wanted if layer_of[target] == below]
        far = tuple(target for target in wanted if layer_of[target] > below)
        if far:
            lane = lanes.get((below, far))
            if lane is None:
                lane = lanes[below, far] = len(layer_of)
                layer_of.append(below)
                found.append(())
                waiting.append((lane, far))
            near.append(lane)
        found[item] = tuple(near)
    return Layers(len(targets), tuple(layer_of), tuple(found))
