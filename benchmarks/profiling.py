"""Where does the time of one case go? Run it in this process, under cProfile."""

from __future__ import annotations

import cProfile
import importlib
import os
import pstats
import tempfile

from benchmarks import workloads
from benchmarks.cells import BUSY_MS, Cell
from benchmarks.environments import cache_folder
from benchmarks.systems import System
from benchmarks.workloads import Case


def profile(system: System, cell: Cell, sort: str, lines: int) -> None:
    """Print the functions that take most of the time; importing the system is not counted."""
    adapter = importlib.import_module(f"benchmarks.adapters.{system.adapter}")
    with tempfile.TemporaryDirectory(prefix="profile-", dir=cache_folder()) as folder:
        case = Case(cell.size, folder, cell.workers, cell.variant, fsync=system.fsync)
        if cell.reads_store:
            os.environ[workloads.SALT_VARIABLE] = str(workloads.SALT_OF_FILLING)
            adapter.cold(case)
        os.environ[workloads.SALT_VARIABLE] = str(workloads.SALT_OF_READING)
        if cell.function == "busy":
            os.environ[workloads.BUSY_VARIABLE] = str(BUSY_MS)
        profiler = cProfile.Profile()
        facts = profiler.runcall(getattr(adapter, cell.function), case)
        pstats.Stats(profiler).sort_stats(sort).print_stats(lines)
    expected = workloads.expected(cell.function, case)
    print(f"found {facts}" if facts == expected else f"WRONG: {facts}, expected {expected}")
