"""What is shown of a graph: its tasks, its specs with counts by state, or what is around a task."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.layering import circle_of
from flowlib.vocabulary import shown_state, worst
from stores.lazy_dataclass import dataclass

MOST_TASKS: Final = 60
"""Graphs with more tasks are shown by spec unless something else is asked for."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be seen of a graph.

    Attributes:
        expand: Specs that are shown task by task.
        around: A task or a spec; only it, its ancestors and its descendants are shown.
        tasks: Whether all tasks are shown; None decides by their number and the width.
    """

    expand: Sequence[str] = ()
    around: str | None = None
    tasks: bool | None = None


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a picture tells of a task.

    Attributes:
        spec: Name of its spec.
        unique_name: `Train-12`.
        key: Its key; may be empty.
        detail: The part of its config that differs within the spec: `lr=0.001`.
        state: A word of the vocabulary or the value of a TaskState; None if it is not known.
        config: The whole config as text, for pictures that tell it on demand.
    """

    spec: str
    unique_name: str
    key: str = ""
    detail: str = ""
    state: str | None = None
    config: str = ""


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """A graph as plain data.

    Attributes:
        tasks: All tasks.
        sources: For each task, by number, those it reads from; tasks that read from the same ones
            may share one sequence, which then is looked at once.
    """

    tasks: Sequence[TaskFacts]
    sources: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class ShownNode:
    """A task or a whole spec in a picture.

    Attributes:
        name: Name of the spec.
        short_name: What tells it from all others: the name of the spec, or of the task.
        detail: The varying part of the config of a task.
        state: The word of its state, of a spec the worst; None if it is not known.
        counts: How many of its tasks are in which state.
        is_spec: Whether it stands for all tasks of a spec.
        is_focus: Whether the picture is about it.
        id: `Train/9a7a08b2`; empty for a spec.
        config: The whole config of a task, if it is known.
    """

    name: str
    short_name: str
    detail: str
    state: str | None
    counts: Counter[str | None]
    is_spec: bool
    is_focus: bool = False
    id: str = ""
    config: str = ""

    @property
    def size(self) -> int:
        """How many tasks it stands for."""
        return self.counts.total()

    @property
    def told(self) -> str:
        """What the mouse is told of it, in lines; text of the user as it is."""
        counts = [f"{count} {word}" for word, count in self.counts.items() if word is not None]
        state = ", ".join(counts) if self.size > 1 else self.state or ""
        size = f"{self.size} tasks" if self.size > 1 else ""
        is_named = self.short_name != self.name
        name = f"{self.name} ({self.short_name})" if is_named else self.name
        lines = [name, self.id, size, state, self.config or self.detail]
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class ShownGraph:
    """What a picture shows.

    Attributes:
        nodes: Tasks and specs.
        targets: For each node, by number, the nodes that read from it.
    """

    nodes: tuple[ShownNode, ...]
    targets: tuple[tuple[int, ...], ...]


def config_text(config: Mapping[str, object]) -> str:
    """A config as one short line for each parameter."""
    return "\n".join(f"{name}={reprlib.repr(value)}" for name, value in config.items())


def shown(
    facts: GraphFacts,
    expand: Collection[str] | None = (),
    focus: Collection[int] = (),
) -> ShownGraph:
    """A graph with a node for each spec, or for each task of those that are expanded.

    Args:
        facts: The tasks.
        expand: Names of specs that are shown task by task; None is all of them.
        focus: Tasks that are shown by themselves and stand out.

    Raises:
        SelectorError: there is no spec of a name in `expand`.
    """
    specs = dict.fromkeys(task.spec for task in facts.tasks)
    for name in expand or ():
        if name not in specs:
            known = f"{nearest(name, specs)} There are: {', '.join(specs)}"
            raise NothingSelected(f"the graph has no spec {name!r}.{known}")
    opened = specs.keys() if expand is None else {*expand}
    numbers: dict[object, int] = {}
    members: list[list[TaskFacts]] = []
    node_of: list[int] = []
    for index, task in enumerate(facts.tasks):
        group = index if task.spec in opened or index in focus else task.spec
        node = numbers.setdefault(group, len(numbers))
        if node == len(members):
            members.append([])
        members[node].append(task)
        node_of.append(node)
    nodes = [
        _node(tasks, isinstance(group, str), group in focus)
        for group, tasks in zip(numbers, members, strict=True)
    ]
    return ShownGraph(tuple(nodes), _without_circles(_targets(facts, node_of, len(nodes))))


def chosen(
    facts: GraphFacts, wish: Wish
) -> tuple[GraphFacts, Sequence[str] | None, frozenset[int]]:
    """What is to be seen of a graph in a picture of any width.

    Returns:
        The tasks; the specs of which each task is shown, None for all; the tasks that stand out.

    Raises:
        SelectorError: the wish names what is not there.
    """
    focus: frozenset[int] = frozenset()
    if wish.around is not None:
        facts, focus = related(facts, wish.around)
    has_few = wish.tasks is None and not wish.expand and len(facts.tasks) <= MOST_TASKS
    return facts, None if wish.tasks or has_few else wish.expand, focus


def shown_as_wished(facts: GraphFacts, wish: Wish) -> ShownGraph:
    """A graph as it is to be seen in a picture of any width.

    Raises:
        SelectorError: the wish names what is not there.
    """
    return shown(*chosen(facts, wish))


def related(facts: GraphFacts, around: str) -> tuple[GraphFacts, frozenset[int]]:
    """The tasks that `around` names with all their ancestors and descendants.

    Args:
        facts: The tasks.
        around: A task (`Train-12`, `Train/9a7a08b2`, or a unique beginning of the key) or a spec.

    Returns:
        What is related, and which of its tasks are those that were named.

    Raises:
        SelectorError: no task is called so, or several are.
    """
    named = _named(facts.tasks, around)
    readers: list[list[int]] = [[] for _ in facts.tasks]
    for reader, sources in enumerate(facts.sources):
        for source in sources:
            readers[source].append(reader)
    kept = sorted(_reached(named, facts.sources) | _reached(named, readers))
    new = {old: index for index, old in enumerate(kept)}
    sources_of: dict[int, tuple[int, ...]] = {}
    for old in kept:
        sources = facts.sources[old]
        if id(sources) not in sources_of:
            sources_of[id(sources)] = tuple(new[each] for each in sources if each in new)
    return (
        GraphFacts(
            [facts.tasks[old] for old in kept], [sources_of[id(facts.sources[o])] for o in kept]
        ),
        frozenset(new[old] for old in named),
    )


def _named(tasks: Sequence[TaskFacts], name: str) -> list[int]:
    exact = [i for i, task in enumerate(tasks) if name in (task.unique_name, task.key)]
    if exact and name:
        return exact
    if members := [i for i, task in enumerate(tasks) if task.spec == name]:
        return members
    spec, slash, prefix = name.rpartition("/")
    found = [
        i
        for i, task in enumerate(tasks)
        if slash and prefix and task.spec == spec and task.key.startswith(prefix)
    ]
    if len(found) == 1:
        return found
    if found:
        several = ", ".join(f"{spec}/{tasks[i].key[:16]}" for i in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise SelectorError(f"{name!r} is not unique: {several}{more}")
    known = [text for task in tasks for text in (task.unique_name, f"{task.spec}/{task.key[:8]}")]
    raise NothingSelected(f"the graph has no task {name!r}.{nearest(name, known)}")


def _reached(start: Iterable[int], neighbours: Sequence[Sequence[int]]) -> set[int]:
    reached = set(start)
    stack = list(reached)
    while stack:
        for each in neighbours[stack.pop()]:
            if each not in reached:
                reached.add(each)
                stack.append(each)
    return reached


def _node(tasks: Sequence[TaskFacts], is_spec: bool, is_focus: bool) -> ShownNode:
    words = [None if task.state is None else shown_state(task.state).word for task in tasks]
    first, is_alone = tasks[0], len(tasks) == 1
    return ShownNode(
        name=first.spec,
        short_name=first.unique_name if is_alone else first.spec,
        detail=first.detail if is_alone else "",
        state=worst(word for word in words if word is not None),
        counts=Counter(words),
        is_spec=is_spec,
        is_focus=is_focus,
        id=f"{first.spec}/{first.key[:8]}" if is_alone and first.key else "",
        config=first.config if is_alone else "",
    )


def _targets(facts: GraphFacts, node_of: Sequence[int], count: int) -> tuple[tuple[int, ...], ...]:
    """The edges between the nodes of a picture, each once."""
    targets: list[dict[int, None]] = [{} for _ in range(count)]
    seen: set[tuple[int, int]] = set()
    for task, sources in enumerate(facts.sources):
        node = node_of[task]
        if (node, id(sources)) not in seen:
            seen.add((node, id(sources)))
            for source in sources:
                targets[node_of[source]][node] = None
    return tuple(tuple(each) for each in targets)


def _without_circles(targets: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """The edges without those that lead back, from calls of a task to other calls of it."""
    left = [[each for each in found if each != node] for node, found in enumerate(targets)]
    while circle := circle_of(left):
        back = [(a, b) for a, b in pairwise(circle) if b < a]
        for source, target in back:
            left[source].remove(target)
    return tuple(tuple(each) for each in left)
