"""Does flowlib reach its goals? Each is a ratio of two cells of the same session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks.cells import Cell, in_table_order
from benchmarks.session import Samples, Table

US = "flowlib"
PEERS = ("fluidml", "joblib", "doit")
Number = Callable[[Samples], float | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was measured.

    Attributes:
        limit: With its direction: "≤ 2.5".
        measured: The same quantity; begins with ">" where the other side timed out.
    """

    goal: str
    limit: str
    measured: str
    is_met: bool


def verdicts(table: Table, timeout_s: float) -> Iterator[Verdict]:
    """All goals for which both sides were measured."""
    cells = in_table_order(cell for _, cell in table)
    judge = _Judge(table, timeout_s)
    for cell in cells:
        yield from judge.of_cell(cell)
    for cell in cells:
        larger = [each for each in cells if each.series == cell.series and each.size > cell.size]
        if cell.workload in _MARGINS and larger:
            yield from judge.marginal(cell, larger[-1])
    for cell in cells:
        if cell.series == ("W2b", "1w"):
            yield from judge.speedup(cell, replace(cell, variant="2w"))


# workload -> (the floor, factor); the file store against files, the index against the index
_FLOORS = {
    "W1": ("floor", 2.5),
    "W2": ("floor-files", 1.5),
    "W3": ("floor", 2.5),
    "W4": ("floor", 2.5),
    "W6": ("floor", 3.0),
}
# the same for each further task: start-up apart
_MARGINS = {"W2": ("floor-files", 1.5), "W3": ("floor", 3.0)}
_SHAPE_FACTORS = {"chain": 6.0, "dense": 3.0, "layers": 3.0}
_PEER_FACTORS = {
    "W1": {"fluidml": 10.0},
    "W2": {"joblib": 1.0},
    "W3": {"doit": 4.0, "joblib": 4.0, "fluidml": 400.0},
    "W4": {"doit": 1.0},
    "W6": {"joblib": 3.5},
    "W8": dict.fromkeys(PEERS, 1.0),
}
_START_MS = {"import": 70.0, "help": 90.0}


def _seconds(samples: Samples) -> float | None:
    return samples.seconds


def _rss(samples: Samples) -> float | None:
    return samples.rss_mib


class _Judge:
    def __init__(self, table: Table, timeout_s: float) -> None:
        self._table = table
        self._timeout_s = timeout_s

    def of_cell(self, cell: Cell) -> Iterator[Verdict]:
        """Everything that one cell tells."""
        if cell.workload == "W7":
            yield from self._start(cell)
            return
        if cell.workload == "W8":
            yield from self._at_most(cell, US, "floor", _SHAPE_FACTORS[cell.variant])
        elif cell.workload in _FLOORS:
            yield from self._at_most(cell, US, *_FLOORS[cell.workload])
        if cell.workload == "W1":
            yield from self._at_most(cell, US, "floor", 2.0, _rss, " peak memory")
        if cell.workload == "W2":
            yield from self._at_most(cell, "flowlib-fsync", "floor-files-fsync", 1.5)
        for peer, factor in _PEER_FACTORS.get(cell.workload, {}).items():
            yield from self._at_least(cell, peer, factor)

    def _at_most(
        self,
        cell: Cell,
        system: str,
        floor: str,
        factor: float,
        number: Number = _seconds,
        what: str = "",
    ) -> Iterator[Verdict]:
        ours, floors = self._number(system, cell, number), self._number(floor, cell, number)
        if ours and floors:
            goal = f"{cell.label}{what}: {system} / {floor}"
            yield Verdict(goal, f"≤ {factor:g}", f"{ours / floors:.2f}", ours / floors <= factor)

    def _at_least(self, cell: Cell, peer: str, factor: float) -> Iterator[Verdict]:
        ours = self._number(US, cell, _seconds)
        theirs, sign = self._number(peer, cell, _seconds), ""
        samples = self._table.get((peer, cell))
        if theirs is None and samples is not None and samples.problem == "timeout":
            theirs, sign = self._timeout_s, "> "
        if ours and theirs:
            ratio = theirs / ours
            goal = f"{cell.label}: {peer} / {US}"
            yield Verdict(goal, f"≥ {factor:g}", f"{sign}{ratio:.3g}", ratio >= factor)

    def _start(self, cell: Cell) -> Iterator[Verdict]:
        if ours := self._number(US, cell, _seconds):
            limit = _START_MS[cell.variant]
            yield Verdict(
                f"{cell.label}, ms", f"≤ {limit:g}", f"{ours * 1000:.0f}", ours * 1000 <= limit
            )

    def marginal(self, small: Cell, large: Cell) -> Iterator[Verdict]:
        """What each further task costs, against the floor."""
        floor, factor = _MARGINS[small.workload]
        costs = {}
        for name in (US, floor):
            low, high = self._number(name, small, _seconds), self._number(name, large, _seconds)
            if not low or not high:
                return
            costs[name] = (high - low) / (large.size - small.size) * 1e6
        if costs[floor] <= 0:  # too small to be seen beside the start
            return
        ratio = costs[US] / costs[floor]
        sizes = f"{small.size:,} to {large.size:,}"
        goal = f"{' '.join(small.series).strip()} per task, {sizes}: {US} / {floor}"
        shown = f"{ratio:.2f} ({costs[US]:.1f} / {costs[floor]:.1f} µs)"
        yield Verdict(goal, f"≤ {factor:g}", shown, ratio <= factor)

    def speedup(self, one: Cell, two: Cell) -> Iterator[Verdict]:
        """How much faster two workers are."""
        alone, both = self._number(US, one, _seconds), self._number(US, two, _seconds)
        if alone and both:
            ratio = alone / both
            goal = f"{one.workload}, {one.size:,} tasks: 1 worker / 2"
            yield Verdict(goal, "≥ 1.8", f"{ratio:.2f}", ratio >= 1.8)

    def _number(self, system: str, cell: Cell, number: Number) -> float | None:
        samples = self._table.get((system, cell))
        return None if samples is None or samples.problem else number(samples)
