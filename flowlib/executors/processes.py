"""
In processes on this machine, each at the end of a pipe of its own.

A worker that dies takes only the task with it that it was running: the task's outcome says how
it died, and another worker takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import sys
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Final

from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.process_worker import NO_MAIN_GUARD, Message, run_worker
from flowlib.transport import dumps, hidden_main, loads
from stores import ErrorDetails, InMemoryStore

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

_PATIENCE_S: Final = 5.0
"""How long a worker may take to leave after its pipe was closed."""


@dataclass(slots=True, eq=False)
class _Worker:
    """One process, and the jobs it was sent: the first of them is the one it runs."""

    index: int
    process: BaseProcess
    connection: Connection
    jobs: deque[tuple[Job, Assignment]] = field(default_factory=deque)
    known_specs: set[str] = field(default_factory=set)
    known_records: set[str] = field(default_factory=set)
    busy_since: float = 0.0
    is_up: bool = False
    kill_reason: str = ""


class ProcessExecutor(Executor):
    """Workers are started when there is work for them, and replaced when they die."""

    def __init__(self, setup: ExecutorSetup) -> None:
        self._setup = setup
        self._context: BaseContext = multiprocessing.get_context(
            setup.start_method or default_start_method()
        )
        self._workers: dict[int, _Worker] = {}
        self._assignments: dict[str, bytes] = {}
        self._store = b""
        self._outcomes: list[Outcome] = []

    @property
    def free_slots(self) -> int:
        return self._setup.num_workers - sum(len(w.jobs) for w in self._workers.values())

    @property
    def can_kill(self) -> bool:
        return True

    @property
    def leases_to_renew(self) -> Collection[Job]:
        return [worker.jobs[0][0] for worker in self._workers.values() if worker.jobs]

    def submit(self, job: Job, assignment: Assignment) -> int:
        worker = self._idle_worker()
        message = self._message(job, assignment, worker)
        worker.busy_since = time.perf_counter()
        worker.jobs.append((job, assignment))
        self._send(worker, message)
        return worker.index

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            return outcomes
        by_handle: dict[object, _Worker] = {}
        for worker in self._workers.values():
            by_handle[worker.connection] = worker
            by_handle[worker.process.sentinel] = worker
        if not by_handle:
            return []
        touched = wait(list(by_handle), timeout_s)  # type: ignore[arg-type]  # connections and sentinels
        for worker in dict.fromkeys(by_handle[handle] for handle in touched):
            self._read(worker)
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def kill(self, job: Job, reason: str) -> None:
        for worker in self._workers.values():
            if worker.jobs and worker.jobs[0][0] is job:
                worker.kill_reason = reason
                worker.process.kill()

    def close(self, *, now: bool = False) -> None:
        for worker in self._workers.values():
            worker.connection.close()
            if now:
                worker.process.kill()
        deadline = time.monotonic() + _PATIENCE_S
        for worker in self._workers.values():
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def _message(self, job: Job, assignment: Assignment, worker: _Worker) -> Message:
        if assignment.name not in self._assignments:
            what = f"the task of {assignment.name}"
            self._assignments[assignment.name] = dumps(assignment, what)
        store = self._setup.store
        inputs = ancestry = None
        if isinstance(store, InMemoryStore):
            sources = [each.address for each in job.inputs]
            inputs = store.clone_for(sources)
            ancestry = store.ancestry(sources, worker.known_records)
            worker.known_records |= ancestry.keys()
        body = dumps((job, inputs, ancestry), f"the config of {job.run.unique_name}")
        return Message(job.address, assignment.name, None, body)

    def _idle_worker(self) -> _Worker:
        for worker in self._workers.values():
            if not worker.jobs:
                return worker
        return self._start_worker()

    def _start_worker(self) -> _Worker:
        if not self._store:
            in_memory = isinstance(self._setup.store, InMemoryStore)
            self._store = dumps(None if in_memory else self._setup.store, "the store")
        index = min(set(range(self._setup.num_workers)) - self._workers.keys())
        ours, theirs = self._context.Pipe()
        process = self._context.Process(  # type: ignore[attr-defined]  # every context has it
            target=run_worker, args=(theirs, self._store), name=f"Worker-{index + 1}"
        )
        with hidden_main():
            process.start()
        theirs.close()
        worker = _Worker(index, process, ours)
        self._workers[index] = worker
        return worker

    def _send(self, worker: _Worker, message: Message) -> None:
        if message.spec not in worker.known_specs:
            worker.known_specs.add(message.spec)
            message = message.with_assignment(self._assignments[message.spec])
        with contextlib.suppress(OSError):  # it has died: its sentinel tells, and `_bury` answers
            worker.connection.send_bytes(pickle.dumps(message, protocol=5))

    def _read(self, worker: _Worker) -> None:
        """Take every answer that has arrived; then see whether the worker is gone."""
        try:
            while worker.connection.poll():
                answer = loads(worker.connection.recv_bytes())
                if isinstance(answer, Outcome):
                    worker.jobs.popleft()
                    worker.busy_since = time.perf_counter()
                    self._outcomes.append(answer)
                else:
                    worker.is_up = True
        except (EOFError, OSError):
            worker.process.join(_PATIENCE_S)
        if not worker.process.is_alive():
            self._bury(worker)

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        worker.connection.close()
        del self._workers[worker.index]
        if not worker.is_up and not worker.kill_reason:
            raise RunError(_start_failure(worker.process.exitcode))
        if not worker.jobs:
            return
        job, _ = worker.jobs.popleft()
        killed = ErrorDetails("Timeout", worker.kill_reason, "") if worker.kill_reason else None
        self._outcomes.append(
            Outcome(
                job.address,
                OutcomeKind.FAILED if killed else OutcomeKind.KILLED,
                duration_s=time.perf_counter() - worker.busy_since,
                error=killed or ErrorDetails("WorkerDied", _death(worker.process.exitcode), ""),
                is_lost=True,
            )
        )
        for waiting, assignment in worker.jobs:
            self.submit(waiting, assignment)


def default_start_method() -> str:
    """forkserver on Linux, where it is quick and safe beside threads; spawn elsewhere."""
    return "forkserver" if sys.platform == "linux" else "spawn"


def _death(exit_code: int | None) -> str:
    import signal

    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = ": out of memory?" if name == "SIGKILL" else ""
        return f"its worker process was killed by {name}{hint}"
    return f"its worker process ended with exit code {exit_code} before the task did"


def _start_failure(exit_code: int | None) -> str:
    guard = (
        "the script has no main guard: workers import the script that started them, so it must "
        'start its flow under\n\n    if __name__ == "__main__":\n\nor run with num_workers=1'
    )
    if exit_code == NO_MAIN_GUARD:
        return f"a worker process could not start: {guard}"
    return (
        f"a worker process could not start (exit code {exit_code}); its own error is printed "
        f"above. Workers import the script that started them: can it be imported, and is its "
        f'flow started under `if __name__ == "__main__":`?'
    )
