"""
What does a remembered call cost?

`python -m benchmarks.calls` calls functions whose results are there, in a tight loop, and prints
microseconds of the processor for each, the least of several rounds, as other processes of the
machine can only add to it. Below stands what nobody can avoid who looks at a file for each call.
The goal is that of issue 6: 60 µs for a hit on a file store.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from flowlib import InMemoryStore, task
from stores import LocalFileStore

GOAL_US: Final = 60.0


@task
def score(x: int, lr: float = 0.1, layers: list[int] | None = None) -> dict[str, Any]:
    """Two results by name."""
    return {"score": x * lr, "layers": layers}


@task
def number(x: int) -> int:
    """One result."""
    return x


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.calls", description=__doc__)
    parser.add_argument("--calls", type=int, default=3000, help="in a round")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="flowlib-bench-") as folder:
        for name, call in cases(folder):
            print(f"{name:<44} {microseconds(call, asked.calls, asked.rounds):7.1f} µs", flush=True)
    print(f"the goal for a hit on a file store is {GOAL_US:g} µs")


def cases(folder: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is measured, and how it is called."""
    files, memory = LocalFileStore(folder), InMemoryStore()
    layers = [64, 64]
    for store in (files, memory):
        number.call(3, store=store)
        score.call(3, lr=0.5, layers=layers, store=store)
    bound = number.bind(store=files)
    yield "hit, file store, one value", lambda: number.call(3, store=files)
    yield (
        "hit, file store, a dict, three arguments",
        lambda: score.call(3, lr=0.5, layers=layers, store=files),
    )
    yield "hit, file store, bound", lambda: bound(3)
    yield "hit, file store, spec.result()", lambda: number(3).result(files)
    yield "hit, memory", lambda: number.call(3, store=memory)
    yield "a lazy call", lambda: number(3)
    yield "its key", lambda: number.key(3)
    [path] = Path(folder, "number").glob("*.json")
    yield "floor: stat of the record", path.stat
    yield "floor: the record opened and parsed", lambda: json.loads(path.read_bytes())


def microseconds(call: Callable[[], object], calls: int, rounds: int) -> float:
    """Of the processor, for one call: the least mean of several rounds."""
    for _ in range(50):  # what is found out once
        call()
    return min(_round(call, calls) for _ in range(rounds)) * 1e6


def _round(call: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - began) / calls


if __name__ == "__main__":
    main()
