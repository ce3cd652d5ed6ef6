"""How do the fault tests start drivers, find all their processes, and check what is left?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowlib import Flow, TaskSpec
from flowlib.results import Run
from stores import LocalFileStore, ResultsStore
from tests.faults.tasks import Make, Use, noted, payload

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60.0
MARK = "FLOWLIB_TEST_FAULTS"

SCRIPT = """
import pathlib, sys

pathlib.Path("begun").touch()  # before this moment a signal meets the interpreter, not us
from stores import open_store
from tests.faults.drivers import chain

if __name__ == "__main__":
    store, log, count, workers, pause_s = sys.argv[1:]
    flow = chain(int(count), log, float(pause_s))
    flow.run(num_workers=int(workers), results_store=open_store(store if ":" in store else f"file:{store}"))
"""


def chain(count: int, log: str | Path, pause_s: float = 0.0) -> Flow:
    """`count` tasks: one half makes files, each of the other half reads one."""
    half = count // 2
    hidden = {"log": str(log), "pause_s": pause_s}
    make = TaskSpec(Make, {"x": list(range(half))}, hidden, expand="product")
    use = TaskSpec(Use, {}, hidden)
    use.requires(make)
    return Flow([make, use])


def check_results(run: Run, count: int) -> None:
    """Every value of every task of a chain is right."""
    half = count // 2
    for x, each in enumerate(run["Make"]):
        assert each.results == {"data": payload(x), "square": x * x}
    totals = sorted(each.results["total"] for each in run["Use"])
    assert totals == sorted(x * x + 20_000 for x in range(half))
    assert sorted(each.results["copy"] for each in run["Use"]) == sorted(
        payload(x)[::-1] for x in range(half)
    )


@dataclass(frozen=True, slots=True)
class Driver:
    """A started script, and the word that all its processes carry in their environment."""

    process: subprocess.Popen[str]
    mark: str

    def others(self) -> list[int]:
        """Its live processes beside the driver itself."""
        return [pid for pid in marked(self.mark) if pid != self.process.pid]

    def workers(self) -> list[int]:
        """Its worker processes: children of the fork server, which is the one with most of them."""
        others = self.others()
        parents = Counter(parent_of(pid) for pid in others)
        return [pid for pid in others if parent_of(pid) in others and parents[parent_of(pid)]]

    def end(self, limit_s: float = LIMIT_S) -> tuple[int, str]:
        """Wait for it; its exit code and what it said."""
        _, err = self.process.communicate(timeout=limit_s)
        return self.process.returncode, err


@contextmanager
def driver(
    folder: Path, *arguments: object, script: str = SCRIPT, name: str = "script.py"
) -> Iterator[Driver]:
    """Run a script in a session of its own; nothing of it survives the block."""
    mark = uuid.uuid4().hex
    (folder / name).write_text(script)
    process = subprocess.Popen(
        [sys.executable, name, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started = Driver(process, mark)
    try:
        yield started
    finally:
        for pid in marked(mark):
            kill(pid)
        process.communicate()


def marked(mark: str) -> list[int]:
    """The live processes that were started with this word in their environment."""
    word, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word in (folder / "environ").read_bytes().split(b"\0") and is_running(folder):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def is_running(folder: Path) -> bool:
    """Whether the process of a folder of /proc has not ended."""
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"


def parent_of(pid: int) -> int:
    """The number of the parent of a process; 0 if that has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process, if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until(holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Return when `holds`; fail when it takes too long."""
    limit = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < limit, "it never happened"
        time.sleep(0.02)


def finished(store: ResultsStore) -> set[str]:
    """Which tasks have a result: `Make <x>` and `Use <x>`."""
    done = set()
    for address in store.addresses():
        record = store.record(address)
        if record is None or record.finished is None:
            continue
        if address.task == "Make":
            done.add(f"Make {round(store.get(address, 'square') ** 0.5)}")
        else:
            done.add(f"Use {round((store.get(address, 'total') - 20_000) ** 0.5)}")
    return done


def executions(log: Path) -> list[str]:
    """The tasks that were begun, without who ran them."""
    return [line.rpartition(" ")[0] for line in noted(log)]


def leftovers(base: Path) -> list[str]:
    """Files below a store that are none of its own: temporary ones, and those no record names.

    The folders of runs stay, with the logs of tasks.
    """
    store = LocalFileStore(base)
    named = {".flowlib-store", ".leases/.clock"}
    for address in store.addresses():
        record = store.record(address)
        folder = f"{address.task}/{address.key}"
        named.add(f"{folder}.json")
        for attempt in (record.finished, record.latest):
            files = () if attempt is None else (each.file for each in attempt.artifacts)
            named |= {f"{folder}/{file}" for file in files if file is not None}
    found = (str(each.relative_to(base)) for each in base.rglob("*") if each.is_file())
    return sorted(
        each
        for each in found
        if each not in named
        and not each.endswith(".jsonl")
        and not each.startswith((".runs/", ".code/", ".origins/"))
    )
