"""
How do lines run between two layers? Upright trunks in columns, joined by level wires.

Sources with the same targets share one trunk. Wires run from left to right and pass behind every
trunk that has no arm towards them:

    A ──┬──│──── C      A and B lead to C and D; the second trunk leads from above to D,
    B ──┴──├──── D      and shares the last piece of the way with the first.

What keeps this unambiguous: in a row in which a source ends at its trunk, all trunks that lead
along this row to the target stand to the right of it. Where that is a circle, a source changes its
row by a short trunk of its own.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import takewhile
from typing import Final

from stores.lazy_dataclass import dataclass

NEW_ROW_COST: Final = 8
"""How many rows further away an empty row may be before a new one is made for a line."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """An upright line.

    Attributes:
        left: Rows in which a wire reaches it from the left.
        right: Rows in which a wire leaves it to the right.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def top(self) -> int:
        """Its first row."""
        return min(*self.left, *self.right)

    @property
    def bottom(self) -> int:
        """Its last row."""
        return max(*self.left, *self.right)


@dataclass(frozen=True, slots=True)
class Wire:
    """A level line between two columns, these not included; None is the edge of the channel."""

    row: int
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Channel:
    """The lines between two layers.

    Attributes:
        trunks: With their columns.
        wires: Level lines.
        columns: How many columns there are.
    """

    trunks: tuple[tuple[int, Trunk], ...]
    wires: tuple[Wire, ...]
    columns: int


@dataclass(slots=True)
class Rows:
    """Rows of a picture: nodes have the even numbers, odd ones are made when a line needs them.

    Attributes:
        count: How many rows nodes have.
        made: The odd rows that are there.
    """

    count: int
    made: set[int] = field(default_factory=set)

    def around(self, row: int) -> Iterator[int]:
        """The other rows, there or not, the nearest first."""
        for distance in range(1, 2 * self.count + 2):
            yield from (
                each for each in (row - distance, row + distance) if -1 <= each < 2 * self.count
            )

    def is_there(self, row: int) -> bool:
        """Whether a row has nodes or has been made."""
        return row % 2 == 0 or row in self.made


def route(nets: Sequence[tuple[Sequence[int], Sequence[int]]], rows: Rows, gap: int = 0) -> Channel:
    """Draw lines for nets, each from all of its source rows to all of its target rows.

    Args:
        nets: Source rows and target rows; no source row belongs to two nets.
        rows: The rows of the picture; odd ones may be added.
        gap: Empty rows between two trunks in one column.
    """
    plan = _Nets(nets, rows)
    order = plan.in_order()
    trunks = [Trunk(tuple(plan.sources_now(net)), tuple(nets[net][1])) for net in order]
    jogs = [*plan.jogs.items()]
    columns = _Columns(gap)
    column_of_jog = {row: columns.place(_jog(row, to), -1) for row, to in jogs}
    column_of: dict[int, int] = {}
    for net, trunk in zip(order, trunks, strict=True):
        if trunk.top < trunk.bottom:
            after = max(
                (
                    *(column_of_jog[row] for row in nets[net][0] if row in column_of_jog),
                    *(_column(plan, row, column_of, column_of_jog, net) for row in trunk.right),
                    -1,
                )
            )
            column_of[net] = columns.place(trunk, after)
    placed = [(column_of_jog[row], _jog(row, to)) for row, to in jogs]
    placed += [(column_of[n], t) for n, t in zip(order, trunks, strict=True) if n in column_of]
    wires = [*_wires(zip(order, trunks, strict=True), column_of, plan.jogs, column_of_jog)]
    return Channel(tuple(placed), tuple(wires), columns.count)


def _column(
    plan: _Nets,
    row: int,
    column_of: Mapping[int, int],
    column_of_jog: Mapping[int, int],
    net: int,
) -> int:
    """The column in which the source of `row` ends; trunks that leave in this row come later."""
    if row in column_of_jog:
        return column_of_jog[row]
    owner = plan.owner.get(row)
    return -1 if owner is None or owner == net else column_of.get(owner, -1)


def _jog(row: int, to: int) -> Trunk:
    return Trunk((row,), (to,))


def _wires(
    trunks: Iterable[tuple[int, Trunk]],
    column_of: Mapping[int, int],
    jogs: Mapping[int, int],
    column_of_jog: Mapping[int, int],
) -> Iterator[Wire]:
    came_from = {to: row for row, to in jogs.items()}
    for row, end in column_of_jog.items():
        yield Wire(row, None, end)
    for net, trunk in trunks:
        column = column_of.get(net)
        for row in trunk.left:
            start = column_of_jog[came_from[row]] if row in came_from else None
            yield Wire(row, start, column)
        if column is not None:
            for row in trunk.right:
                yield Wire(row, column, None)


class _Nets:
    """Brings nets into an order in which their trunks can stand, from left to right.

    Attributes:
        owner: The net of each source row.
        jogs: The rows to which sources move that would make a circle.
    """

    def __init__(self, nets: Sequence[tuple[Sequence[int], Sequence[int]]], rows: Rows) -> None:
        self._nets = nets
        self._rows = rows
        self.owner = {row: net for net, (sources, _) in enumerate(nets) for row in sources}
        self.jogs: dict[int, int] = {}
        self._taken: set[int] = set()
        self._users: dict[int, list[int]] = {}
        self._blockers: list[set[int]] = []
        for net, (_, targets) in enumerate(nets):
            for row in targets:
                self._users.setdefault(row, []).append(net)
            self._blockers.append({row for row in targets if self._blocks(row, net)})

    def sources_now(self, net: int) -> list[int]:
        """The rows in which the sources of a net reach its trunk."""
        return [self.jogs.get(row, row) for row in self._nets[net][0]]

    def in_order(self) -> list[int]:
        """All nets; a net comes after those whose sources end in its target rows."""
        heap = [(len(rows), net) for net, rows in enumerate(self._blockers)]
        heapq.heapify(heap)
        order: list[int] = []
        is_done = [False] * len(self._nets)
        while heap:
            count, net = heapq.heappop(heap)
            if is_done[net] or count != len(self._blockers[net]):
                continue
            for row in sorted(self._blockers[net]):
                self._move(row)
                self._free(row, heap)
            is_done[net] = True
            order.append(net)
            for row in self._nets[net][0]:
                self._free(row, heap)
        return order

    def _blocks(self, row: int, net: int) -> bool:
        owner = self.owner.get(row)
        return owner is not None and owner != net and not self._is_straight(owner)

    def _is_straight(self, net: int) -> bool:
        sources, targets = self._nets[net]
        return len(sources) == len(targets) == 1 and sources[0] == targets[0]

    def _free(self, row: int, heap: list[tuple[int, int]]) -> None:
        for net in self._users.get(row, ()):
            if row in self._blockers[net]:
                self._blockers[net].remove(row)
                heapq.heappush(heap, (len(self._blockers[net]), net))

    def _move(self, row: int) -> None:
        """Let the source of `row` go on in another row that nothing else uses."""
        net = self.owner[row]
        empty = (each for each in self._rows.around(row) if self._is_empty(each, net))
        best = next(empty)
        if not self._rows.is_there(best):
            near = takewhile(lambda each: abs(each - row) <= 2 * NEW_ROW_COST, empty)
            best = next((each for each in near if self._rows.is_there(each)), best)
        self.jogs[row] = best
        self._taken.add(best)
        if best % 2:
            self._rows.made.add(best)

    def _is_empty(self, row: int, net: int) -> bool:
        return (
            row not in self.owner
            and row not in self._taken
            and all(each == net for each in self._users.get(row, ()))
        )


class _Columns:
    """Columns, each with trunks that do not touch."""

    def __init__(self, gap: int) -> None:
        self._gap = 2 * gap
        self._used: list[tuple[list[int], list[int]]] = []

    @property
    def count(self) -> int:
        return len(self._used)

    def place(self, trunk: Trunk, after: int) -> int:
        """The first column right of `after` in which the trunk has room."""
        column = after + 1
        while column < len(self._used) and not self._has_room(column, trunk):
            column += 1
        while column >= len(self._used):
            self._used.append(([], []))
        tops, bottoms = self._used[column]
        at = bisect_left(tops, trunk.top)
        tops.insert(at, trunk.top)
        bottoms.insert(at, trunk.bottom)
        return column

    def _has_room(self, column: int, trunk: Trunk) -> bool:
        tops, bottoms = self._used[column]
        at = bisect_left(tops, trunk.top)
        return (at == 0 or bottoms[at - 1] + self._gap < trunk.top) and (
            at == len(tops) or trunk.bottom + self._gap < tops[at]
        )
