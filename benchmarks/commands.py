"""
How long does the command take to answer, as a whole process?

`python -m benchmarks.commands` fills a file store with 10,000 records as a run writes them and
prints the fastest of ten calls of each command: seconds on the clock, and of the processor with
all that starting Python costs. The goals are those of the issue.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.stores_records import address_of
from flowlib.provenance import provenance
from stores import Identity, LocalFileStore, RunInfo
from stores.testing import done

RECORDS = 10_000
REPEATS = 10

GOALS_S = {"--help": 0.1, "ls": 0.5}
"""What must not be exceeded; the others are told for comparison."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the command.

    Attributes:
        name: What the table calls it.
        words: Its arguments.
        lines: How many lines it has to write; None for any number.
    """

    name: str
    words: tuple[str, ...]
    lines: int | None = None


def calls(records: int) -> list[Call]:
    """What is measured."""
    address = address_of(0)
    return [
        Call("--help", ("--help",)),
        Call("ls", ("ls",), records),
        Call("ls --ids", ("ls", "--ids"), records),
        Call("ls --json", ("ls", "--json")),
        Call("ls 'Train[seed=7]'", ("ls", "Train[seed=7]"), 1),
        Call("ls @finished --limit 5", ("ls", "@finished", "--limit", "5"), 5),
        Call("show", ("show", f"{address.task}/{address.key}")),
        Call("status", ("status",), 0),
    ]


def fill(store: LocalFileStore, records: int) -> None:
    """Records as those of a sweep over learning rate and seed, each with one number."""
    origin = provenance(with_diff=False)
    for number in range(records):
        address = address_of(number)
        attempt = store.begin(address)
        attempt.save(number / 7, "loss")
        config = f'{{"batch":64,"lr":{(number % 100) / 1000!r},"seed":{number}}}'
        run = RunInfo("benchmark", "sweep", f"Train-{number + 1}", f"{number:05d}")
        outcome = replace(done(), ended=1.7e9 + number, started=1.7e9, run=run, provenance=origin)
        attempt.commit(Identity(address, None, config, config), outcome)


def fastest(call: Call, folder: Path, repeats: int) -> tuple[float, float]:
    """Seconds of the clock and of the processor of the fastest of a few calls."""
    best = (float("inf"), float("inf"))
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        answered = subprocess.run(
            [sys.executable, "-m", "flowlib", *call.words],
            cwd=folder,
            capture_output=True,
            check=True,
        )
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        best = (min(best[0], seconds), min(best[1], cpu))
    lines = answered.stdout.count(b"\n")
    if call.lines is not None and lines != call.lines:
        raise RuntimeError(f"{call.name} wrote {lines} lines instead of {call.lines}")
    return best


def main(arguments: list[str]) -> None:
    """Print a row for each call."""
    parser = argparse.ArgumentParser("python -m benchmarks.commands", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "flowlib.toml").touch()
        store = LocalFileStore(folder / ".flowlib", fsync=False)
        fill(store, asked.records)
        store.close()
        print(
            f"| {asked.records:,} records | seconds | of the processor | goal |\n|---|---|---|---|"
        )
        for call in calls(asked.records):
            clock, cpu = fastest(call, folder, asked.repeats)
            goal = f"≤ {GOALS_S[call.name]}" if call.name in GOALS_S else ""
            print(f"| `{call.name}` | {clock:.3f} | {cpu:.3f} | {goal} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
