"""What must a page know to show the tasks of any spec one by one, or the spec as one box?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from flowlib.graph_summary import GraphFacts, ShownGraph, shown
from flowlib.layering import levels_of
from flowlib.layout import layout
from stores.lazy_dataclass import dataclass

MOST_NODES: Final = 2000
"""More boxes at once are no picture; they are shown by spec, and the page says so."""

MOST_LINES: Final = 20_000
"""More lines make a browser slow."""

_MOST_TASKS: Final = 20_000
"""Pages of larger flows know specs alone."""


@dataclass(frozen=True, slots=True)
class Unfolding:
    """A graph with its specs closed and with all of them open; both are pictures of one flow.

    Attributes:
        closed: A node for each spec, and for each task that always stands by itself.
        opened: A node for each task.
        closed_of: For each task the node of `closed` that stands for it.
        layers: The layer of each node of `closed`, and so of its tasks.
        ranks: For each task how far down it stands, from 0 to 1: neighbours keep that order.
        sources: Lists of tasks that are read from.
        sources_of: For each task its list.
        open_first: The nodes of `closed` whose tasks are shown at first.
    """

    closed: ShownGraph
    opened: ShownGraph
    closed_of: tuple[int, ...]
    layers: tuple[int, ...]
    ranks: tuple[float, ...]
    sources: tuple[tuple[int, ...], ...]
    sources_of: tuple[int, ...]
    open_first: tuple[int, ...]

    @property
    def shown_first(self) -> list[int]:
        """For each box that is shown at first the node of `closed` that it belongs to."""
        opened = frozenset(self.open_first)
        boxes = [(node, task if node in opened else -1) for task, node in enumerate(self.closed_of)]
        return [node for node, _ in dict.fromkeys(boxes)]

    @property
    def foldable(self) -> list[int]:
        """The nodes of `closed` that can be opened."""
        return [
            number
            for number, node in enumerate(self.closed.nodes)
            if node.is_spec and 1 < node.size <= MOST_NODES
        ]


def unfolding(
    facts: GraphFacts, expand: Collection[str] | None, focus: Collection[int]
) -> Unfolding | None:
    """How the specs of a graph open and close; None if there is nothing to open, or far too much.

    Args:
        facts: The tasks.
        expand: Names of the specs that are open at first; None is all of them.
        focus: Tasks that always stand by themselves.
    """
    if len(facts.tasks) > _MOST_TASKS:
        return None
    closed = shown(facts, (), focus)
    if len(closed.nodes) == len(facts.tasks):
        return None
    opened = shown(facts, None, focus)
    closed_of = _closed_of(facts, focus)
    numbers: dict[int, int] = {}
    lists: list[tuple[int, ...]] = []
    for each in facts.sources:
        if id(each) not in numbers:
            numbers[id(each)] = len(lists)
            lists.append(tuple(each))
    return Unfolding(
        closed=closed,
        opened=opened,
        closed_of=closed_of,
        layers=tuple(levels_of(closed.targets)),
        ranks=tuple(_ranks(closed, opened, closed_of)),
        sources=tuple(lists),
        sources_of=tuple(numbers[id(each)] for each in facts.sources),
        open_first=tuple(
            number
            for number, node in enumerate(closed.nodes)
            if node.is_spec and (expand is None or node.name in expand)
        ),
    )


def is_bearable(graph: ShownGraph) -> bool:
    """Whether a browser can show it, and people can look at it."""
    return len(graph.nodes) <= MOST_NODES and sum(map(len, graph.targets)) <= MOST_LINES


def _closed_of(facts: GraphFacts, focus: Collection[int]) -> tuple[int, ...]:
    """The numbers that `shown` gives to nodes: in the order in which they come up."""
    numbers: dict[object, int] = {}
    return tuple(
        numbers.setdefault(index if index in focus else task.spec, len(numbers))
        for index, task in enumerate(facts.tasks)
    )


def _ranks(closed: ShownGraph, opened: ShownGraph, closed_of: Sequence[int]) -> list[float]:
    """As in the picture of all tasks, or where that is too large as in the picture of specs."""
    if is_bearable(opened):
        places = layout(opened.targets)
        return [(places.rows[task] + 0.5) / places.height for task in range(len(closed_of))]
    places = layout(closed.targets)
    step = 1 / (places.height * len(closed_of))
    return [places.rows[node] / places.height + task * step for task, node in enumerate(closed_of)]
