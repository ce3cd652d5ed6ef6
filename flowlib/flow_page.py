"""What does a notebook show of a flow? Its specs as a picture, and tasks by state."""

from __future__ import annotations

import html
from typing import Final

from flowlib.console_text import harmless
from flowlib.graph_export import image_html
from flowlib.graph_summary import GraphFacts, shown
from flowlib.graph_svg import svg_text
from flowlib.page_table import page_table
from flowlib.vocabulary import SHOWN_STATES

_MOST_NODES: Final = 200
_MOST_PICTURE_BYTES: Final = 30_000
_MOST_TABLE_BYTES: Final = 14_000


def flow_html(facts: GraphFacts) -> str:
    """A static piece of a page, under 50 kB: the specs as a picture, and as a table."""
    graph = shown(facts)
    rows = [
        (
            harmless(node.name),
            node.size,
            " ".join(
                f"{SHOWN_STATES[word].icon} {node.counts[word]} {word}"
                for word in SHOWN_STATES
                if node.counts[word]
            ),
        )
        for node in graph.nodes
    ]
    has_states = any(row[2] for row in rows)
    head = ("spec", "tasks", "states") if has_states else ("spec", "tasks")
    count = len(facts.tasks)
    note = f"{count:,} task" if count == 1 else f"{count:,} tasks"
    picture = ""
    if len(graph.nodes) <= _MOST_NODES:
        picture = image_html(svg_text(graph, has_titles=False), "the graph of the flow")
    if len(picture) > _MOST_PICTURE_BYTES or len(graph.nodes) > _MOST_NODES:
        hint = f"{len(graph.nodes)} specs are too many for a small picture: see flow.draw()"
        picture = f"<div>{html.escape(hint)}</div>"
    table = page_table(head, [row[: len(head)] for row in rows], note, _MOST_TABLE_BYTES)
    return f"<div>{picture}{table}</div>"
