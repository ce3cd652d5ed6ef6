"""The inside of a worker process: reads jobs from a pipe and answers each with an outcome."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from flowlib.failures import error_details
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.policy import FailureKind
from flowlib.transport import loads
from flowlib.worker import execute
from stores import Address, InMemoryStore, Owner, Record, ResultsStore

NO_MAIN_GUARD: Final = 86
"""Exit code of a process that was about to start a flow while it was still starting itself."""

_ORPHANED: Final = 87


@dataclass(frozen=True, slots=True)
class Message:
    """One job on its way; bodies are bytes, so that what cannot be read is answered for.

    Attributes:
        address: Whose job it is.
        spec: Name of its spec.
        assignment: The pickled `Assignment`, when the worker does not have it yet.
        body: The pickled job and the slice of a memory store with its inputs.
        number: Counts the jobs of one worker.
    """

    address: Address
    spec: str
    assignment: bytes | None
    body: bytes
    number: int = 0

    def __reduce__(self) -> tuple[object, ...]:
        return Message, (self.address, self.spec, self.assignment, self.body, self.number)

    def with_assignment(self, assignment: bytes) -> Message:
        """The same message for a worker that has not met this spec before."""
        return replace(self, assignment=assignment)


@dataclass(frozen=True, slots=True)
class Known:
    """What a worker was sent before: the tasks of specs, and the ancestry of memory stores."""

    assignments: dict[str, Assignment]
    records: dict[str, Record]


def run_worker(connection: Connection, store_bytes: bytes, lock: Any, shared: Any) -> None:
    """Answer jobs until the other end of the pipe is closed.

    Args:
        connection: The pipe to the driver.
        store_bytes: The pickled store.
        lock: Guards `shared`.
        shared: One more than the number of the last job begun; then the first and one more
            than the last number of the jobs that were taken back.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C means
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back while this started
    _die_with_driver()
    threading.Thread(target=_leave_with_driver, daemon=True).start()
    store = loads(store_bytes)
    owner = Owner.of_this_process()
    known = Known({}, {})
    connection.send_bytes(pickle.dumps("up"))
    while True:
        try:
            message: Message = pickle.loads(connection.recv_bytes())  # noqa: S301  # from the driver
        except (EOFError, OSError):
            return
        if _claimed(message.number, lock, shared):
            outcome = _answer(message, known, store, owner)
            connection.send_bytes(pickle.dumps(outcome, protocol=5))
        else:
            _learn(message, known)


def _claimed(number: int, lock: Any, shared: Any) -> bool:
    """Begin a job, unless the driver has taken it back."""
    with lock:
        if shared[1] <= number < shared[2]:
            return False
        shared[0] = number + 1
        return True


def _learn(message: Message, known: Known) -> None:
    """Keep what came with a job that is not run: the driver will not send it again."""
    with contextlib.suppress(Exception):
        if message.assignment is not None:
            known.assignments[message.spec] = loads(message.assignment)  # type: ignore[assignment]  # made by the driver
        body: Any = loads(message.body)
        known.records.update(body[2] or {})


def _answer(message: Message, known: Known, store: object, owner: Owner) -> Outcome:
    try:
        if message.assignment is not None:
            known.assignments[message.spec] = loads(message.assignment)  # type: ignore[assignment]  # made by the driver
        body: Any = loads(message.body)
        job, inputs, ancestry = body
    except Exception as error:  # noqa: BLE001  # unpickling imports and calls user code
        return _unreadable(message, error)
    assignment = known.assignments.get(message.spec)
    if assignment is None:
        unknown = RuntimeError(f"the task of {message.spec} could not be loaded")
        return _unreadable(message, unknown)
    if isinstance(inputs, InMemoryStore):
        known.records.update(ancestry)
        return _executed_on_slice(job, assignment, inputs.with_ancestry(known.records), owner)
    assert isinstance(store, ResultsStore)  # noqa: S101  # a run has one or the other
    return execute(job, assignment, store, owner)


def _unreadable(message: Message, error: Exception) -> Outcome:
    return Outcome(
        message.address,
        OutcomeKind.FAILED,
        error=error_details(error),
        is_lost=True,
        failure=FailureKind.EXCEPTION,
    )


def _executed_on_slice(
    job: Job, assignment: Assignment, inputs: InMemoryStore, owner: Owner
) -> Outcome:
    """Run on the inputs that came with the job; the results travel with the outcome."""
    outcome = execute(job, assignment, inputs, owner)
    if outcome.kind is OutcomeKind.BUSY or inputs.record(job.address) is None:
        return outcome
    record, blobs = inputs.export(job.address)
    return replace(outcome, record=record, blobs=blobs)


def _die_with_driver() -> None:
    """Have the system end this process when the driver is gone, where it can.

    A thread cannot do that while the task holds the interpreter lock. The sentinel is a pipe whose
    other end is closed by the end of the driver: the signal of that is one nobody survives.
    """
    driver = parent_process()
    if driver is None or sys.platform != "linux":
        return
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(driver.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(driver.sentinel, fcntl.F_SETSIG, int(signal.SIGKILL))
        flags = fcntl.fcntl(driver.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(driver.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)


def _leave_with_driver() -> None:
    """End this process when the driver is gone, whatever the task is doing."""
    driver = parent_process()
    born_to = os.getppid()
    while driver is not None:
        if wait([driver.sentinel], timeout=1.0) or os.getppid() != born_to:
            os._exit(_ORPHANED)
