"""A graph in the languages of other programs: DOT of Graphviz, Mermaid, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from flowlib.console_text import encodable, harmless
from flowlib.graph_boxes import label_of
from flowlib.graph_summary import ShownGraph, ShownNode
from flowlib.page_colours import colour_of

SCHEMA: Final = 1
"""Of the JSON; parts may be added without another number."""

_PLAIN: Final = frozenset(" ./_=,-")
"""What Mermaid takes for itself in a label, beside letters, digits, and all that is not ASCII."""


def dot_text(graph: ShownGraph) -> str:
    """A graph for Graphviz."""
    lines = [
        "digraph flow {",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=12];',
        *(
            f"  n{number} [label={_quoted(label_of(node))}, tooltip={_quoted(node.told)}, "
            f'color="{colour_of(node.state)}"];'
            for number, node in enumerate(graph.nodes)
        ),
        *(f"  n{source} -> n{target};" for source, target in _edges(graph)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def mermaid_text(graph: ShownGraph) -> str:
    """A graph for Mermaid, which Markdown on GitHub and elsewhere shows as a picture."""
    members: dict[str, list[str]] = {}
    for number, node in enumerate(graph.nodes):
        if node.state is not None:
            members.setdefault(node.state, []).append(f"n{number}")
    lines = [
        "flowchart LR",
        *(f'  n{i}["{_coded(label_of(node))}"]' for i, node in enumerate(graph.nodes)),
        *(f"  n{source} --> n{target}" for source, target in _edges(graph)),
        *(f"  classDef {word} stroke:{colour_of(word)},stroke-width:2px" for word in members),
        *(f"  class {','.join(names)} {word}" for word, names in members.items()),
    ]
    return "\n".join(lines) + "\n"


def json_text(graph: ShownGraph) -> str:
    """A graph for programs: docs/drawing.md tells what stands where."""
    document = {
        "schema": SCHEMA,
        "nodes": [_described(node) for node in graph.nodes],
        "edges": [{"source": source, "target": target} for source, target in _edges(graph)],
    }
    return encodable(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _described(node: ShownNode) -> dict[str, Any]:
    return {
        "spec": node.name,
        "name": node.short_name,
        "id": node.id or None,
        "is_spec": node.is_spec,
        "tasks": node.size,
        "state": node.state,
        "states": {word: count for word, count in node.counts.items() if word is not None},
        "varying": node.detail,
        "config": node.config.split("\n") if node.config else [],
    }


def _edges(graph: ShownGraph) -> Iterator[tuple[int, int]]:
    for source, targets in enumerate(graph.targets):
        for target in targets:
            yield source, target


def _quoted(text: str) -> str:
    r"""A string of DOT, in which `\n`, `&lt;` and the like mean nothing special."""
    lines = (
        harmless(line).replace("&", "&amp;").replace("\\", "\\\\") for line in text.split("\n")
    )
    return '"' + "\\n".join(lines).replace('"', '\\"') + '"'


def _coded(text: str) -> str:
    """A label of Mermaid; what might mean something there is told by its number."""
    return "".join(
        each if not each.isascii() or each.isalnum() or each in _PLAIN else f"#{ord(each)};"
        for each in text
    )
