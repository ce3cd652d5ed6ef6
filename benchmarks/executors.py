"""What does each executor cost on this machine: start, tasks, a lost worker, a cached run?"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.environments import ROOT
from benchmarks.executors_engines import ENGINES

_TIMEOUT_S = 900.0
_SLOW = {"rq": 10, "slurm": 10}
"""How many times fewer tasks are run where a process is started for each."""

_PROGRAMS = {"slurm": "slurmctld"}
"""What an engine needs that is not on every machine."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one executor, in seconds, once per repeat.

    Attributes:
        name: Of the executor.
        tasks: So many in each run.
        start_s: Until the first result, the start of the engine included.
        run_s: A run of no-ops, in a new store.
        own_s: As many no-ops of the engine itself; empty where it has none.
        cached_s: The same run again.
        loss_s: How much longer a run takes that loses a worker; empty where that ends the run.
    """

    name: str
    tasks: int
    start_s: float
    run_s: Sequence[float]
    own_s: Sequence[float]
    cached_s: Sequence[float]
    loss_s: Sequence[float]

    @property
    def task_ms(self) -> float:
        """A task of ours."""
        return 1000 * median(self.run_s) / self.tasks

    @property
    def own_ms(self) -> float:
        """One of the engine."""
        return 1000 * median(self.own_s) / self.tasks if self.own_s else 0.0

    @property
    def cached_ms(self) -> float:
        """A task that is cached."""
        return 1000 * median(self.cached_s) / self.tasks


def main(arguments: list[str]) -> None:
    """Measure what is asked for, and print the table."""
    description = "Measure executors."
    parser = argparse.ArgumentParser("python -m benchmarks executors", description=description)
    parser.add_argument("--executors", default=",".join(_here()))
    parser.add_argument("--tasks", type=int, default=1000, help="per run")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", type=Path, help="the file to write the table to")
    asked = parser.parse_args(arguments)
    names = asked.executors.split(",")
    if unknown := [each for each in names if each not in ENGINES]:
        parser.error(f"unknown executor {unknown[0]!r}; there are {', '.join(ENGINES)}")
    found = []
    for name in names:
        tasks = max(1, asked.tasks // _SLOW.get(name, 1))
        found.append(measure(name, tasks, asked.repeats, asked.workers))
        print(row(found[-1]), file=sys.stderr, flush=True)
    text = markdown(found, asked, " ".join(["python -m benchmarks executors", *arguments]))
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text)


def _here() -> list[str]:
    """The engines that can be started on this machine."""
    wants = {each: _PROGRAMS.get(each) for each in ENGINES}
    return [each for each, program in wants.items() if program is None or shutil.which(program)]


def measure(name: str, tasks: int, repeats: int, workers: int) -> Figures:
    """One executor, in a process of its own.

    Raises:
        RuntimeError: it has not done what it should.
    """
    numbers = [str(each) for each in (tasks, repeats, workers)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.executors_child", name, *numbers],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    told: Mapping[str, object] = json.loads(done.stdout.splitlines()[-1])
    return Figures(name, tasks, **told)  # type: ignore[arg-type]  # the child has made it


def markdown(found: Sequence[Figures], asked: argparse.Namespace, command: str) -> str:
    """The table, with how it was made."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    head = (
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')}: Python "
        f"{platform.python_version()}, {platform.system()}, {os.cpu_count()} CPUs, load {load}. "
        f"Medians of {asked.repeats} interleaved repeats, {asked.workers} workers."
    )
    heads = ["executor", "start, s", "ms per task", "of the engine's own", "added"]
    heads += ["ms per cached task", "a lost worker, s"]
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([head, "", *rows, *map(row, found)]) + "\n"


def row(figures: Figures) -> str:
    """The line of one executor."""
    own = figures.own_ms
    cells = [
        figures.name,
        f"{figures.start_s:.2f}",
        f"{figures.task_ms:.2f}",
        f"{own:.2f}" if figures.own_s else "",
        f"{figures.task_ms - own:.2f}",
        f"{figures.cached_ms:.3f}",
        f"{median(figures.loss_s):.2f}" if figures.loss_s else "ends the run",
    ]
    return f"| {' | '.join(cells)} |"
