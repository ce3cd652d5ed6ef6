"""How is a graph painted? Labels of one line, from left to right, joined by box drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowlib.channel import Channel, Rows, Trunk, route
from flowlib.console_text import Line, Span, merged
from flowlib.layering import levels_of
from flowlib.layout import Layout, layout
from stores.lazy_dataclass import dataclass

UP, DOWN, LEFT, RIGHT, BEHIND = 1, 2, 4, 8, 16
"""The arms of a cell; and whether a wire passes behind it."""

LINE_STYLE: Final = "dim"

_MOST_LANES: Final = 2000
_MOST_LANES_PER_NODE: Final = 4
"""With more lines that only pass by, nobody could follow them, and placing them takes long."""


@dataclass(frozen=True, slots=True)
class Pen:
    """The characters of lines.

    Attributes:
        cells: What each combination of arms looks like.
        pitch: Columns from one trunk to the next.
        gap: Empty rows between two trunks in one column.
    """

    cells: str
    pitch: int
    gap: int


UNICODE_PEN: Final = Pen("   │ ╯╮┤ ╰╭├─┴┬┼   │ ╯╮┤ ╰╭├─┴┬┼", 1, 0)
# A wire that passes behind `+` would look as if joined to it; `[` is open to the right only.
ASCII_PEN: Final = Pen("   | '.+ '.+-+++   | '.+ '.[-+++", 2, 1)


@dataclass(frozen=True, slots=True)
class Label:
    """What stands for a node.

    Attributes:
        spans: Its text.
        width: In cells.
    """

    spans: tuple[Span, ...]
    width: int


@dataclass(frozen=True, slots=True)
class Sketch:
    """Lines and places, before it is known how long the labels are.

    Attributes:
        places: Where the nodes stand.
        channels: The lines after each layer but the last.
        rows: The line of the picture for each row of the channels.
    """

    places: Layout
    channels: tuple[Channel, ...]
    rows: dict[int, int]
    pen: Pen

    @property
    def channel_widths(self) -> list[int]:
        """Cells between the labels of two layers, with a space at both ends."""
        return [_width_of(each, self.pen) for each in self.channels]


def sketched(targets: Sequence[Sequence[int]], pen: Pen, width: int) -> Sketch | None:
    """Place the nodes and lines of a graph; None if `width` cannot hold them with any labels.

    Raises:
        GraphError: the graph has a circle.
    """
    levels = levels_of(targets)
    if _is_too_wide(targets, levels, width):
        return None
    places = layout(targets)
    rows = Rows(places.height)
    channels = []
    room = width - places.width
    for nets in _nets(places):
        channel = route(nets, rows, pen.gap)
        room -= _width_of(channel, pen)
        if room < 0:
            return None
        channels.append(channel)
    used = sorted([*range(0, 2 * rows.count, 2), *rows.made])
    return Sketch(places, tuple(channels), {row: at for at, row in enumerate(used)}, pen)


def painted(sketch: Sketch, labels: Sequence[Label]) -> list[Line]:
    """The picture, line by line.

    Args:
        sketch: Where everything stands.
        labels: One for each node.
    """
    widths = layer_widths(sketch, labels)
    starts = [0]
    for own, between in zip(widths, sketch.channel_widths, strict=False):
        starts.append(starts[-1] + own + between)
    total = starts[-1] + widths[-1] if widths else 0
    grid = [bytearray(total) for _ in sketch.rows]
    for index, channel in enumerate(sketch.channels):
        edge = (starts[index] + widths[index] + 1, starts[index + 1] - 1)
        _paint_channel(grid, channel, sketch, edge)
    texts: list[list[tuple[int, Label]]] = [[] for _ in sketch.rows]
    _paint_layers(grid, texts, sketch, labels, starts)
    table = sketch.pen.cells
    return [_line(cells, at, table) for cells, at in zip(grid, texts, strict=True)]


def layer_widths(sketch: Sketch, labels: Sequence[Label]) -> list[int]:
    """The width of the widest label of each layer."""
    widths = [1] * sketch.places.width
    for layer, label in zip(sketch.places.layers.layer_of, labels, strict=False):
        widths[layer] = max(widths[layer], label.width)
    return widths


def _is_too_wide(targets: Sequence[Sequence[int]], levels: Sequence[int], width: int) -> bool:
    """Whether it is plain, before anything is placed, that there is not enough room."""
    depth = max(levels, default=-1) + 1
    if depth + (depth - 1) * 4 > width:
        return True
    passed = sum(
        max(levels[each] for each in near) - level - 1
        for near, level in zip(targets, levels, strict=True)
        if near
    )
    return passed > _MOST_LANES + _MOST_LANES_PER_NODE * len(targets)


def _nets(places: Layout) -> list[list[tuple[list[int], list[int]]]]:
    """For each channel: source rows and target rows of the items that lead to the same ones."""
    nets: list[dict[tuple[int, ...], list[int]]] = [{} for _ in range(max(0, places.width - 1))]
    for item, targets in enumerate(places.layers.targets):
        if targets:
            nets[places.layers.layer_of[item]].setdefault(targets, []).append(item)
    return [
        [
            (sorted(2 * places.rows[a] for a in sources), sorted(2 * places.rows[b] for b in ends))
            for ends, sources in channel.items()
        ]
        for channel in nets
    ]


def _width_of(channel: Channel, pen: Pen) -> int:
    columns = max(0, (channel.columns - 1) * pen.pitch + 1)
    return max(2, columns + 2) + 2


def _paint_channel(
    grid: list[bytearray], channel: Channel, sketch: Sketch, edges: tuple[int, int]
) -> None:
    first, last = edges
    for column, trunk in channel.trunks:
        _paint_trunk(grid, trunk, sketch, first + 1 + column * sketch.pen.pitch)
    for wire in channel.wires:
        start = first if wire.start is None else first + 2 + wire.start * sketch.pen.pitch
        end = last if wire.end is None else first + 1 + wire.end * sketch.pen.pitch
        _paint_wire(grid[sketch.rows[wire.row]], start, end)


def _paint_trunk(grid: list[bytearray], trunk: Trunk, sketch: Sketch, x: int) -> None:
    top, bottom = sketch.rows[trunk.top], sketch.rows[trunk.bottom]
    for y in range(top, bottom + 1):
        grid[y][x] |= (UP if y > top else 0) | (DOWN if y < bottom else 0)
    for row in trunk.left:
        grid[sketch.rows[row]][x] |= LEFT
    for row in trunk.right:
        grid[sketch.rows[row]][x] |= RIGHT


def _paint_wire(cells: bytearray, start: int, end: int) -> None:
    for x in range(start, end):
        if not cells[x]:
            cells[x] = LEFT | RIGHT
        elif not cells[x] & LEFT:
            cells[x] |= BEHIND


def _paint_layers(
    grid: list[bytearray],
    texts: list[list[tuple[int, Label]]],
    sketch: Sketch,
    labels: Sequence[Label],
    starts: Sequence[int],
) -> None:
    """Put down the labels, and lead wires from their ends, or through lanes, to the channels."""
    layers = sketch.places.layers
    widths = layer_widths(sketch, labels)
    for item, layer in enumerate(layers.layer_of):
        y = sketch.rows[2 * sketch.places.rows[item]]
        start = starts[layer]
        end = start + widths[layer] + 1
        if item < layers.nodes:
            texts[y].append((start, labels[item]))
            start += labels[item].width + 1
        else:
            start -= 1
        if layers.targets[item]:
            _paint_wire(grid[y], start, end)


def _line(cells: bytearray, labels: list[tuple[int, Label]], table: str) -> Line:
    spans = []
    at = 0
    for start, label in sorted(labels, key=lambda each: each[0]):
        spans.append(Span(_drawn(cells[at:start], table), LINE_STYLE))
        spans.extend(label.spans)
        at = start + label.width
    spans.append(Span(_drawn(cells[at:], table), LINE_STYLE))
    return merged(spans)


def _drawn(cells: bytearray, table: str) -> str:
    return "".join([table[cell] for cell in cells])
