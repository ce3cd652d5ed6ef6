"""
Which nodes of several predecessors belong together? Those that agree on every shared ancestor.

The nodes of the predecessors are joined by hashing their ancestors, never multiplied and
filtered, so that the cost is that of the result. Only specs with several nodes can disagree;
each spec keeps a bit mask of those among its ancestors ("varied"). Two predecessors need to be
compared on the nearest varied ancestors they share: those farther up follow from these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from flowlib.errors import GraphError
from flowlib.node import Node
from stores.lazy_dataclass import dataclass

Combination = tuple[Node, ...]


@dataclass(slots=True, eq=False)
class Family:
    """The nodes of one spec, and what is known of their common ancestry.

    Attributes:
        name: Name of the spec.
        position: Its position in the order of expansion.
        nodes: Its nodes, by index.
        predecessors: The families it reads from, in the order of `requires`.
        varied: Bit `i` is set when family `i` is this one or a (not gathered) ancestor and
            has several nodes.
        rows: For each node what it reads from each of `predecessors`, None from those that it
            does not read; None where that is what is upstream of it, in order.
    """

    name: str
    position: int
    predecessors: tuple[Family, ...]
    nodes: list[Node] = field(default_factory=list)
    varied: int = 0
    ancestors_by_family: dict[int, list[Node]] = field(default_factory=dict)
    rows: list[tuple[Node | None, ...]] | None = None
    _positions: dict[str, int] | None = None

    def close(self, inherited: int) -> None:
        """Note which ancestors the finished nodes can disagree on."""
        own = 1 << self.position if len(self.nodes) > 1 else 0
        self.varied = (inherited | own) if own else 0

    def position_of(self, node: Node) -> int:
        """Where a node stands among `nodes`: calls of one task share their numbers."""
        if self.rows is None:
            return node.index
        if self._positions is None:
            self._positions = {each.key: at for at, each in enumerate(self.nodes)}
        return self._positions[node.key]

    def ancestors(self, position: int) -> list[Node]:
        """For each node, its ancestor in the family at `position` (itself for its own)."""
        path = []
        family = self
        while family.position != position and position not in family.ancestors_by_family:
            path.append(family)
            family = next(f for f in family.predecessors if f.varied >> position & 1)
        if family.position == position:
            family.ancestors_by_family.setdefault(position, family.nodes)
        for each in reversed(path):
            each.ancestors_by_family[position] = _one_step_further(each, family, position)
            family = each
        return self.ancestors_by_family[position]


def _one_step_further(family: Family, via: Family, position: int) -> list[Node]:
    known = via.ancestors_by_family[position]
    return [known[via.position_of(each)] for each in _members(family, via)]


def _members(family: Family, via: Family) -> Iterator[Node]:
    """What each node of a family reads from another family; of a reduce the first of these."""
    if family.rows is None:
        for node in family.nodes:
            yield next(each for each in node.upstream.nodes if each.name == via.name)
        return
    at = family.predecessors.index(via)
    for row in family.rows:
        member = row[at]
        if member is None:
            raise GraphError(
                f"{family.name} reads {via.name} in some of its tasks only, so it is not known "
                f"which of these belong to which tasks of others that read {via.name}: make a "
                f"call for each of the specs that it sweeps over"
            )
        yield member


def inherited_mask(predecessors: tuple[Family, ...]) -> int:
    """All varied ancestors of a spec that reads from `predecessors`."""
    mask = 0
    for family in predecessors:
        mask |= family.varied
    return mask


def combinations(spec: str, families: tuple[Family, ...]) -> Iterator[Combination]:
    """The combinations of one node from each family that agree, in product order.

    Raises:
        GraphError: no combination agrees.
    """
    several = tuple([family for family in families if len(family.nodes) != 1])
    if not several:
        yield tuple([family.nodes[0] for family in families])
        return
    joined: list[Combination] = [(node,) for node in several[0].nodes]
    for count, family in enumerate(several[1:], start=1):
        joined = _join(joined, several[:count], family)
    if not joined:
        names = ", ".join(family.name for family in families)
        raise GraphError(f"{spec} requires {names}, but no nodes of these share their ancestors")
    yield from joined if len(several) == len(families) else _with_single(joined, families)


def _with_single(joined: list[Combination], families: tuple[Family, ...]) -> Iterator[Combination]:
    """Combinations of the families with several nodes, and the only nodes of the others."""
    single = [family.nodes[0] if len(family.nodes) == 1 else None for family in families]
    for combination in joined:
        found = iter(combination)
        yield tuple([next(found) if node is None else node for node in single])


def _join(
    left: list[Combination], families: tuple[Family, ...], right: Family
) -> list[Combination]:
    shared = _nearest(inherited_mask(families) & right.varied, (*families, right))
    if not shared:
        if len(right.nodes) == 1:
            return [(*combination, right.nodes[0]) for combination in left]
        return [(*combination, node) for combination in left for node in right.nodes]
    buckets: dict[tuple[str, ...], list[Node]] = {}
    columns = [right.ancestors(position) for position in shared]
    for node in right.nodes:
        at = right.position_of(node)
        buckets.setdefault(tuple(column[at].key for column in columns), []).append(node)
    sources = [_source(families, position) for position in shared]
    return [
        (*combination, node)
        for combination in left
        for node in buckets.get(
            tuple(column[families[i].position_of(combination[i])].key for i, column in sources),
            (),
        )
    ]


def _source(families: tuple[Family, ...], position: int) -> tuple[int, list[Node]]:
    which = next(i for i, family in enumerate(families) if family.varied >> position & 1)
    return which, families[which].ancestors(position)


def _nearest(shared: int, families: tuple[Family, ...]) -> list[int]:
    """The positions in `shared` that are not upstream of another position in it."""
    positions = _bits(shared)
    if len(positions) < 2:
        return positions
    by_position = _families_at(families, shared)
    for position in positions:
        above = by_position[position].varied & ~(1 << position)
        shared &= ~above
    return _bits(shared)


def _families_at(families: tuple[Family, ...], wanted: int) -> dict[int, Family]:
    found: dict[int, Family] = {}
    stack = list(families)
    seen: set[int] = set()
    while stack:
        family = stack.pop()
        if family.position in seen or not family.varied & wanted:
            continue
        seen.add(family.position)
        if wanted >> family.position & 1:
            found[family.position] = family
        stack.extend(family.predecessors)
    return found


def _bits(mask: int) -> list[int]:
    positions = []
    while mask:
        lowest = mask & -mask
        positions.append(lowest.bit_length() - 1)
        mask ^= lowest
    return positions
