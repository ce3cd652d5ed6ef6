"""How are the measurements shown?"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

from benchmarks.cells import WORKLOADS, Cell, in_table_order
from benchmarks.goals import verdicts
from benchmarks.session import Samples, Settings, Table

Show = Callable[[str, Cell], str]


def markdown(table: Table, order: Sequence[str], settings: Settings, command: str) -> str:
    """All tables: seconds, ratios, memory, goals."""
    cells = in_table_order(cell for _, cell in table)
    systems = [name for name in order if any(name == each for each, _ in table)]
    parts = [_head(settings, command, cells)]
    view = _View(table, settings)
    parts += ["### Seconds of the whole process", _grid(systems, cells, view.seconds)]
    if "floor" in systems:
        parts += [
            "### Times the floor",
            _grid([each for each in systems if each != "floor"], cells, view.ratio),
        ]
    weighing = [cell for cell in cells if cell.workload == "W5"]
    for name in ("save", "load") if weighing else ():
        parts += [f"### MB/s of {name}", _grid(systems, weighing, partial(view.speed, name))]
    expanding = [cell for cell in cells if cell.workload in ("W1", "W5")]
    if expanding:
        parts += ["### Peak memory, MiB", _grid(systems, expanding, view.memory)]
    if rows := [
        f"| {each.goal} | {each.limit} | {each.measured} | {'yes' if each.is_met else '**no**'} |"
        for each in verdicts(table, settings.timeout_s)
    ]:
        head = ["| goal | limit | measured | met |", "|---|---|---|---|"]
        parts += ["### Goals", "\n".join([*head, *rows])]
    if problems := list(_problems(table)):
        parts += ["### What went wrong", "\n".join(problems)]
    return "\n\n".join(parts) + "\n"


class _View:
    def __init__(self, table: Table, settings: Settings) -> None:
        self._table = table
        self._settings = settings

    def seconds(self, system: str, cell: Cell) -> str:
        samples = self._table.get((system, cell))
        if samples is None:
            return ""
        if samples.problem or samples.seconds is None:
            return self._excuse(samples)
        return f"{_short(samples.seconds)}{'°' if len(samples.good) == 1 else ''}"

    def ratio(self, system: str, cell: Cell) -> str:
        samples, floor = self._table.get((system, cell)), self._table.get(("floor", cell))
        if samples is None or floor is None or floor.problem or not floor.seconds:
            return ""
        if samples.problem or samples.seconds is None:
            late = self._settings.timeout_s / floor.seconds
            return f">{late:.0f}" if samples.problem == "timeout" else ""
        return f"{samples.seconds / floor.seconds:.3g}"

    def memory(self, system: str, cell: Cell) -> str:
        samples = self._table.get((system, cell))
        return "" if samples is None or samples.rss_mib is None else f"{samples.rss_mib:.0f}"

    def speed(self, name: str, system: str, cell: Cell) -> str:
        samples = self._table.get((system, cell))
        speeds = [each.speeds[name] for each in samples.good] if samples is not None else []
        return f"{median(speeds):.0f}" if speeds else ""

    def _excuse(self, samples: Samples) -> str:
        if samples.problem == "timeout":
            return f">{self._settings.timeout_s:g}"
        return "†" if samples.problem == "store not filled: timeout" else "fails"


def _short(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.3g}"


def _grid(systems: Sequence[str], cells: Sequence[Cell], show: Show) -> str:
    lines = [_row("system", [cell.label for cell in cells]), "|---" * (len(cells) + 1) + "|"]
    for system in systems:
        shown = [show(system, cell) for cell in cells]
        if any(shown):
            lines.append(_row(system, shown))
    return "\n".join(lines)


def _row(head: str, fields: Sequence[str]) -> str:
    return "| " + " | ".join([head, *fields]) + " |"


def _head(settings: Settings, command: str, cells: Sequence[Cell]) -> str:
    names = dict.fromkeys(cell.workload for cell in cells)
    titles = ", ".join(f"{name} {WORKLOADS[name].title}" for name in names)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')}: Python "
        f"{platform.python_version()}, {platform.system()}, {os.cpu_count()} CPUs, load {load}. "
        f"Medians of {settings.repeats} interleaved runs, each a fresh process, measured with the "
        f"start of the interpreter. ° one run; † its store could not be filled in "
        f"{settings.fill_timeout_s:g} s.\n\n{titles}."
    )


def _problems(table: Table) -> Iterator[str]:
    for (system, cell), samples in table.items():
        problem = samples.problem
        if problem and problem != "timeout" and problem != "store not filled: timeout":
            last = problem.splitlines()[-1]
            yield f"- {system}, {cell.label}: {last}"
