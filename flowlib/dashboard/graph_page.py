"""What was computed from what: of the whole store, around one task, or of one run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.columns import Varying, varying
from flowlib.dashboard.frame import task_url, url
from flowlib.dashboard.markup import Markup, tag
from flowlib.dashboard.orders import sorted_apart
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.graph_boxes import Box, Connection, boxes_of
from flowlib.graph_summary import (
    GraphFacts,
    ShownGraph,
    ShownNode,
    TaskFacts,
    Wish,
    shown_as_wished,
)
from flowlib.run_graph import read_graph, with_states
from flowlib.run_manifest import states_of_run
from flowlib.stored_runs import StoredRun
from stores import Address

_GAP_PX: Final = 48
_ROW_PX: Final = 36
_BOX_PX: Final = 26
_BAR_PX: Final = 4
_MARGIN_PX: Final = 8
_MOST_KEPT: Final = 20_000
_MOST_NODES: Final = 2_000
"""More boxes are no picture: then specs stand for their tasks, and that is said."""


def store_facts(
    answers: Answers, stock: Stock, around: str = "", expand: Sequence[str] = ()
) -> GraphFacts:
    """All tasks of the store, and what each has read; what is gone stands there as pending.

    Args:
        answers: Answers questions.
        stock: What is known.
        around: Only what is up- and downstream of it is to be shown; empty for all.
        expand: The specs whose tasks are to be shown.
    """

    def find(names: Collection[str] | None) -> GraphFacts:
        vary = varying(answers, Question(), stock)
        rows: list[Row] = [*sorted_apart([*stock.rows()], lambda row: (row.task, row.key))]
        alone = None if names is None else {*names, *vary.single}
        alike: dict[tuple[str, str], TaskFacts] = {}
        tasks = [
            _facts_of(row, stock, vary)
            if alone is None or row.task in alone
            else _by_number(row, stock, alike)
            for row in rows
        ]
        numbers = dict.fromkeys((pair for row in rows for pair in row.inputs), -1)
        for number, row in enumerate(rows):
            if (row.task, row.key) in numbers:
                numbers[row.task, row.key] = number
        for pair, number in numbers.items():
            if number < 0:
                numbers[pair] = len(tasks)
                tasks.append(TaskFacts(pair[0], f"{pair[0]}/{pair[1][:8]}", pair[1]))
        read = {
            inputs: tuple(numbers[pair] for pair in dict.fromkeys(inputs))
            for inputs in {row.inputs for row in rows}
        }
        sources = [read[row.inputs] for row in rows]
        return GraphFacts(tasks, [*sources, *[()] * (len(tasks) - len(rows))])

    if sum(map(len, stock.tasks.values())) > _MOST_KEPT:
        return find(None if around else expand)  # it takes more memory than a page that shows it
    found: GraphFacts = answers.remembered("graph", stock, lambda: find(None))
    return found


def _facts_of(row: Row, stock: Stock, vary: Varying) -> TaskFacts:
    """A task of the graph, with what tells it from others."""
    state = stock.shown(row)
    return TaskFacts(row.task, row.unique_name or row.id, row.key, vary.label(row), state)


def _by_number(row: Row, stock: Stock, alike: dict[tuple[str, str], TaskFacts]) -> TaskFacts:
    """A task that is shown only by how many there are: one object for all of a state."""
    kind = row.task, stock.shown(row)
    return alike.get(kind) or alike.setdefault(kind, TaskFacts(row.task, "", state=kind[1]))


def run_facts(run: StoredRun, stock: Stock) -> GraphFacts | None:
    """The tasks of a run with their states; None if its folder does not tell them."""
    facts = read_graph(run.folder)
    if facts is None:
        return None
    states = dict(states_of_run(run.folder))
    if run.is_live:
        for task in facts.tasks:
            row = stock.find(task.spec, task.key)
            if row is not None:
                states[task.key] = stock.shown(row)
    return with_states(facts, states)


def graph_page(
    facts: GraphFacts, around: str, expand: Sequence[str], run: str, here: str = "/graph"
) -> Markup:
    """A picture of some tasks.

    Args:
        facts: All there are.
        around: Only a task or spec with what is up- and downstream of it; empty for all.
        expand: The specs whose tasks are shown.
        run: Name of the run whose tasks these are; empty for the store.
        here: The address of the page.
    """
    if not facts.tasks:
        return tag("div", tag("h1", "Graph"), tag("p", "There is no task yet."), class_="live")
    graph = shown_as_wished(facts, Wish(expand=tuple(expand), around=around or None))
    note = None
    if len(graph.nodes) > _MOST_NODES:
        note = f"{len(graph.nodes):,} tasks are too many for a picture: specs stand for them"
        bare = replace(Wish(), around=around or None, tasks=False)
        graph = shown_as_wished(facts, bare)

    def link(node: ShownNode, key: str) -> str:
        if node.is_spec:
            pairs = [("expand", each) for each in dict.fromkeys([*expand, node.name])]
            return url(here, *pairs, around=around)
        return task_url(Address(node.name, key))

    title = f"Graph of {run}" if run else f"Graph around {around}" if around else "Graph"
    ways = [tag("a", "all", href=here)] if around or expand else []
    return tag(
        "div",
        tag("h1", title),
        tag("p", *ways, " click a task for all about it, a spec for its tasks"),
        tag("p", note, class_="warning") if note else None,
        tag("div", picture(graph, _keys(facts, graph), link), class_="scroll"),
        class_="live",
    )


def picture(
    graph: ShownGraph, key_of: Callable[[ShownNode], str], link: Callable[[ShownNode, str], str]
) -> Markup:
    """A graph as SVG, with a link behind each box.

    Args:
        graph: What is shown.
        key_of: The whole key of a task.
        link: Where a click leads.
    """
    boxes = boxes_of(graph, _GAP_PX, _ROW_PX)
    width, height = boxes.width + 2 * _MARGIN_PX, boxes.height + 2 * _MARGIN_PX
    return tag(
        "svg",
        *(_line(each) for each in boxes.connections),
        *(
            _node(node, box, link(node, key_of(node)))
            for node, box in zip(graph.nodes, boxes.boxes, strict=True)
        ),
        xmlns="http://www.w3.org/2000/svg",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        viewBox=f"{-_MARGIN_PX} {-_MARGIN_PX} {width:.0f} {height:.0f}",
        class_="graph",
    )


def _keys(facts: GraphFacts, graph: ShownGraph) -> Callable[[ShownNode], str]:
    """Whole keys by the ids that boxes show."""
    wanted = {node.id for node in graph.nodes if node.id}
    known = {
        id_: task.key
        for task in (facts.tasks if wanted else ())
        if (id_ := f"{task.spec}/{task.key[:8]}") in wanted
    }
    return lambda node: known.get(node.id, "")


def _line(connection: Connection) -> Markup:
    start, *rest = connection.points
    steps = "".join(f"L{x:.1f} {y:.1f}" for x, y in rest)
    return tag("path", d=f"M{start[0]:.1f} {start[1]:.1f}{steps}", class_="edge")


def _node(node: ShownNode, box: Box, href: str) -> Markup:
    left, top = box.x - box.width / 2, box.y - _BOX_PX / 2
    focus = " focus" if node.is_focus else ""
    shape = tag(
        "rect", x=f"{left:.1f}", y=f"{top:.1f}", width=f"{box.width:.1f}", height=_BOX_PX, rx=4
    )
    text = tag("text", box.label, x=f"{box.x:.1f}", y=f"{box.y + 4:.1f}", text_anchor="middle")
    return tag(
        "g",
        tag("a", tag("title", node.told), shape, *_bar(node, box, left, top), text, href=href),
        class_=f"node {node.state or 'pending'}{focus}",
        data_name=node.short_name,
    )


def _bar(node: ShownNode, box: Box, left: float, top: float) -> Iterator[Markup]:
    """How many tasks of a spec are in which state, side by side."""
    if node.size < 2:
        return
    for word, count in node.counts.items():
        if word is not None:
            width = box.width * count / node.size
            yield tag(
                "rect", x=f"{left:.1f}", y=f"{top + _BOX_PX - _BAR_PX:.1f}", width=f"{width:.1f}",
                height=_BAR_PX, class_=f"fill {word}",
            )  # fmt: skip
            left += width
