"""How does a graph grow? A node has returned specs: their nodes are added, and none is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from flowlib.declaration import Declaration
from flowlib.errors import FlowError, GraphError
from flowlib.fingerprint import Fingerprints
from flowlib.graph import TaskGraph, families_of
from flowlib.grown import Specs
from flowlib.growth import Growth
from flowlib.items import Item, replaced, slot
from flowlib.joins import Family
from flowlib.later_specs import LaterSpecs
from flowlib.node import Node, Upstream
from flowlib.signature import location_of
from flowlib.spec import TaskSpec

MOST_LEVELS: Final = 1000
"""A task may grow a task that grows a task … as deep as this."""

Path = tuple[str, ...]
Check = Callable[[Iterable[Node]], object]


class Growing:
    """A graph that grows. The graph that is given stays as it is.

    Args:
        graph: What there is at first.
        code: Tells whether two copies of a task are the same.
        most_levels: How deep tasks may grow that have grown themselves.

    Attributes:
        graph: What there is now, always the same object.
    """

    def __init__(
        self, graph: TaskGraph, code: Fingerprints, most_levels: int | None = None
    ) -> None:
        self._code = code
        self._most_levels = MOST_LEVELS if most_levels is None else most_levels
        self._nodes = dict(graph.nodes)
        self._by_spec = dict(graph.by_spec)
        self._edges = dict(graph.spec_edges)
        self._growths = dict(graph.growths)
        self._later_of = dict(graph.later_of)
        self._levels: dict[str, int] = {}
        for key in graph.growths:
            for each in graph.growths[key].new:
                self._levels[each.key] = self._levels.get(key, 0) + 1
        self._taken = {node.unique_name for node in graph}
        self._declared = {_kind_of(n.declaration): n.declaration for n in graph}
        self.graph = TaskGraph(
            self._nodes,
            self._by_spec,
            self._edges,
            dict(graph.labelled),
            self._growths,
            graph.later,
            self._later_of,
        )

    def grow(self, node: Node, specs: Specs, check: Check = lambda nodes: None) -> Growth:
        """Add what a node has returned.

        Args:
            node: It.
            specs: What it has returned.
            check: Raises for nodes that cannot be added.

        Raises:
            GraphError: it needs the result of the node itself, the name of another task, or it
                is too deep; nothing is added then.
            SpecError: a config does not fit its task.
        """
        level = self._levels.get(node.key, 0) + 1
        if level > self._most_levels:
            raise GraphError(
                f"{node.unique_name} ({node.address}) has been grown over {self._most_levels} "
                f"levels, by tasks that return specs, and returns specs again: is there an end?"
            )
        found: list[tuple[str, TaskSpec]] = []
        new: dict[str, Node] = {}
        value = _with_slots(specs.returned, found)
        wanted = list({id(spec): spec for _, spec in found}.values())
        try:
            ordered, families = families_of(wanted, self._later(node))
            family_of = {id(spec): each for spec, each in zip(ordered, families, strict=True)}
            new = self._adopted(families)
            for each in families:
                self._refuse_other_task(each)
                self._refuse_other_store(each)
            roots = [(role, family_of[id(spec)].nodes) for role, spec in found]
            upstream = self._upstream(roots, new)
            self._refuse_circle(node, upstream)
            check(new.values())
        except FlowError as error:
            self._taken -= {each.unique_name for each in new.values()}
            raise type(error)(f"{node.unique_name} returned specs: {error}") from None
        growth = Growth(specs, value, upstream, tuple(new.values()))
        self._add(node, growth, ordered, families, level)
        return growth

    def forget(self, key: str) -> None:
        """A node that had grown in an earlier run runs again: what it grows is not known."""
        del self._growths[key]

    def _later(self, node: Node) -> LaterSpecs:
        """What holds for specs that a node returns."""
        return self._later_of.get(node.key, self.graph.later)

    def _adopted(self, families: Iterable[Family]) -> dict[str, Node]:
        """The nodes that the graph does not have, as nodes of this graph."""
        new: dict[str, Node] = {}
        uppers: dict[int, Upstream] = {}
        counts = {name: len(nodes) for name, nodes in self._by_spec.items()}
        for family in families:
            for each in family.nodes:
                if each.key in self._nodes or each.key in new:
                    continue
                old = each.upstream
                if id(old) not in uppers:
                    read = [self._nodes.get(n.key) or new[n.key] for n in old.nodes]
                    uppers[id(old)] = Upstream(tuple(read), old.gathers, old.roles)
                index = counts.get(each.name, 0)
                counts[each.name] = index + 1
                declaration = self._declared.setdefault(
                    _kind_of(each.declaration), each.declaration
                )
                new[each.key] = Node(
                    declaration=declaration,
                    key=each.key,
                    unique_name=self._free_name(each.unique_name, each.name, index),
                    index=index,
                    arguments=each.arguments,
                    upstream=uppers[id(old)],
                )
        return new

    def _free_name(self, wanted: str, spec: str, index: int) -> str:
        """A name that no node has: the next number of the spec, or of a label."""
        base, dash, number = wanted.rpartition("-")
        label = base if dash and number.isdecimal() and wanted != spec else wanted
        name, number_of = wanted, 2
        if label == spec:
            name, number_of = (
                spec if index == 0 and wanted == spec else f"{spec}-{index + 1}",
                index + 2,
            )
        while name in self._taken:
            name, number_of = f"{label}-{number_of}", number_of + 1
        self._taken.add(name)
        return name

    def _refuse_other_task(self, family: Family) -> None:
        """Two tasks of one name would be taken for one another."""
        for each in family.nodes[:1]:
            known = next(iter(self._by_spec.get(family.name, ())), each).declaration
            if not self._is_same_task(known, each.declaration):
                where = " and ".join(location_of(d.task) for d in (known, each.declaration))
                raise GraphError(
                    f"two tasks are called {family.name!r} ({where}), so that their results could "
                    f"not be told apart: give one another name"
                )

    def _refuse_other_store(self, family: Family) -> None:
        """Where the results of each task lie is settled before a run begins."""
        known = self._by_spec.get(family.name)
        store = known[0].declaration.options.store if known else None
        for each in family.nodes:
            wanted = each.declaration.options.store
            if wanted is not None and wanted != store:
                raise GraphError(
                    f"{each.unique_name} has store={wanted!r}, but where the results of each task "
                    f"lie is settled before a run begins, and nothing said so of {each.name} "
                    f"then: leave the option out, and give the run "
                    f"results_store=SplitStore(main, {{{each.name!r}: other}})"
                )

    def _is_same_task(self, one: Declaration, other: Declaration) -> bool:
        """Whether they are one object, or copies that came from another process."""
        if one.task is other.task:
            return True
        names = [
            (getattr(d.task, "__module__", ""), getattr(d.task, "__qualname__", ""))
            for d in (one, other)
        ]
        return names[0] == names[1] and self._code.fact(one.task) == self._code.fact(other.task)

    def _upstream(self, roots: list[tuple[str, list[Node]]], new: Mapping[str, Node]) -> Upstream:
        """What gives the values for the slots; a spec with several tasks gives a list of them."""
        numbers: dict[str, int] = {}
        roles = tuple(
            (role, numbers.setdefault(each.key, len(numbers)))
            for role, nodes in roots
            for each in nodes
        )
        nodes = tuple([self._nodes.get(key) or new[key] for key in numbers])
        return Upstream(nodes, gathers=False, roles=roles)

    def _refuse_circle(self, node: Node, upstream: Upstream) -> None:
        """What needs the result of the node can never run."""
        stack: list[tuple[Node, Path]] = [(each, ()) for each in upstream.nodes]
        seen: set[str] = set()
        while stack:
            each, path = stack.pop()
            if each.key == node.key:
                circle = " -> ".join((node.unique_name, *reversed(path), node.unique_name))
                raise GraphError(f"the result of {node.unique_name} is needed for itself: {circle}")
            if each.key in seen:
                continue
            seen.add(each.key)
            grown = self._growths.get(each.key)
            read = (*each.upstream.nodes, *(grown.upstream.nodes if grown else ()))
            stack += [(one, (*path[-8:], each.unique_name)) for one in read]

    def _add(
        self,
        node: Node,
        growth: Growth,
        ordered: Iterable[TaskSpec],
        families: Iterable[Family],
        level: int,
    ) -> None:
        self._growths[node.key] = growth
        later = self._later_of.get(node.key)
        for each in growth.new:
            self._nodes[each.key] = each
            self._levels[each.key] = level
            if later is not None:
                self._later_of[each.key] = later
        added: dict[str, list[Node]] = {}
        for each in growth.new:
            added.setdefault(each.name, []).append(each)
        for name, nodes in added.items():
            self._by_spec[name] = (*self._by_spec.get(name, ()), *nodes)
        for spec, family in zip(ordered, families, strict=True):
            read = (*self._edges.get(spec.name, ()), *[each.name for each in family.predecessors])
            self._edges[spec.name] = tuple(dict.fromkeys(read))


def _with_slots(returned: object, found: list[tuple[str, TaskSpec]]) -> object:
    """What was returned, with slots in the places of specs; notes these and their roles."""

    def placed(leaf: Any, path: str) -> object:
        if isinstance(leaf, TaskSpec):
            found.append((path, leaf))
            return slot(path, ())
        if type(leaf) is Item and isinstance(leaf.source, TaskSpec):
            found.append((path, leaf.source))
            return slot(path, leaf.steps)
        return leaf

    return replaced(returned, "value", placed)


def _kind_of(declaration: Declaration) -> tuple[object, ...]:
    """Equal for declarations of calls that are the same: what came twice from a worker is one."""
    if not declaration.is_call:
        return (id(declaration),)
    return (
        declaration.name,
        id(declaration.task),
        repr((declaration.version, declaration.options, declaration.reduce)),
    )
