"""What does the driver of the chaos run do? One run, and a note of what became of it."""

from __future__ import annotations

import faulthandler
import gc
import json
import multiprocessing.heap
import re
import signal
import sys
from pathlib import Path

from benchmarks.chaos_tasks import flow_of
from flowlib import Flow, TaskSpec
from stores import LocalFileStore

WORKERS = 4
_ARENA = "/dev/shm/pym-"


def drive(folder: Path, tasks: int) -> None:
    """Run what is left; exit with 130 after Ctrl-C."""
    # the server that workers are forked from stays, so it must be there before the count
    Flow([TaskSpec(nothing, {"x": [1, 2]}, expand="product")]).run(num_workers=2)
    flow = flow_of(tasks, str(folder / "marks"))
    store = LocalFileStore(folder / "store")
    before = _descriptors()
    (folder / "ready").touch()
    try:
        run = flow.run(num_workers=WORKERS, exit_on_error=False, results_store=store)
    except KeyboardInterrupt:
        sys.exit(130)
    store.close()
    note = {"counts": run.counts, "descriptors": [before, _descriptors()]}
    (folder / "note.json").write_text(json.dumps(note))


def nothing(x: int) -> None:
    """Let a worker start."""


def _descriptors() -> list[str]:
    """The open files, by name, and the shared memory in use.

    Numbers of pipes are left out, for they change, and so are the files below the shared memory:
    `multiprocessing` keeps them for the next that ask for some.
    """
    links = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.exists()]
    gc.collect()  # what was shared with workers is given back when its last object goes
    blocks = multiprocessing.heap.BufferWrapper._heap._allocated_blocks.values()  # type: ignore[attr-defined]
    shared = ["shared memory"] * sum(map(len, blocks))
    return shared + sorted(re.sub(r"\d+", "#", each) for each in links if _ARENA not in each)


# workers import this file, too: all of them tell where they are when the run does not end
faulthandler.register(signal.SIGUSR2, all_threads=True)

if __name__ == "__main__":
    drive(Path(sys.argv[1]), int(sys.argv[2]))
