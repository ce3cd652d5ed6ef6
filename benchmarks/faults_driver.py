"""What does a driver of the fault-injection run do? Round after round, until told the last."""

from __future__ import annotations

import json
import sys
import time
from itertools import count
from pathlib import Path

from benchmarks.faults_tasks import flow_of
from flowlib import configure_logging
from stores import ResultsStore, open_store

PAUSE_S = 0.02


def drive(folder: Path) -> None:
    """Work on the rounds that nobody has finished, with two workers."""
    store = open_store(json.loads((folder / "store.json").read_text()))
    rounds = folder / "rounds"
    number = next(each for each in count() if not (rounds / f"{each}.done").exists())
    while number <= _last(folder):
        (rounds / f"{number}.begun").touch()
        if _is_complete(number, store, folder):
            (rounds / f"{number}.done").touch()
            number += 1
    store.close()


def _is_complete(number: int, store: ResultsStore, folder: Path) -> bool:
    """Whether a run ends with all results; what fails for other reasons than a kill is noted."""
    flow = flow_of(number, str(folder / "log"), PAUSE_S)
    run = flow.run(num_workers=2, exit_on_error=False, results_store=store)
    for failed in run.failed:
        with (folder / "failures").open("a") as file:
            file.write(f"round {number}: {failed!r} {run.exception!r}\n")
        time.sleep(0.1)
    return run.ok


def _last(folder: Path) -> float:
    try:
        return int((folder / "last").read_text())
    except FileNotFoundError:
        return float("inf")


if __name__ == "__main__":
    configure_logging("WARNING", rich_logging=False)
    drive(Path(sys.argv[1]))
