"""Which nodes are the tasks of a call? One for each of its sweeps' points, and what they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from flowlib.call_arguments import Binding
from flowlib.call_links import Reads
from flowlib.calls import Call
from flowlib.declaration import Declaration
from flowlib.errors import GraphError
from flowlib.identity import node_key, refuse_ignored_sweep, upstream_digest
from flowlib.joins import Family, combinations, inherited_mask
from flowlib.node import Argument, Node, Upstream
from flowlib.node_names import NodeNames
from flowlib.reduction import agreed_mask, gathered
from stores.lazy_dataclass import dataclass

Row = tuple[Node | None, ...]
"""What a node reads from each predecessor of its spec."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """What the nodes for one combination of predecessors have in common."""

    upstream: Upstream
    digest: str


def as_places(groups: Iterable[tuple[Node, ...]], *, gathers: bool) -> Iterator[Place]:
    """The places for combinations that are read under the names of the specs."""
    for nodes in groups:
        upstream = Upstream(nodes, gathers)
        yield Place(upstream, upstream_digest((node.name, node.key) for node in nodes))


class CallNodes:
    """Makes the nodes of calls. Equal calls of a flow have the same node.

    Args:
        calls: All calls of the flow.
        names: What their nodes are called.
    """

    def __init__(self, calls: Iterable[Call[object]], names: NodeNames) -> None:
        self._known: dict[str, Node] = {}
        self._counts: Counter[str] = Counter()
        self._names = names
        self._calls_of = Counter(call.name for call in calls if names.label_of(call) is None)
        self._places: dict[tuple[object, ...], list[tuple[Place, Row]]] = {}
        self._places_of: dict[tuple[object, int], list[tuple[Place, Row]]] = {}
        self._families: dict[int, Family] = {}

    def fill(self, family: Family, call: Call[object], declaration: Declaration) -> None:
        """Make the nodes of one call.

        Args:
            family: Where they go.
            call: It.
            declaration: What counts for it.

        Raises:
            GraphError: what it reads shares no ancestors, or it gathers nothing.
            SweepError: its sweeps cannot be combined.
        """
        self._families[id(call)] = family
        if call.gathers() and not family.predecessors:
            raise GraphError(f"{call.name}.reduce() gathers specs, but none is in its arguments")
        found = self._found(family, call)
        label = self._names.label_of(call)
        is_alone = len(found) == 1 and (label is not None or self._calls_of[call.name] == 1)
        for key, (arguments, place, _) in found.items():
            node = self._known.get(key)
            if node is None:
                name = self._name(call.name, label, is_alone=is_alone)
                index = self._counts[call.name] - 1
                node = Node(declaration, key, name, index, arguments, place.upstream)
                self._known[key] = node
            family.nodes.append(node)
        if len(found) > 1:
            family.rows = [row for _, _, row in found.values()]
            if call.gathers():
                family.close(agreed_mask(family))
            else:
                family.close(inherited_mask(family.predecessors))

    def _found(
        self, family: Family, call: Call[object]
    ) -> dict[str, tuple[tuple[Argument, ...], Place, Row]]:
        """The tasks of a call, by key."""
        declaration = call.declaration()
        if (only := call.only) is not None:
            read = (declaration.reduce, id(only.reads))  # which live as long as the calls
            places = self._places_of.get(read)
            if places is None:
                places = self._places_of[read] = self._places_for(family, call, only.reads)
            return {
                node_key(declaration, only.arguments, place.digest): (only.arguments, place, row)
                for place, row in places
            }
        found: dict[str, tuple[tuple[Argument, ...], Place, Row]] = {}
        for reads, bindings in _by_reads(call.bindings()):
            for place, row in self._places_for(family, call, reads):
                for arguments in bindings:
                    key = node_key(declaration, arguments, place.digest)
                    known = found.setdefault(key, (arguments, place, row))
                    if known[0] is not arguments:
                        refuse_ignored_sweep(declaration, known[0], arguments)
        return found

    def _name(self, task: str, label: str | None, *, is_alone: bool) -> str:
        """What the next node of a task is called."""
        self._counts[task] += 1
        if label is not None:
            return self._names.next_name(label, is_alone=is_alone)
        return task if is_alone else f"{task}-{self._counts[task]}"

    def _places_for(
        self, family: Family, call: Call[object], reads: Reads
    ) -> list[tuple[Place, Row]]:
        """The combinations of what is read; shared by calls that read the same."""
        reduce = call.gathers()
        known = (reduce, *[part for role, spec in reads for part in (role, id(spec))])
        found = self._places.get(known)
        if found is None:
            found = self._places[known] = list(self._made(family, reads, reduce))
        return found

    def _made(
        self, family: Family, reads: Reads, reduce: bool | tuple[str, ...]
    ) -> Iterator[tuple[Place, Row]]:
        numbers = {id(each): at for at, each in enumerate(family.predecessors)}
        places = [numbers[id(self._families[id(spec)])] for _, spec in reads]
        sources = list(dict.fromkeys(places))
        families = tuple([family.predecessors[at] for at in sources])
        roles = [role for role, _ in reads]
        if reduce:
            inner = Family(family.name, family.position, families)
            for members in gathered(inner, reduce):
                yield _gathering(members, roles, places, family)
            return
        for combination in combinations(family.name, families):
            by_source = dict(zip(sources, combination, strict=True))
            read = [[by_source[at]] for at in places]
            row = tuple([by_source.get(at) for at in range(len(family.predecessors))])
            yield _place(roles, read, gathers=False), row


def _gathering(
    members: tuple[Node, ...], roles: list[str], places: list[int], family: Family
) -> tuple[Place, Row]:
    keys = {each.key for each in members}
    of_source = {
        at: [node for node in family.predecessors[at].nodes if node.key in keys]
        for at in dict.fromkeys(places)
    }
    row = tuple([of_source[at][0] if of_source.get(at) else None for at in range(len(of_source))])
    return _place(roles, [of_source[at] for at in places], gathers=True), row


def _place(roles: list[str], read: list[list[Node]], *, gathers: bool) -> Place:
    numbers: dict[Node, int] = {}
    pairs = [
        (role, numbers.setdefault(node, len(numbers)))
        for role, nodes in zip(roles, read, strict=True)
        for node in nodes
    ]
    upstream = Upstream(tuple(numbers), gathers, tuple(pairs))
    digest = upstream_digest(
        [(role, node.key) for role, nodes in zip(roles, read, strict=True) for node in nodes]
    )
    return Place(upstream, digest)


def _by_reads(bindings: Iterable[Binding]) -> Iterator[tuple[Reads, list[tuple[Argument, ...]]]]:
    """The arguments of all tasks that read the same, in order of the first of them."""
    groups: dict[tuple[object, ...], tuple[Reads, list[tuple[Argument, ...]]]] = {}
    for each in bindings:
        known = tuple([part for role, spec in each.reads for part in (role, id(spec))])
        groups.setdefault(known, (each.reads, []))[1].append(each.arguments)
    yield from groups.values()
