"""The graph of a run as a file in its folder: what its manifest does not tell, for who sees it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from flowlib.graph_summary import GraphFacts, TaskFacts

GRAPH: Final = "graph.json"
SCHEMA: Final = 1
"""Parts may be added without another number."""


def write_graph(folder: Path, facts: GraphFacts) -> None:
    """Write the tasks of a run and what each reads from.

    Raises:
        OSError: the disk is full, say.
    """
    numbers: dict[int, int] = {}
    lists: list[list[int]] = []
    for each in facts.sources:
        if id(each) not in numbers:
            numbers[id(each)] = len(lists)
            lists.append([*each])
    document = {
        "schema": SCHEMA,
        "tasks": [[each.spec, each.unique_name, each.key, each.detail] for each in facts.tasks],
        "sources": lists,
        "sources_of": [numbers[id(each)] for each in facts.sources],
    }
    new = folder / f"{GRAPH}.new"
    new.write_text(json.dumps(document, separators=(",", ":")), encoding="ascii")
    new.replace(folder / GRAPH)


def read_graph(folder: Path) -> GraphFacts | None:
    """The tasks of a run without their states; None if there is nothing that can be read."""
    try:
        found = json.loads((folder / GRAPH).read_bytes())
        tasks = [TaskFacts(*map(_text, each)) for each in found["tasks"]]
        lists = [tuple(_number(n, len(tasks)) for n in each) for each in found["sources"]]
        sources = [lists[_number(each, len(lists))] for each in found["sources_of"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return GraphFacts(tasks, sources) if len(sources) == len(tasks) else None


def with_states(facts: GraphFacts, states: dict[str, str]) -> GraphFacts:
    """The same tasks with states, by key; those of which nothing is known are pending."""
    tasks = [replace(each, state=states.get(each.key, "pending")) for each in facts.tasks]
    return GraphFacts(tasks, facts.sources)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: object, limit: int) -> int:
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError(f"{value!r} is no number of what there is")
    return value
