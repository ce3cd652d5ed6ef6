"""A graph as SVG: one file that needs nothing else, readable on a white page and on a dark one."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from rich.cells import cell_len

from flowlib.console_text import harmless
from flowlib.graph_boxes import CELL_PX, Box, Boxes, Connection, boxes_of
from flowlib.graph_summary import ShownGraph, ShownNode
from flowlib.page_colours import LINE, colour_of
from flowlib.vocabulary import SHOWN_STATES

_GAP_PX: Final = 48
_ROW_PX: Final = 36
_BOX_PX: Final = 26
_BAR_PX: Final = 4
_MARGIN_PX: Final = 8
_LEGEND_PX: Final = 26

LIGHT_TEXT: Final = "#68717b"
DARK_TEXT: Final = "#949ca6"
"""Text where a system is set to light or to dark; the page around need not be the same."""

_STYLE: Final = (
    f"text{{font:12px ui-monospace,Menlo,Consolas,monospace;fill:{LIGHT_TEXT}}}"
    f"path{{fill:none;stroke:{LINE};opacity:.7}}"
    "rect.box{fill-opacity:.1;stroke-width:1.5}"
    f"@media(prefers-color-scheme:dark){{text{{fill:{DARK_TEXT}}}}}"
)


def svg_text(graph: ShownGraph, *, has_titles: bool = True) -> str:
    """The picture of a graph, laid out as in the console, with a bar of states in each spec.

    Args:
        graph: What is shown.
        has_titles: Whether the mouse is told more about a node; no use in an `<img>`.

    Raises:
        GraphError: the graph has a circle.
    """
    boxes = boxes_of(graph, _GAP_PX, _ROW_PX)
    counts: Counter[str] = Counter()
    for node in graph.nodes:
        counts.update({word: n for word, n in node.counts.items() if word is not None})
    words = [word for word in SHOWN_STATES if counts[word]]
    legend = [f"{SHOWN_STATES[word].icon} {counts[word]} {word}" for word in words]
    width = max(boxes.width, _legend_px(legend)) + 2 * _MARGIN_PX
    height = boxes.height + 2 * _MARGIN_PX + (_LEGEND_PX if legend else 0)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_px(width)}" height="{_px(height)}" '
            f'viewBox="{-_MARGIN_PX} {-_MARGIN_PX} {_px(width)} {_px(height)}" role="img">',
            f"<style>{_STYLE}</style>",
            *(_line(each) for each in boxes.connections),
            *(
                _node(node, box, has_titles)
                for node, box in zip(graph.nodes, boxes.boxes, strict=True)
            ),
            *_legend(legend, boxes),
            "</svg>\n",
        ]
    )


def _line(connection: Connection) -> str:
    start, *rest = connection.points
    steps = "".join(f"L{_px(x)} {_px(y)}" for x, y in rest)
    return f'<path d="M{_px(start[0])} {_px(start[1])}{steps}"/>'


def _node(node: ShownNode, box: Box, has_titles: bool) -> str:
    left, top = box.x - box.width / 2, box.y - _BOX_PX / 2
    colour = colour_of(node.state)
    known = {word: count for word, count in node.counts.items() if word is not None}
    bar = _bar(known, left, top + _BOX_PX - _BAR_PX, box.width) if node.size > 1 else ""
    told = "\n".join(map(harmless, node.told.split("\n")))
    title = f"<title>{html.escape(told)}</title>" if has_titles else ""
    return (
        f'<g>{title}<rect class="box" x="{_px(left)}" y="{_px(top)}" width="{_px(box.width)}" '
        f'height="{_BOX_PX}" rx="4" fill="{colour}" stroke="{colour}"/>{bar}'
        f"{_text(box.label, box.x, box.y + 4, 'middle')}</g>"
    )


def _bar(counts: Mapping[str, int], left: float, top: float, width: float) -> str:
    """How many tasks are in which state, side by side."""
    total, pieces = sum(counts.values()), []
    for word in SHOWN_STATES:
        if count := counts.get(word, 0):
            share = width * count / total
            pieces.append(
                f'<rect x="{_px(left)}" y="{_px(top)}" width="{_px(share)}" height="{_BAR_PX}" '
                f'fill="{colour_of(word)}"/>'
            )
            left += share
    return "".join(pieces)


def _legend(words: list[str], boxes: Boxes) -> Iterator[str]:
    left = 0.0
    for word in words:
        yield _text(word, left, boxes.height + _LEGEND_PX - _MARGIN_PX, "start")
        left += (cell_len(word) + 2) * CELL_PX


def _legend_px(words: list[str]) -> float:
    return sum((cell_len(word) + 2) * CELL_PX for word in words)


def _text(text: str, x: float, y: float, anchor: str) -> str:
    """Text as wide as it was meant to be, whatever the font is."""
    return (
        f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}" '
        f'textLength="{_px(cell_len(text) * CELL_PX)}" lengthAdjust="spacingAndGlyphs">'
        f"{html.escape(text)}</text>"
    )


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
