"""Which cells does the table have, and what does each run?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.systems import System

CHAIN = 5_000
WIDTH = 100
LARGE = 10_000
BUSY_MS = 5


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload of the performance page.

    Attributes:
        function: What it is called in the adapters.
        title: What it computes, in a few words.
        variants: What it is measured with.
        reads_store: Whether it needs a filled store.
        is_optional: Whether it is measured only when asked for by name.
    """

    function: str
    title: str
    variants: Sequence[str] = ("",)
    reads_store: bool = False
    is_optional: bool = False


WORKLOADS: dict[str, Workload] = {
    "W1": Workload("expand", "expand to nodes with keys"),
    "W2": Workload("cold", "cold run of tasks that do nothing", ("1w", "2w")),
    "W2b": Workload("busy", f"cold run of tasks of {BUSY_MS} ms", ("1w", "2w")),
    "W3": Workload("warm", "all cached, results collected", reads_store=True),
    "W4": Workload("one_more", "all cached and one new task", reads_store=True),
    "W5": Workload("payload", "arrays saved and loaded", ("small", "big"), is_optional=True),
    "W6": Workload("gather", "a new reduce over stored results", reads_store=True),
    "W7": Workload("start", "start of the process", ("import", "help")),
    "W8": Workload("shape", "tasks that read from tasks", ("chain", "dense", "layers")),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the table.

    Attributes:
        size: The number of tasks, or what the shape is made of.
    """

    workload: str
    variant: str
    size: int

    @property
    def function(self) -> str:
        """What it is called in the adapters."""
        return WORKLOADS[self.workload].function

    @property
    def reads_store(self) -> bool:
        """Whether it needs a filled store."""
        return WORKLOADS[self.workload].reads_store

    @property
    def workers(self) -> int:
        """How many workers may run at once."""
        return 2 if self.variant == "2w" else 1

    @property
    def series(self) -> tuple[str, str]:
        """What it has in common with the cells of other sizes."""
        return (self.workload, self.variant)

    @property
    def label(self) -> str:
        """Head of its column: `W2 1w 10k`."""
        size = f"{self.size // 1000}k" if self.size >= 1000 and self.size % 1000 == 0 else self.size
        parts = (self.workload, self.variant, "" if self.workload == "W7" else str(size))
        return " ".join(part for part in parts if part)

    def is_supported_by(self, system: System) -> bool:
        """Whether the system has something to run."""
        if self.variant == "help" and system.help_module is None:
            return False
        return self.function in system.supports


def make_cells(workloads: str, sizes: Sequence[int]) -> list[Cell]:
    """The cells of a comma-separated list of workloads; by size, so that small ones come first.

    Raises:
        SystemExit: a workload is unknown.
    """
    wanted = [name.strip() for name in workloads.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in WORKLOADS]:
        raise SystemExit(f"unknown workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    names = wanted or [name for name, each in WORKLOADS.items() if not each.is_optional]
    cells = [cell for name in names for cell in _cells_of(name, sorted(sizes))]
    return sorted(cells, key=lambda cell: cell.size)


def in_table_order(cells: Iterable[Cell]) -> list[Cell]:
    """By workload, variant and size."""
    order = [(name, variant) for name, each in WORKLOADS.items() for variant in each.variants]
    return sorted(set(cells), key=lambda cell: (order.index(cell.series), cell.size))


def _cells_of(name: str, sizes: Sequence[int]) -> Iterator[Cell]:
    for variant in WORKLOADS[name].variants:
        for size in _sizes_of(name, variant, sizes):
            yield Cell(name, variant, size)


def _sizes_of(name: str, variant: str, sizes: Sequence[int]) -> Sequence[int]:
    """Shapes and payloads have sizes of their own, unless only tiny ones are asked for."""
    largest = sizes[-1]
    if name == "W8":
        return [min(CHAIN, 5 * largest) if variant == "chain" else min(WIDTH, largest // 4)]
    if name == "W5":
        return [min(200, largest) if variant == "small" else min(5, max(1, largest // 1000))]
    if name == "W1" and largest >= LARGE:  # it alone is measured at ten times as many
        return [*sizes, 10 * largest]
    return [0] if name == "W7" else sizes
