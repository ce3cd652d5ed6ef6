"""The inside of a worker process: reads jobs from a pipe and answers each with an outcome."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from multiprocessing.connection import Connection
from operator import attrgetter
from typing import Any, Final, NoReturn

from flowlib import configuration
from flowlib.answers import Answers
from flowlib.devices import Environment
from flowlib.driver_pipe import DriverPipe
from flowlib.driver_watch import end_with_driver
from flowlib.failures import error_details, failure_kind
from flowlib.frames import FrameReader
from flowlib.isolation import Isolation, other_threads
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.process_environment import set_variables
from flowlib.process_tree import lead_own_session
from flowlib.running import Surroundings
from flowlib.transport import loads
from flowlib.worker import execute
from flowlib.worker_output import take_output
from flowlib.worker_signals import WorkerSignals
from stores import Address, InMemoryStore, Owner, Record, ResultsStore
from stores.lazy_dataclass import dataclass
from stores.part_texts import FixedParts


@dataclass(slots=True, eq=False)  # not frozen: it is made for every task
class Message:
    """One job on its way; bodies are bytes, so that what cannot be read is answered for.

    Attributes:
        address: Whose job it is.
        spec: Name of its spec.
        assignment: The pickled `Assignment`, when the worker does not have it yet.
        body: The pickled job and the slice of a memory store with its inputs.
        is_fresh: Whether it wants a process that has run nothing before.
        is_misplaced: Whether it wants a process with other variables.
        number: Counts the jobs of one worker.
    """

    address: Address
    spec: str
    assignment: bytes | None
    body: bytes
    is_fresh: bool = False
    is_misplaced: bool = False
    number: int = 0

    @property
    def size_bytes(self) -> int:
        """About what it takes in the pipe."""
        return len(self.body) + len(self.assignment or b"")

    def __reduce__(self) -> tuple[object, ...]:
        return Message, _PARTS(self)


_PARTS: Final = attrgetter(*[each.name for each in fields(Message)])


def run_worker(
    connection: Connection,
    from_driver: bytes,
    lock: Any,
    shared: Any,
    slots: Any,
    index: int,
    environment: Environment = (),
    inherited: tuple[Connection | FrameReader, ...] = (),
) -> None:
    """Answer jobs until the other end of the pipe is closed.

    A process that a task has left in another state than it found it answers, and ends.

    Args:
        connection: The pipe to the driver.
        from_driver: Pickled: the store, the settings, where output goes, levels of loggers.
        lock: Guards the numbers in `shared`.
        shared: Whether to stop, as `WorkerSignals` reads it; one more than the number of the last
            job begun; then the first and one more than the last number of the jobs that were
            taken back.
        slots: Where it leaves its answers.
        index: Number of the worker, from 0.
        environment: Variables that are set here if the process was forked, earlier if not.
        inherited: The driver's ends of pipes that came with a fork: it would never see them closed.
    """
    for each in inherited:
        each.close()
    set_variables(environment)
    lead_own_session()
    signals = WorkerSignals(shared)
    signals.listen()
    end_with_driver()
    told: Any = loads(from_driver)
    store, settings, place, levels = told
    configuration.adopt(settings)
    pipe = DriverPipe(connection)
    outputs = take_output(pipe, index, place, levels)
    worker = _Worker(store, signals, replace(signals.surroundings, output=outputs))
    pipe.send(pickle.dumps("up"))
    answers = Answers(pipe, slots)
    for message, is_last in _messages(connection):
        if message.is_misplaced or (message.is_fresh and worker.has_run):
            break  # not begun: the driver gives it to another process
        if _claimed(message.number, lock, shared):
            worker.give_answer(message, answers)
        else:
            worker.learn(message)
        answers.tell(is_last=is_last or worker.is_over)
        if worker.is_over:
            break
    connection.close()
    if worker.is_over or other_threads():
        _leave()


def _messages(connection: Connection) -> Iterator[tuple[Message, bool]]:
    """The jobs, until the driver hangs up; several arrive at a time: whether it is their last."""
    while True:
        try:
            batch: list[Message] = pickle.loads(connection.recv_bytes())  # noqa: S301  # from the driver
        except (EOFError, OSError):
            return
        yield from [(each, each is batch[-1]) for each in batch]


def _leave() -> NoReturn:
    """End this process without waiting for its threads."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # replaced or closed by user code
            stream.flush()
    os._exit(0)


def _claimed(number: int, lock: Any, shared: Any) -> bool:
    """Begin a job, unless the driver has taken it back."""
    lock.acquire()  # entered by `with` it takes two calls more
    try:
        if shared[2] <= number < shared[3]:
            return False
        shared[1] = number + 1
        return True
    finally:
        lock.release()


class _Worker:
    """Runs the jobs of one process, and remembers what came with them.

    Args:
        store: The store of the run; None where it stays with the driver.
        signals: What is done when somebody asks the process to stop.
        around: What every task is told.

    Attributes:
        has_run: Whether a task has run in this process.
        is_over: Whether the process is to be replaced.
    """

    def __init__(self, store: object, signals: WorkerSignals, around: Surroundings) -> None:
        self._store = store
        self._signals = signals
        self._around = around
        self._owner = Owner.of_this_process()
        self._assignments: dict[str, Assignment] = {}
        self._records: dict[str, Record] = {}
        self._isolation = Isolation()
        self.has_run = False
        self.is_over = False

    def learn(self, message: Message) -> None:
        """Keep what came with a job that is not run: the driver will not send it again."""
        with contextlib.suppress(Exception):
            self._keep_assignment(message)
            body: Any = loads(message.body)
            self._records.update(body[2] or {})

    def _is_timed(self, message: Message) -> bool:
        """Whether the driver looks at the clock until it has the answer."""
        assignment = self._assignments.get(message.spec)
        return assignment is None or assignment.timeout_s is not None

    def give_answer(self, message: Message, answers: Answers) -> None:
        """Run a job and answer for it."""
        self._signals.begin_job()
        try:
            answers.give(message.number, self._answer(message), at_once=self._is_timed(message))
        finally:
            self._signals.end_job()

    def _answer(self, message: Message) -> Outcome:
        self.has_run = True
        try:
            self._keep_assignment(message)
            body: Any = loads(message.body)
        except Exception as error:  # noqa: BLE001  # unpickling imports and calls user code
            return _lost(message, error)
        outcome = self._isolation.run(message.address, lambda: self._run(message, *body))
        self.is_over = (
            message.is_fresh or not self._isolation.is_clean or self._signals.was_asked_to_end
        )
        return self._signals.judged(outcome)

    def _run(
        self,
        message: Message,
        job: Job,
        inputs: InMemoryStore | None,
        ancestry: Mapping[str, Record] | None,
    ) -> Outcome:
        assignment = self._assignments.get(message.spec)
        if assignment is None:
            return _lost(message, RuntimeError(f"the task of {message.spec} could not be loaded"))
        around = self._around
        try:
            if inputs is not None:
                self._records.update(ancestry or {})
                memory = inputs.with_ancestry(self._records)
                return _executed_on_slice(job, assignment, memory, self._owner, around)
            assert isinstance(self._store, ResultsStore)  # noqa: S101  # a run has one or the other
            return execute(job, assignment, self._store, self._owner, around)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # no memory left to commit
            return _lost(message, error)

    def _keep_assignment(self, message: Message) -> None:
        if message.assignment is not None:
            found: Any = loads(message.assignment)
            origin = FixedParts(found.provenance)  # most results come from just there
            self._assignments[message.spec] = replace(found, provenance=origin)


def _lost(message: Message, error: BaseException) -> Outcome:
    return Outcome(
        message.address,
        OutcomeKind.FAILED,
        error=error_details(error),
        is_lost=True,
        failure=failure_kind(error),
    )


def _executed_on_slice(
    job: Job, assignment: Assignment, inputs: InMemoryStore, owner: Owner, around: Surroundings
) -> Outcome:
    """Run on the inputs that came with the job; the results travel with the outcome."""
    before = {*inputs.addresses(), job.address}
    outcome = execute(job, assignment, inputs, owner, around)
    if outcome.kind is OutcomeKind.BUSY or inputs.record(job.address) is None:
        return outcome
    record, blobs = inputs.export(job.address)
    more = tuple(inputs.export(each) for each in inputs.addresses() if each not in before)
    return replace(outcome, record=record, blobs=blobs, more=more)
