"""What can be asked of the benchmarks? `setup`, `profile`, `faults`, `chaos`, a table and more."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.cells import make_cells
from benchmarks.environments import cache_folder, clean, set_up
from benchmarks.profiling import profile
from benchmarks.session import Session, Settings, Table
from benchmarks.systems import SYSTEMS, chosen
from benchmarks.table import markdown


def main(arguments: list[str]) -> None:
    """Do what the command line asks for."""
    actions = {
        "setup": _set_up,
        "profile": _profile,
        "faults": _inject_faults,
        "stores": _measure_stores,
        "chaos": _misbehave,
        "dashboard": _measure_dashboard,
        "provenance": _measure_provenance,
        "executors": _measure_executors,
        "clean": lambda _: clean(),
    }
    if arguments and arguments[0] in actions:
        actions[arguments[0]](arguments[1:])
    else:
        _measure(arguments)


def _set_up(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks setup", description="Install peers.")
    parser.add_argument("--systems", default="", help=", ".join(SYSTEMS))
    set_up(chosen(parser.parse_args(arguments).systems))


def _profile(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks profile", description="Profile a case.")
    parser.add_argument("workload")
    parser.add_argument("--system", default="flowlib")
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--variant", default=None, help="2w, chain, dense, ...")
    parser.add_argument("--sort", default="cumulative", help="or tottime, ncalls")
    parser.add_argument("--lines", type=int, default=40)
    asked = parser.parse_args(arguments)
    cells = make_cells(asked.workload, [asked.size])
    matching = [cell for cell in cells if asked.variant in (None, cell.variant)]
    if not matching:
        parser.error(f"--variant is one of {', '.join(cell.variant for cell in cells)}")
    profile(chosen(asked.system)[0], matching[0], asked.sort, asked.lines)


def _measure_dashboard(arguments: list[str]) -> None:
    from benchmarks.dashboard import main as measure_dashboard  # needs the extra

    measure_dashboard(arguments)


def _measure_provenance(arguments: list[str]) -> None:
    from benchmarks.provenance import main as measure_provenance

    measure_provenance(arguments)


def _measure_executors(arguments: list[str]) -> None:
    from benchmarks.executors import main as measure_executors  # needs what the tests need

    measure_executors(arguments)


def _inject_faults(arguments: list[str]) -> None:
    from benchmarks.faults import main as inject_faults  # needs what the tests need

    inject_faults(arguments)


def _misbehave(arguments: list[str]) -> None:
    from benchmarks.chaos import main as misbehave  # needs what the tests need

    misbehave(arguments)


def _measure_stores(arguments: list[str]) -> None:
    from benchmarks.stores import main as measure_stores  # needs what the tests need

    measure_stores(arguments)


def _measure(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure and tabulate.")
    parser.add_argument("--workloads", default="", help="W1,W2,...; all but W5 without")
    parser.add_argument("--systems", default="", help=", ".join(SYSTEMS))
    parser.add_argument("--sizes", default="1000,10000", help="numbers of tasks")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds per case")
    parser.add_argument("--fill-timeout", type=float, default=300.0, help="seconds per store")
    parser.add_argument("--slow", type=float, default=10.0, help="what takes longer is run once")
    parser.add_argument("--markdown", type=Path, help="the file to write the tables to")
    parser.add_argument("--keep", action="store_true", help="leave all folders until `clean`")
    asked = parser.parse_args(arguments)
    settings = Settings(
        asked.repeats, asked.timeout, asked.fill_timeout, asked.slow, keep=asked.keep
    )
    cells = make_cells(asked.workloads, [int(size) for size in asked.sizes.split(",")])
    systems = chosen(asked.systems)
    session = Session(systems, cells, settings, _say)
    table = session.measure()
    command = " ".join(["python -m benchmarks", *arguments])
    text = markdown(table, [each.name for each in systems], settings, command)
    _keep_raw(table)
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _keep_raw(table: Table) -> None:
    """Leave every single measurement in the cache folder."""
    rows = [
        {"system": system, **asdict(cell), **asdict(outcome)}
        for (system, cell), samples in table.items()
        for outcome in samples.outcomes
    ]
    path = cache_folder() / f"results-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(rows, indent=1))
    _say(f"every single measurement: {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
