"""What is the concrete config at a row of indices?"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from flowlib.expansion import Axis
from flowlib.grid_space import Reader, Space
from flowlib.grid_tree import ABSENT, Hole, Node, Switch, Tree, descendants, dotted

Row = Sequence[int | float]
"""An index for each axis, or a number in [0, 1) where the axis is continuous."""


class Choice:
    """One alternative of a top-level parameter, shared by all points that have it.

    The value is shared too, with the config and with other choices: it must not be changed.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Choice({self.value!r})"


Point = dict[str, Choice]
"""One concrete config, in the order of the config; parameters switched off are absent."""


class Grid:
    """The points of one tree.

    Attributes:
        space: Its independent axes.
        draws: A continuous axis for each number that is drawn.
        axes: All of them, the drawn ones last.
    """

    __slots__ = ("_fixed", "_may_lack", "_positions", "_varying", "axes", "draws", "space")

    def __init__(self, tree: Tree, *, keeps_order: bool) -> None:
        self.space = Space(tree, tree.root, keeps_order=keeps_order)
        holes = _holes(tree.root)
        self.draws = [Axis(dotted(hole.path), None) for hole in holes]
        self.axes = [*(dimension.axis for dimension in self.space.dimensions), *self.draws]
        self._positions = {hole: len(self.space.dimensions) + i for i, hole in enumerate(holes)}
        readers = [(str(name), self._choices(node)) for name, node in tree.root.items]
        self._fixed: dict[str, Any] = {
            name: None if reader.positions else reader[()] for name, reader in readers
        }
        self._varying: list[tuple[str, Callable[[Row], object], Reader]] = [
            (name, itemgetter(*reader.positions), reader)
            for name, reader in readers
            if reader.positions
        ]
        self._may_lack = any(isinstance(node, Switch) for _, node in tree.root.items)

    def point(self, row: Row) -> Point:
        """The point at a row of indices."""
        point = self._fixed.copy()
        for name, key, reader in self._varying:
            point[name] = reader[key(row)]
        if self._may_lack:
            return {name: choice for name, choice in point.items() if choice is not None}
        return point

    def _choices(self, node: Node) -> Reader:
        """Makes the choices of one parameter, None where it is switched off."""
        values, holes = self.space.reader(node), _holes(node)
        if not holes:
            return Reader(
                values.positions, lambda key: _choice(values.make(key)), keeps=values.keeps
            )
        split = len(values.positions)
        positions = (*values.positions, *(self._positions[hole] for hole in holes))

        def make(key: Any) -> object:
            row = key if len(positions) > 1 else (key,)
            value = values[row[0] if split == 1 else row[:split]]
            return _choice(_filled(value, dict(zip(holes, row[split:], strict=True))))

        return Reader(positions, make, keeps=False)


class Grids:
    """The points of several grids, one grid after the other, as one axis.

    Attributes:
        axes: One for all points of all grids, then those of the numbers that are drawn.
    """

    __slots__ = ("_ends", "_first_draws", "_grids", "axes")

    def __init__(self, grids: Sequence[Grid]) -> None:
        self._grids = grids
        self._ends = list(itertools.accumulate(grid.space.size for grid in grids))
        counts = (len(grid.draws) for grid in grids)
        self._first_draws = list(itertools.accumulate(counts, initial=1))
        self.axes = [Axis("", self._ends[-1]), *(axis for grid in grids for axis in grid.draws)]

    def point(self, row: Row) -> Point:
        """The point at a row of indices."""
        number = int(row[0])
        which = bisect_right(self._ends, number)
        grid, first = self._grids[which], self._first_draws[which]
        inner = grid.space.row(number - (self._ends[which] - grid.space.size))
        return grid.point((*inner, *row[first : first + len(grid.draws)]))


def _holes(node: Node) -> list[Hole]:
    return [below for below in descendants(node) if isinstance(below, Hole)]


def _choice(value: object) -> Choice | None:
    return None if value is ABSENT else Choice(value)


def _filled(value: object, draws: Mapping[Hole, float]) -> object:
    """The value with a number in place of every hole; never changes what is shared."""
    if isinstance(value, Hole):
        return value.distribution.value(draws[value])
    if type(value) is dict:
        return {key: _filled(each, draws) for key, each in value.items()}
    if type(value) is list:
        return [_filled(each, draws) for each in value]
    if type(value) is tuple:
        return tuple(_filled(each, draws) for each in value)
    return value
