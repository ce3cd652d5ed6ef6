"""What does each kind of store cost: per task, per look at many keys, per large array?"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.environments import cache_folder
from benchmarks.launch import Order, Outcome, launch
from benchmarks.places import KINDS, place, server_of
from benchmarks.stores_records import fill, questions_to, seconds_of_look, seconds_per_task
from stores import ResultsStore, open_store

if TYPE_CHECKING:
    from tests.services.server import Server

CHILD = Path(__file__).with_name("stores_payload.py")
_WAYS = [(what, action) for action in ("save", "load") for what in ("plain", "store")]
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure.

    Attributes:
        sizes: Numbers of records that are in the stores already.
        repeats: How often everything is measured, in turn.
        tasks: So many new ones are timed together.
        keys: So many are looked at at once.
        payload_bytes: Of the array.
    """

    sizes: Sequence[int]
    repeats: int
    tasks: int
    keys: int
    payload_bytes: int


@dataclass(slots=True)
class Figures:
    """All that was measured of one kind of store.

    Attributes:
        kind: Of the store.
        task_s: By number of records: seconds per task, once per repeat.
        look_s: By number of records: seconds of a look at many keys.
        questions: By number of records: how many questions that look asked.
        payload: By what and action: one process each.
    """

    kind: str
    task_s: dict[int, list[float]] = field(default_factory=dict)
    look_s: dict[int, list[float]] = field(default_factory=dict)
    questions: dict[int, int] = field(default_factory=dict)
    payload: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict)


def main(arguments: list[str]) -> None:
    """Measure what is asked for, and print the tables."""
    parser = argparse.ArgumentParser("python -m benchmarks stores", description="Measure stores.")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--sizes", default="1000,10000,100000", help="records already there")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--tasks", type=int, default=40, help="timed together")
    parser.add_argument("--keys", type=int, default=10_000, help="looked at at once")
    parser.add_argument("--megabytes", type=int, default=100, help="of the array; 0 for none")
    parser.add_argument("--markdown", type=Path, help="the file to write the tables to")
    asked = parser.parse_args(arguments)
    kinds = asked.kinds.split(",")
    if unknown := [each for each in kinds if each not in KINDS]:
        parser.error(f"unknown kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    sizes = [int(each) for each in asked.sizes.split(",") if each]
    settings = Settings(sizes, asked.repeats, asked.tasks, asked.keys, asked.megabytes * 1_000_000)
    found = [measure(kind, settings, _say) for kind in kinds]
    text = markdown(found, settings, " ".join(["python -m benchmarks stores", *arguments]))
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text)


def measure(kind: str, settings: Settings, say: Callable[[str], None]) -> Figures:
    """Everything about one kind, on a server of its own."""
    figures = Figures(kind)
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="stores-", dir=cache_folder())
        )
        server = stack.enter_context(server_of(kind))
        ask = stack.enter_context(questions_to(kind))
        if settings.sizes:
            _measure_records(figures, Path(folder), server, settings, ask, say)
        for number in range(settings.repeats if settings.payload_bytes else 0):
            _measure_payload(figures, Path(folder), server, number, settings.payload_bytes)
            say(f"{kind}: payload {number + 1} of {settings.repeats}")
    return figures


def _measure_records(
    figures: Figures,
    folder: Path,
    server: Server | None,
    settings: Settings,
    ask: Callable[[], int],
    say: Callable[[str], None],
) -> None:
    # Waiting for the disk would hide what grows, so stores that can leave it are told to.
    options = {} if server is not None else {"fsync": False}
    places = {
        size: place(figures.kind, folder, server, f"r{size}", **options) for size in settings.sizes
    }
    stores: dict[int, ResultsStore] = {}
    for size, where in places.items():
        began = time.perf_counter()
        stores[size] = open_store(where)
        fill(stores[size], figures.kind, size)
        say(f"{figures.kind}: {size:,} records in {time.perf_counter() - began:.0f} s")
    for size, store in stores.items():
        seconds_per_task(store, size, settings.tasks)  # warm
    for number in range(1, settings.repeats + 1):
        for size, store in stores.items():
            first = size + number * settings.tasks
            took = seconds_per_task(store, first, settings.tasks)
            figures.task_s.setdefault(size, []).append(took)
        for size, where in places.items():
            present = min(settings.keys, size + (number + 1) * settings.tasks)
            fresh = open_store(where)
            took, count = seconds_of_look(fresh, settings.keys, present, ask)
            fresh.close()
            figures.look_s.setdefault(size, []).append(took)
            figures.questions[size] = count
    for store in stores.values():
        store.close()


def _measure_payload(
    figures: Figures, folder: Path, server: Server | None, number: int, size: int
) -> None:
    """Save and load once in each way, each in a process of its own."""
    where = place(figures.kind, folder, server, f"p{number}")
    ways = _WAYS if number % 2 == 0 else [*_WAYS[1::-1], *_WAYS[:1:-1]]
    for what, action in ways:
        outcome = folder / "outcome.json"
        order = {"kind": figures.kind, "where": where, "what": what, "action": action}
        argument = json.dumps({**order, "bytes": size, "outcome": str(outcome)})
        command = [sys.executable, str(CHILD), argument]
        expected = {"count": size // 8, "total": size // 8 - 1}
        made = launch(Order(command, folder, {}, outcome, expected), _TIMEOUT_S)
        if made.problem:
            raise RuntimeError(f"{figures.kind}: {what} {action}: {made.problem}")
        figures.payload.setdefault((what, action), []).append(made)


def markdown(found: Sequence[Figures], settings: Settings, command: str) -> str:
    """All tables."""
    parts = [_head(settings, command)]
    if settings.sizes:
        parts += [
            "#### Seconds per task and per look",
            _records_table(found, settings),
        ]
    if settings.payload_bytes:
        parts += [
            f"#### One array of {settings.payload_bytes // 1_000_000} MB",
            _payload_table(found, settings.payload_bytes),
        ]
    return "\n\n".join(parts) + "\n"


def _head(settings: Settings, command: str) -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')}: Python "
        f"{platform.python_version()}, {platform.system()}, {os.cpu_count()} CPUs, load {load}. "
        f"Medians of {settings.repeats} interleaved repeats."
    )


def _records_table(found: Sequence[Figures], settings: Settings) -> str:
    sizes = settings.sizes
    heads = [
        "store",
        *(f"ms per task at {size:,}" for size in sizes),
        f"{sizes[-1]:,} : {sizes[0]:,}",
        *(f"ms per look at {size:,}" for size in sizes),
        f"{sizes[-1]:,} : {sizes[-2] if len(sizes) > 1 else sizes[-1]:,}",
        "questions",
    ]
    rows = [_row(heads), "|---" * len(heads) + "|"]
    for each in found:
        tasks = [1000 * median(each.task_s[size]) for size in sizes]
        looks = [1000 * median(each.look_s[size]) for size in sizes]
        before = looks[-2] if len(looks) > 1 else looks[-1]
        cells = [
            each.kind,
            *(f"{value:.2f}" for value in tasks),
            f"{tasks[-1] / tasks[0]:.2f}",
            *(f"{value:.0f}" for value in looks),
            f"{looks[-1] / before:.2f}",
            ", ".join(str(each.questions[size]) for size in sizes),
        ]
        rows.append(_row(cells))
    return "\n".join(rows)


def _payload_table(found: Sequence[Figures], size: int) -> str:
    heads = ["store"]
    for action in ("save", "load"):
        heads += [f"{action} MB/s", "plain", "ratio", "MiB beyond", "plain's"]
    rows = [_row(heads), "|---" * len(heads) + "|"]
    for each in found:
        cells = [each.kind]
        for action in ("save", "load"):
            store, plain = (_speed(each.payload[what, action], size) for what in ("store", "plain"))
            beyond, plains = (_beyond(each.payload[what, action]) for what in ("store", "plain"))
            cells += [f"{store:.0f}", f"{plain:.0f}", f"{store / plain:.2f}", beyond, plains]
        rows.append(_row(cells))
    return "\n".join(rows)


def _speed(outcomes: Sequence[Outcome], size: int) -> float:
    return size / 1e6 / median(each.inner_s for each in outcomes)


def _beyond(outcomes: Sequence[Outcome]) -> str:
    return f"{max(0.0, median(each.rss_kib for each in outcomes) / 1024):.0f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
