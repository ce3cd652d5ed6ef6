"""Where do boxes and lines of a graph stand in a picture that has pixels, not cells?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from rich.cells import cell_len

from flowlib.console_text import elided, harmless
from flowlib.graph_summary import ShownGraph, ShownNode
from flowlib.layout import Layout, layout
from flowlib.vocabulary import SHOWN_STATES
from stores.lazy_dataclass import dataclass

CELL_PX: Final = 7.3
"""Width of a character of 12 pixels; fonts differ, most are narrower."""

_PADDING_PX: Final = 8
_LONGEST_LABEL: Final = 40


@dataclass(frozen=True, slots=True)
class Box:
    """A node in a picture; lengths are pixels at the size it was made for, y grows downwards.

    Attributes:
        label: One line.
        x: Of its middle.
        y: Of its middle.
        width: Room for the label.
    """

    label: str
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Connection:
    """An edge in a picture.

    Attributes:
        source: Number of the box it comes from.
        target: Number of the box it leads to.
        points: From the right side of the one to the left side of the other.
    """

    source: int
    target: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """A graph in pixels.

    Attributes:
        boxes: One for each node.
        connections: One for each edge.
        width: Of the whole picture.
        height: Of the whole picture.
    """

    boxes: tuple[Box, ...]
    connections: tuple[Connection, ...]
    width: float
    height: float


def boxes_of(graph: ShownGraph, gap_px: float, row_px: float) -> Boxes:
    """Place the nodes of a graph as the console does.

    Args:
        graph: What is shown.
        gap_px: From the widest box of a layer to the next layer.
        row_px: From one row to the next.

    Raises:
        GraphError: the graph has a circle.
    """
    places = layout(graph.targets)
    labels = [label_of(node) for node in graph.nodes]
    widths = [width_of_label(label) for label in labels]
    columns = _columns(places, widths, gap_px)
    boxes = []
    for item, (label, width) in enumerate(zip(labels, widths, strict=True)):
        start, _ = columns[places.layers.layer_of[item]]
        boxes.append(Box(label, start + width / 2, (places.rows[item] + 0.5) * row_px, width))
    connections = [
        Connection(path[0], path[-1], tuple(_points(path, places, boxes, columns, row_px)))
        for path in _paths(places)
    ]
    end = columns[-1][1] if columns else 0.0
    return Boxes(tuple(boxes), tuple(connections), end, places.height * row_px)


def label_of(node: ShownNode) -> str:
    """The text of a box: icon, name, varying config, number of tasks."""
    icon = SHOWN_STATES[node.state].icon if node.state is not None else ""
    size = f"×{node.size}" if node.size > 1 else ""
    words = [icon, harmless(node.name), harmless(node.detail), size]
    return elided(" ".join(word for word in words if word), _LONGEST_LABEL, "…")


def width_of_label(label: str) -> float:
    """The pixels that a box needs for its label."""
    return cell_len(label) * CELL_PX + 2 * _PADDING_PX


def _columns(places: Layout, widths: Sequence[float], gap_px: float) -> list[tuple[float, float]]:
    """Where each layer begins and ends."""
    widest = [0.0] * places.width
    for layer, width in zip(places.layers.layer_of, widths, strict=False):
        widest[layer] = max(widest[layer], width)
    columns: list[tuple[float, float]] = []
    for width in widest:
        start = columns[-1][1] + gap_px if columns else 0.0
        columns.append((start, start + width))
    return columns


def _paths(places: Layout) -> Iterator[list[int]]:
    """For each edge its source, the lanes it uses, its target."""
    layers = places.layers
    for node in range(layers.nodes):
        stack = [[node, target] for target in reversed(layers.targets[node])]
        while stack:
            path = stack.pop()
            if path[-1] < layers.nodes:
                yield path
            else:
                stack.extend([*path, each] for each in reversed(layers.targets[path[-1]]))


def _points(
    path: Sequence[int],
    places: Layout,
    boxes: Sequence[Box],
    columns: Sequence[tuple[float, float]],
    row_px: float,
) -> Iterator[tuple[float, float]]:
    """A line that is level in layers and slants between them only."""
    first, last = boxes[path[0]], boxes[path[-1]]
    yield first.x + first.width / 2, first.y
    for item, _ in pairwise(path):
        start, end = columns[places.layers.layer_of[item]]
        y = (places.rows[item] + 0.5) * row_px
        if item != path[0]:
            yield start, y
        yield end, y
    yield last.x - last.width / 2, last.y
