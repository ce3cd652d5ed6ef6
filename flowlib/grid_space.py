"""Which points does a config have? Turns its tree into independent axes and numbered values."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from flowlib.expansion import Axis
from flowlib.grid_tree import ABSENT, Branch, Fork, Hole, Leaf, Node, Span, Switch, Tree, dotted
from flowlib.grid_walk import Token, in_order, rows, tokens
from stores.lazy_dataclass import dataclass

Column = Callable[[int], object]
"""The value at an index of an axis."""


class Reader(dict[Any, Any]):
    """The values of a subtree by the indices they depend on, each made once.

    Attributes:
        positions: The positions in a row that matter. A key is the index for one of them, the
            tuple of indices for several or none.
        make: Makes the value of a key.
        keeps: Whether values are kept once made.
    """

    __slots__ = ("keeps", "make", "positions")

    def __init__(
        self, positions: tuple[int, ...], make: Callable[[Any], object], *, keeps: bool = True
    ) -> None:
        super().__init__()
        self.positions = positions
        self.make = make
        self.keeps = keeps

    def __missing__(self, key: object) -> object:
        value = self.make(key)
        if self.keeps:
            self[key] = value
        return value


@dataclass(frozen=True, slots=True)
class Dimension:
    """An axis, and the value at each of its indices for every node that it moves."""

    axis: Axis
    columns: Mapping[Node, Column]


class Space:
    """A tree as a product of independent axes.

    Attributes:
        dimensions: Its axes, in the order of the config.
        size: The number of its points, numbered in product order.
    """

    __slots__ = ("_slots", "dimensions", "size")

    def __init__(self, tree: Tree, root: Node, *, keeps_order: bool) -> None:
        self.dimensions = tuple(_dimensions(tree, root, keeps_order))
        self.size = math.prod(dimension.axis.size or 1 for dimension in self.dimensions)
        self._slots = {
            node: (position, column)
            for position, dimension in enumerate(self.dimensions)
            for node, column in dimension.columns.items()
        }

    def row(self, number: int) -> tuple[int, ...]:
        """The indices of the point of this number."""
        indices = []
        for dimension in reversed(self.dimensions):
            number, index = divmod(number, dimension.axis.size or 1)
            indices.append(index)
        return tuple(reversed(indices))

    def reader(self, node: Node) -> Reader:
        """The values of one subtree; those that differ at every point are not kept."""
        if isinstance(node, Leaf):
            return Reader((), lambda _: node.value)
        if node in self._slots:
            position, column = self._slots[node]
            return Reader((position,), column, keeps=len(self.dimensions) > 1)
        if isinstance(node, Branch):
            return self._branch_reader(node)
        return Reader((), lambda _: node)

    def _branch_reader(self, branch: Branch) -> Reader:
        readers = [(key, self.reader(child)) for key, child in branch.items]
        positions = tuple(sorted({p for _, reader in readers for p in reader.positions}))
        template = {key: None if reader.positions else reader[()] for key, reader in readers}
        varying = [
            (key, key_getter(reader.positions, positions), reader)
            for key, reader in readers
            if reader.positions
        ]
        may_lack = any(isinstance(child, Switch) for _, child in branch.items)

        def make(key: object) -> object:
            value = template.copy()
            for name, part, reader in varying:
                value[name] = reader[part(key)]
            if may_lack:
                value = {name: each for name, each in value.items() if each is not ABSENT}
            return value if branch.kind is dict else branch.kind(value.values())

        return Reader(positions, make, keeps=len(positions) < len(self.dimensions))


def key_getter(wanted: tuple[int, ...], given: tuple[int, ...]) -> Callable[[Any], Any]:
    """Makes the key of a reader of the positions `wanted` from that of one of `given`."""
    if wanted == given:
        return _same
    return itemgetter(*(given.index(position) for position in wanted))


def _same(key: object) -> object:
    return key


def _dimensions(tree: Tree, root: Node, keeps_order: bool) -> Iterator[Dimension]:
    places = in_order(_places(root, tree), tree)
    for block in _blocks(places, tree, keeps_order):
        first = block[0]
        if len(block) == 1 and isinstance(first, Span):
            yield Dimension(Axis(dotted(first.path), first.size), {first: _Counter(first)})
        elif len(block) == 1 and isinstance(first, Fork):
            size, column = _fork_column(first, tree, keeps_order)
            yield Dimension(Axis(dotted(first.path), size, first.group), {first: column})
        elif _is_lockstep(block):
            yield _lockstep(block)
        else:
            yield _composite(block, tree)


def _places(node: Node, tree: Tree) -> Iterator[Node]:
    """The nodes that are moved by an axis, however deep in dicts that are always there."""
    if isinstance(node, Branch) and node.path not in tree.targets:
        for _, child in node.items:
            yield from _places(child, tree)
    elif not isinstance(node, Leaf | Hole):
        yield node


def _blocks(places: Sequence[Node], tree: Tree, keeps_order: bool) -> Iterator[list[Node]]:
    """The places that depend on each other, together; at the place of the first of them.

    To keep product order, what lies between places that depend on each other in more than
    lockstep joins their block.
    """
    block: list[int] = []
    end = -1
    for members in _components(places, tree):
        if not keeps_order or members[0] > end:
            if block:
                yield [places[i] for i in sorted(block)]
            block, end = [], -1
        block += members
        if len(members) > 1 and not _is_lockstep([places[i] for i in members]):
            end = max(end, members[-1])
    if block:
        yield [places[i] for i in sorted(block)]


def _components(places: Sequence[Node], tree: Tree) -> list[list[int]]:
    """Positions of places that share a token, directly or through others, by their first."""
    roots = list(range(len(places)))

    def root(i: int) -> int:
        while roots[i] != i:
            roots[i] = roots[roots[i]]
            i = roots[i]
        return i

    owners: dict[Token, int] = {}
    for i, place in enumerate(places):
        for token in tokens(place, tree):
            one, other = root(owners.setdefault(token, i)), root(i)
            roots[max(one, other)] = min(one, other)
    members: dict[int, list[int]] = {}
    for i in range(len(places)):
        members.setdefault(root(i), []).append(i)
    return list(members.values())


def _is_lockstep(block: Sequence[Node]) -> bool:
    groups = {node.group for node in block if isinstance(node, Fork) and node.is_flat}
    return len(groups) == 1 and all(isinstance(node, Fork) and node.is_flat for node in block)


def _lockstep(block: Sequence[Node]) -> Dimension:
    forks = [node for node in block if isinstance(node, Fork)]
    first = forks[0]
    axis = Axis(dotted(first.path), len(first.options), first.group)
    return Dimension(axis, {fork: _leaf_values(fork).__getitem__ for fork in forks})


def _leaf_values(fork: Fork) -> list[object]:
    return [option.value for option in fork.options if isinstance(option, Leaf)]


def _fork_column(fork: Fork, tree: Tree, keeps_order: bool) -> tuple[int, Column]:
    if fork.is_flat:
        values = _leaf_values(fork)
        return len(values), values.__getitem__
    column = _Subspaces(
        [(Space(tree, option, keeps_order=keeps_order), option) for option in fork.options]
    )
    return column.size, column


class _Subspaces:
    """The values of several spaces, one space after the other."""

    def __init__(self, spaces: Sequence[tuple[Space, Node]]) -> None:
        self._spaces = [space for space, _ in spaces]
        self._readers = [space.reader(root) for space, root in spaces]
        self._ends = list(itertools.accumulate(space.size for space in self._spaces))
        self.size = self._ends[-1]

    def __call__(self, number: int) -> object:
        which = bisect_right(self._ends, number)
        space, reader = self._spaces[which], self._readers[which]
        row = space.row(number - (self._ends[which] - space.size))
        key = itemgetter(*reader.positions)(row) if reader.positions else ()
        return reader[key]


@dataclass(frozen=True, slots=True)
class _Counter:
    """The integers of a span."""

    span: Span

    def __call__(self, index: int) -> int:
        return self.span.start + index


def _composite(block: Sequence[Node], tree: Tree) -> Dimension:
    table = [values for values, _ in rows(block, tree)]
    columns = [column.__getitem__ for column in zip(*table, strict=True)]
    axis = Axis(", ".join(dotted(n.path) for n in block), len(table))
    return Dimension(axis, dict(zip(block, columns, strict=True)))
