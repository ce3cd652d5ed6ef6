"""What do the guarantees cost at least? The standard library, one SQLite index, forks, pipes.

Canonical JSON and BLAKE2b per config; one index (WAL) that is read once; batches over pipes to
forked workers; one transaction per batch of answers.
"""

# Importing pathlib would be a good part of what is measured.
# ruff: noqa: PTH104, PTH123
from __future__ import annotations

import hashlib
import json
import os
import select
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from benchmarks import workloads
from benchmarks.workloads import Case, Config, Facts

BATCH = 64
IN_FLIGHT = 2
BATCHES_AT_LEAST = 8  # for each worker, so that all end at about the same time
Job = tuple[str, Config, list[int]]  # key, config, positions of the jobs it reads from
Row = tuple[str, str, str]  # key, config, value
Keep = Callable[[str, Config, object], None]  # what a worker does with a result besides answering

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def key_of(name: str, config: Config, upstream: Iterable[str] = ()) -> str:
    """The identity of a task."""
    text = _encode([name, config, sorted(upstream)])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Index:
    """Results by key, in one file: rows are appended, the last one of a key counts."""

    def __init__(self, case: Case) -> None:
        self._db = sqlite3.connect(f"{case.folder}/index.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'FULL' if case.fsync else 'NORMAL'}")
        self._db.execute("CREATE TABLE IF NOT EXISTS results (key TEXT, config TEXT, value TEXT)")

    def values(self) -> dict[str, str]:
        """All values, as JSON, by key."""
        return dict(self._db.execute("SELECT key, value FROM results"))

    def commit(self, rows: Sequence[Row]) -> None:
        """Keep rows, all or none."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO results VALUES (?, ?, ?)", rows)
        self._db.execute("COMMIT")


def _send(fd: int, message: object) -> None:
    data = _encode(message).encode()
    view = memoryview(len(data).to_bytes(4, "big") + data)
    while view:
        view = view[os.write(fd, view) :]


def _receive(fd: int) -> list[list[object]] | None:
    head = _read(fd, 4)
    return json.loads(_read(fd, int.from_bytes(head, "big"))) if head else None


def _read(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if not part:
            return b""
        data += part
    return data


class Worker:
    """A forked process that answers batches of jobs with batches of rows."""

    def __init__(self, work: Callable[[Job], Row], inherited: Sequence[int]) -> None:
        inbox, self.jobs = os.pipe()
        self.answers, outbox = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for fd in (self.jobs, self.answers, *inherited):
                os.close(fd)
            while (batch := _receive(inbox)) is not None:
                _send(outbox, [work(job) for job in batch])  # type: ignore[arg-type]
            os._exit(0)
        os.close(inbox)
        os.close(outbox)

    def end(self) -> None:
        """Let it go, and wait for it."""
        os.close(self.jobs)
        os.close(self.answers)
        os.waitpid(self.pid, 0)


def run_jobs(
    jobs: Sequence[Job], workers: int, work: Callable[[Job], Row]
) -> Iterator[Sequence[Row]]:
    """Have workers do jobs and yield their answers, batch by batch."""
    size = max(1, min(BATCH, len(jobs) // (workers * BATCHES_AT_LEAST)))
    batches = [jobs[i : i + size] for i in range(0, len(jobs), size)]
    crew: list[Worker] = []
    for _ in range(min(workers, len(batches))):
        crew.append(Worker(work, [fd for other in crew for fd in (other.jobs, other.answers)]))
    yield from _answers(batches, crew)
    for worker in crew:
        worker.end()


def _answers(batches: Sequence[Sequence[Job]], crew: Sequence[Worker]) -> Iterator[Sequence[Row]]:
    inboxes = {worker.answers: worker.jobs for worker in crew}
    todo = iter(batches)
    for worker, batch in zip(crew * IN_FLIGHT, todo, strict=False):
        _send(worker.jobs, batch)
    for _ in batches:
        fd = select.select(list(inboxes), [], [])[0][0]
        answer = _receive(fd)
        if answer is None:
            raise RuntimeError("a worker died")
        yield answer  # type: ignore[misc]
        for batch in islice(todo, 1):
            _send(inboxes[fd], batch)


def keep_nothing(key: str, config: Config, value: object) -> None:
    """The answer is enough: the driver commits it."""


def _train_work(keep: Keep) -> Callable[[Job], Row]:
    def work(job: Job) -> Row:
        key, config, _ = job
        value = workloads.train(config["model"], config["data"])  # type: ignore[arg-type]
        keep(key, config, value)
        return key, _encode(config), _encode(value)

    return work


def _shape_work(keep: Keep) -> Callable[[Job], Row]:
    values: list[int] = []

    def work(job: Job) -> Row:
        key, config, upstream = job
        value = workloads.step(config["index"], [values[at] for at in upstream])  # type: ignore[arg-type]
        values.append(value)
        keep(key, config, value)
        return key, _encode(config), _encode(value)

    return work


def _trained(case: Case, index: Index, seeds: list[int], keep: Keep) -> tuple[dict[str, str], int]:
    """Run what is missing; all wanted values by key, and how many were missing."""
    wanted = {
        key_of("train", config): config for config in workloads.expand(workloads.train_grid(seeds))
    }
    known = index.values()
    missing: list[Job] = [(key, config, []) for key, config in wanted.items() if key not in known]
    if missing:
        for rows in run_jobs(missing, case.workers, _train_work(keep)):
            index.commit(rows)
            known.update((key, value) for key, _, value in rows)
    return {key: known[key] for key in wanted}, len(missing)


def _total(values: dict[str, str]) -> int:
    return sum(json.loads(value)["value"] for value in values.values())


def expand(case: Case) -> Facts:
    """W1: nodes with keys, no store."""
    nodes: list[tuple[str, Config, str, tuple[str, ...]]] = []

    def add(name: str, config: Config, upstream: tuple[str, ...]) -> str:
        key = key_of(name, config, upstream)
        nodes.append((name, config, key, upstream))
        return key

    preps = [add("prep", config, ()) for config in workloads.expand(workloads.prep_grid())]
    search = workloads.search_grid(case.size)
    trained = [add("train", c, (prep,)) for prep in preps for c in workloads.expand(search)]
    add("report", {}, tuple(add("evaluate", {"metric": "f1"}, (key,)) for key in trained))
    return {"nodes": len(nodes), "keys": len({key for _, _, key, _ in nodes})}


def cold(case: Case, keep: Keep = keep_nothing) -> Facts:
    """W2: run tasks into an empty store."""
    return {"finished": _trained(case, Index(case), workloads.seeds(case), keep)[1]}


busy = cold


def warm(case: Case) -> Facts:
    """W3: collect the results of tasks that have run."""
    values, _ = _trained(case, Index(case), workloads.seeds(case), keep_nothing)
    return {"count": len(values), "total": _total(values)}


def one_more(case: Case, keep: Keep = keep_nothing) -> Facts:
    """W4: the same and one new task."""
    values, _ = _trained(case, Index(case), workloads.seeds_and_one_more(case), keep)
    return {"count": len(values), "total": _total(values)}


def gather(case: Case) -> Facts:
    """W6: one new task that reads all results."""
    index = Index(case)
    values, _ = _trained(case, index, workloads.seeds(case), keep_nothing)
    total, config = _total(values), {"round": case.round}
    index.commit([(key_of("gather", config, values), _encode(config), str(total))])
    return {"total": total}


def shape(case: Case, keep: Keep = keep_nothing) -> Facts:
    """W8: tasks that read from other tasks; one worker, in topological order."""
    index, jobs, upstream, keys = Index(case), [], [], []
    for width in workloads.layers(case):
        first, upstream_keys, keys = len(jobs), keys, []
        for position in range(width):
            config: Config = {"index": position, "layer": first}
            keys.append(key_of("step", config, upstream_keys))
            jobs.append((keys[-1], config, upstream))
        upstream = list(range(first, len(jobs)))
    known = index.values()
    for rows in run_jobs([job for job in jobs if job[0] not in known], 1, _shape_work(keep)):
        index.commit(rows)
        known.update((key, value) for key, _, value in rows)
    return {"count": len(known), "total": sum(int(known[key]) for key in keys)}


def payload(case: Case) -> Facts:
    """W5: arrays, written through to the disk and renamed into place."""
    import numpy as np  # this workload only

    def save(number: int, size_bytes: int) -> None:
        path = f"{case.folder}/{number}.npy"
        with open(path + ".new", "wb") as file:
            np.save(file, workloads.array_of(number, size_bytes))  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".new", path)

    return workloads.payload(case, save, lambda number: np.load(f"{case.folder}/{number}.npy"))
