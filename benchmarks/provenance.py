"""
What does it cost to tell where results come from? Once for a run, and for each task.

A run asks git, the machine and the list of packages once. A task only takes along what is known:
its record is longer by that. The goal of issue 8 is less than 1 ms for each task.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from flowlib.origin_texts import recorded_origin
from stores import Address, InMemoryStore, LocalFileStore, ResultsStore
from stores.testing import done, put

GOAL_MS: Final = 1.0


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks provenance", description=__doc__)
    parser.add_argument("--tasks", type=int, default=500, help="in a round")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args(arguments)
    print(f"once for a run     {for_a_run_ms():7.1f} ms, git included", flush=True)
    for name, task_ms in for_each_task_ms(asked.tasks, asked.rounds):
        print(f"for each task      {task_ms:7.3f} ms, {name}", flush=True)
    print(f"the goal is less than {GOAL_MS:g} ms for each task; all by the clock of the processor")


def for_a_run_ms() -> float:
    """What is asked once, in a process that knows nothing yet; processes that it starts count."""
    store = InMemoryStore()
    return _cpu_ms(lambda: recorded_origin(store))


def for_each_task_ms(tasks: int, rounds: int) -> list[tuple[str, float]]:
    """For each store by how much longer a record takes that tells where it comes from.

    The least of several rounds each, as other processes of the machine can only add to it.
    """
    found, origin = [], recorded_origin(InMemoryStore())
    with tempfile.TemporaryDirectory(prefix="flowlib-bench-") as folder:
        made: dict[str, Callable[[int], ResultsStore]] = {
            "store in memory": lambda _: InMemoryStore(),
            "store of files": lambda number: LocalFileStore(Path(folder, str(number)), fsync=False),
        }
        for name, store_of in made.items():
            costs: dict[bool, list[float]] = {False: [], True: []}
            for number in range(2 * rounds):
                with contextlib.closing(store_of(number)) as store:
                    told = origin if number % 2 else {}
                    fill = partial(_fill, store, told, tasks)
                    costs[bool(told)].append(_cpu_ms(fill))
            found.append((name, (min(costs[True]) - min(costs[False])) / tasks))
    return found


def _fill(store: ResultsStore, origin: Mapping[str, Any], tasks: int) -> None:
    """Records as tasks leave them."""
    attempt = replace(done(), provenance=origin)
    for number in range(tasks):
        put(store, Address("Train", f"{number:032x}"), {"acc": 0.5}, attempt, n=number)


def _cpu_ms(work: Callable[[], object]) -> float:
    began = _used_s()
    work()
    return (_used_s() - began) * 1000


def _used_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
