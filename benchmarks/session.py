"""In which order are the cells measured? Systems take turns, in every round of every cell."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from benchmarks import workloads
from benchmarks.cells import BUSY_MS, Cell
from benchmarks.environments import ROOT, cache_folder, python_of
from benchmarks.launch import Order, Outcome, launch
from benchmarks.systems import System
from benchmarks.workloads import Case

CHILD = Path(__file__).with_name("child.py")
_FILLING = {workloads.SALT_VARIABLE: str(workloads.SALT_OF_FILLING)}
_READING = {workloads.SALT_VARIABLE: str(workloads.SALT_OF_READING)}


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure.

    Attributes:
        repeats: How often each cell is run.
        timeout_s: After how long a case is ended.
        fill_timeout_s: The same for filling the store that W3, W4 and W6 read.
        slow_s: What takes longer is run once only.
        keep: Whether the folders of all cases stay at the end: ext4 makes files several times
            slower for minutes after many were deleted.
    """

    repeats: int = 5
    timeout_s: float = 60.0
    fill_timeout_s: float = 300.0
    slow_s: float = 10.0
    keep: bool = False


@dataclass(slots=True)
class Samples:
    """All that was measured of one system in one cell."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def good(self) -> list[Outcome]:
        """Those that count."""
        return [each for each in self.outcomes if not each.problem]

    @property
    def problem(self) -> str:
        """The first thing that went wrong."""
        return next((each.problem for each in self.outcomes if each.problem), "")

    @property
    def seconds(self) -> float | None:
        """The median; None if nothing counts."""
        return median(each.seconds for each in self.good) if self.good else None

    @property
    def cpu_s(self) -> float | None:
        """The median of the time computed."""
        return median(each.cpu_s for each in self.good) if self.good else None

    @property
    def rss_mib(self) -> float | None:
        """The median of the peaks."""
        peaks = [each.rss_kib for each in self.good if each.rss_kib]
        return median(peaks) / 1024 if peaks else None


Table = Mapping[tuple[str, Cell], Samples]


class Session:
    """Measures cells; the folders of all cases stay until the end."""

    def __init__(
        self,
        systems: Sequence[System],
        cells: Sequence[Cell],
        settings: Settings,
        report: Callable[[str], None],
    ) -> None:
        self._systems = [each for each in systems if python_of(each) is not None]
        self._cells = cells
        self._settings = settings
        self._report = report
        self._base = Path(tempfile.mkdtemp(prefix="work-", dir=cache_folder()))
        self._folders = 0
        self._filled: dict[tuple[str, int], Path | Outcome] = {}
        self._table: dict[tuple[str, Cell], Samples] = {}
        for missing in [each.name for each in systems if each not in self._systems]:
            report(f"{missing} is not installed: python -m benchmarks setup")

    def measure(self) -> Table:
        """Run all rounds of all cells; a cell is dropped for a system that it takes too long."""
        try:
            for system in self._systems:
                self._warm_up(system)
            for round_ in range(self._settings.repeats):
                for cell in self._cells:
                    for system in self._in_turn(round_):
                        if cell.is_supported_by(system):
                            self._take(system, cell, round_)
        finally:
            if not self._settings.keep:
                shutil.rmtree(self._base, ignore_errors=True)
        return self._table

    def _in_turn(self, round_: int) -> list[System]:
        """Another system begins in each round."""
        at = round_ % max(1, len(self._systems))
        return self._systems[at:] + self._systems[:at]

    def _take(self, system: System, cell: Cell, round_: int) -> None:
        samples = self._table.setdefault((system.name, cell), Samples())
        slow = any(each.seconds > self._settings.slow_s for each in samples.outcomes)
        if samples.problem or slow:
            return
        outcome = self._hopeless(system, cell) or self._measured(system, cell, round_)
        samples.outcomes.append(outcome)
        shown = outcome.problem or f"{outcome.seconds:.3f} s, {outcome.rss_kib // 1024} MiB"
        self._report(f"{round_ + 1} {cell.label:>14} {system.name:<18} {shown}")

    def _hopeless(self, system: System, cell: Cell) -> Outcome | None:
        """A timeout without trying, where a smaller size has timed out already."""
        for (name, other), samples in self._table.items():
            is_smaller = other.series == cell.series and other.size < cell.size
            if name == system.name and is_smaller and samples.problem == "timeout":
                return Outcome(self._settings.timeout_s, problem="timeout")
        return None

    def _measured(self, system: System, cell: Cell, round_: int) -> Outcome:
        if cell.function == "start":
            return launch(self._start_order(system, cell), self._settings.timeout_s)
        folder = self._new_folder()
        if cell.reads_store:
            store = self._filled_store(system, cell.size)
            if isinstance(store, Outcome):
                return Outcome(0.0, problem=f"store not filled: {store.problem}")
            folder = store
        if cell.function == "cold":
            return self._cold(system, cell, folder, round_)
        variables = dict(_READING)
        if cell.function == "busy":
            variables[workloads.BUSY_VARIABLE] = str(BUSY_MS)
        case = Case(cell.size, str(folder), cell.workers, cell.variant, round_, fsync=system.fsync)
        return launch(self._order(system, cell.function, case, variables), self._settings.timeout_s)

    def _cold(self, system: System, cell: Cell, folder: Path, round_: int) -> Outcome:
        """A cold run; in the first round it is checked that the values can be read."""
        case = Case(cell.size, str(folder), cell.workers, fsync=system.fsync)
        order = self._order(system, "cold", case, _FILLING)
        outcome = launch(order, self._settings.timeout_s)
        if outcome.problem or round_ > 0 or "warm" not in system.supports:
            return outcome
        check = launch(self._order(system, "warm", case, _READING), self._settings.fill_timeout_s)
        if check.problem:
            return replace(outcome, problem=f"values cannot be read: {check.problem}")
        self._filled.setdefault((system.name, cell.size), folder)
        return outcome

    def _filled_store(self, system: System, size: int) -> Path | Outcome:
        """The store with the results of a cold run; filled once for each system and size."""
        known = self._filled.get((system.name, size))
        if known is None:
            known = self._filled[system.name, size] = self._fill(system, size)
        return known

    def _fill(self, system: System, size: int) -> Path | Outcome:
        limit = self._settings.fill_timeout_s
        cold = Cell("W2", "1w", size)
        if self._would_take(system, cold) > limit:
            return Outcome(limit, problem="timeout")
        case = Case(size, str(self._new_folder()), fsync=system.fsync)
        outcome = launch(self._order(system, "cold", case, _FILLING), limit)
        self._report(f"  fill {size:>9} {system.name:<18} {outcome.seconds:.3f} s")
        return outcome if outcome.problem else Path(case.folder)

    def _would_take(self, system: System, cold: Cell) -> float:
        """The least that a fill takes, as far as smaller sizes have shown: it is not sublinear."""
        least = 0.0
        for (name, cell), samples in self._table.items():
            if name == system.name and cell.series == cold.series and cell.size < cold.size:
                seconds = max(each.seconds for each in samples.outcomes)
                least = max(least, (seconds - 1.0) * cold.size / cell.size)
        return least

    def _warm_up(self, system: System) -> None:
        """Have its modules compiled and in the page cache."""
        case = Case(1, str(self._new_folder()))
        launch(self._order(system, "", case, {}), self._settings.timeout_s)

    def _order(
        self, system: System, function: str, case: Case, variables: Mapping[str, str]
    ) -> Order:
        outcome = Path(case.folder) / "outcome.json"
        outcome.unlink(missing_ok=True)
        message = {
            "case": {name: getattr(case, name) for name in Case.__slots__ if name != "speeds"},
            "adapter": system.adapter,
            "function": function,
            "outcome": str(outcome),
        }
        expected = workloads.expected(function, case) if function else {}
        command = [str(python_of(system)), str(CHILD), json.dumps(message)]
        return Order(command, Path(case.folder), variables, outcome, expected)

    def _start_order(self, system: System, cell: Cell) -> Order:
        statement = ["-c", system.imports]
        command = ["-m", str(system.help_module), "--help"] if cell.variant == "help" else statement
        variables = {"PYTHONPATH": str(ROOT)}
        return Order([str(python_of(system)), *command], self._new_folder(), variables, None, {})

    def _new_folder(self) -> Path:
        self._folders += 1
        folder = self._base / f"{self._folders:05}"
        folder.mkdir()
        return folder
