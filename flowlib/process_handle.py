"""The driver's end of one worker process: its pipe, its jobs, and what it has begun."""

from __future__ import annotations

import contextlib
import multiprocessing.sharedctypes
import pickle
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from flowlib.answers import TOLD, new_slots, taken
from flowlib.deaths import death
from flowlib.devices import Environment
from flowlib.frames import FrameReader
from flowlib.interrupts import held_back
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.log_records import RemoteRecord
from flowlib.policy import FailureKind
from flowlib.process_environment import process_name
from flowlib.process_tree import end_session, end_tree
from flowlib.process_worker import Message, run_worker
from flowlib.transport import hidden_main, loads
from flowlib.undecided import left_undecided
from flowlib.worker_signals import ENDING, STOPPING
from stores import ErrorDetails
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

_PATIENCE_S: Final = 5.0
"""How long a worker may take to leave after its pipe was closed."""

_KILL_TYPES: Final = {FailureKind.TIMEOUT: "Timeout", FailureKind.KILLED: "Stopped"}

_SMALL_BYTES: Final = 4096
"""Up to this size a message may wait in the pipe of a busy worker: all that may be there fit in."""


@dataclass(slots=True, eq=False)  # not frozen: it is made for every task
class Sent:
    """A job on its way; numbers count up per worker."""

    number: int
    job: Job
    assignment: Assignment


class ProcessHandle:
    """One process, and the jobs it was sent; the first of them is the one it runs.

    The worker writes the number of the job it begins into shared memory, under a lock. Jobs
    that it has not begun can be taken back at any time, however busy it is.

    Answers lie in the slots that the worker fills, or come through the pipe, in the order of jobs.

    A worker that answers does not read: large jobs are held back until it is idle, or both ends
    would wait for each other to empty the pipe.

    Args:
        index: Its number among the workers.
        context: How processes are started.
        from_driver: As `run_worker` takes it.
        environment: The variables of the process.
    """

    def __init__(
        self,
        index: int,
        context: BaseContext,
        from_driver: bytes,
        environment: Environment = (),
    ) -> None:
        self.index = index
        self.environment = environment
        self.jobs: deque[Sent] = deque()
        self._held: deque[Message] = deque()
        self.known_specs: set[str] = set()
        self.known_records: set[str] = set()
        self.busy_since = time.perf_counter()
        self.is_up = False
        self.kill_reason, self.killed_as = "", FailureKind.KILLED
        self._ended_for: Sent | None = None
        self.is_ending = False
        self.next_number = 0
        self._lock: Any = context.Lock()
        self._shared: Any = multiprocessing.sharedctypes.RawArray("q", 4)
        self._slots = new_slots()
        self.connection, theirs = context.Pipe()
        self._reader = FrameReader(self.connection.fileno())
        ends = (self.connection, self._reader)
        ours = ends if context.get_start_method() == "fork" else ()
        self._outbox: list[Message] = []
        self.process: Any = context.Process(  # type: ignore[attr-defined]  # every context has it
            target=run_worker,
            args=(
                *(theirs, from_driver, self._lock, self._shared, self._slots),
                *(index, environment, ours),
            ),
            name=process_name(f"Worker-{index + 1}", environment),
        )
        with hidden_main(), held_back(), left_undecided():
            self.process.start()
        theirs.close()

    @property
    def is_used(self) -> bool:
        """Whether it was ever sent a job."""
        return self.next_number > 0

    def send(self, message: Message, job: Job, assignment: Assignment) -> None:
        """Put a job, whose message has `next_number`, into what `flush` sends."""
        if not self.jobs:
            self.busy_since = time.perf_counter()
        self.next_number += 1
        self.jobs.append(Sent(message.number, job, assignment))
        is_busy = len(self.jobs) > 1
        if self._held or (is_busy and message.size_bytes > _SMALL_BYTES):
            self._held.append(message)
        else:
            self._outbox.append(message)

    def flush(self) -> None:
        """Send what waits; if the worker has died, `has_died` will tell, not this."""
        if self._outbox:
            batch, self._outbox = self._outbox, []
            with contextlib.suppress(OSError):
                self.connection.send_bytes(pickle.dumps(batch, protocol=5))

    def kept_answers(self) -> Iterator[Outcome]:
        """The outcomes that lie in the slots, up to the first that does not."""
        while self.jobs:
            sent = self.jobs[0]
            answer = taken(self._slots, sent.number, sent.job.address)
            if answer is None:
                return
            self._forget_first()
            yield answer

    def answers(self) -> Iterator[Outcome]:
        """The outcomes that have arrived, in the order of the jobs."""
        try:
            for data in self._reader.read():
                if data == TOLD:
                    continue
                answer = loads(data)
                if isinstance(answer, Outcome):
                    yield from self.kept_answers()
                    self._forget_first()
                    yield answer
                elif isinstance(answer, RemoteRecord):
                    answer.handle()
                else:
                    self.is_up = True
                    self.busy_since = time.perf_counter()  # the start was no part of the task
        except (EOFError, OSError):
            self.process.join(_PATIENCE_S)
        yield from self.kept_answers()

    def _forget_first(self) -> None:
        """The job that it ran is answered."""
        self.jobs.popleft()
        self.busy_since = time.perf_counter()
        self._send_held()

    def _send_held(self) -> None:
        """Send what was held back, when all before it is answered.

        Also jobs that were taken back: later ones need the tasks and records they bring.
        """
        while self._held and (not self.jobs or self._held[0].number <= self.jobs[0].number):
            self._outbox.append(self._held.popleft())

    def has_begun(self, sent: Sent) -> bool:
        """Whether the worker has started to run a job."""
        return bool(sent.number < self._shared[1])

    def take_back(self) -> list[Sent]:
        """The jobs it has not begun; it will not run them."""
        if not self._lock.acquire(timeout=1.0):
            return []  # it died in the middle of a claim; its death hands the jobs out again
        try:
            begun = self._shared[1]
            self._shared[2], self._shared[3] = begun, self.next_number
        finally:
            self._lock.release()
        taken = [sent for sent in self.jobs if sent.number >= begun]
        for _ in taken:
            self.jobs.pop()
        self._send_held()  # where nothing is left that runs, no answer would let them go
        return taken

    @property
    def busy_s(self) -> float:
        """For how long it has been at its present job."""
        return time.perf_counter() - self.busy_since

    def has_died(self) -> bool:
        """Whether the process has ended."""
        return not self.process.is_alive()

    def ask_to_stop(self) -> None:
        """Let its tasks know that they should stop."""
        self._shared[0] = max(self._shared[0], STOPPING)

    def ask_to_end(self) -> None:
        """Interrupt its task, which may still clean up."""
        self.is_ending = True
        self._shared[0] = ENDING
        self.process.terminate()

    def kill(self, reason: str, kind: FailureKind) -> None:
        """End the process and all that its task has started now, for this reason."""
        self.kill_reason, self.killed_as = reason, kind
        if self.process.is_alive():
            end_tree(self.process.pid)

    def end_for(self, sent: Sent, reason: str) -> None:
        """Kill the process for a job that is to end, unless that has ended and nobody has looked.

        Nothing is begun meanwhile: no other job ends with it.
        """
        is_held = self._lock.acquire(timeout=1.0)  # else it died in the middle of a claim
        try:
            if self._shared[1] <= sent.number + 1:
                self._ended_for = sent
                self.kill(reason, FailureKind.TIMEOUT)
        finally:
            if is_held:
                self._lock.release()

    def takes_along(self, sent: Sent) -> bool:
        """Whether a job ends with the process, which has died: it was begun, or is the reason."""
        return self.has_begun(sent) or sent is self._ended_for

    def loss(self, sent: Sent, *, is_memory_kill: bool) -> Outcome:
        """The outcome of the job that it was running when it died.

        Args:
            sent: The job.
            is_memory_kill: Whether the kernel has just killed a process for want of memory.
        """
        exit_code = self.process.exitcode
        if self.kill_reason:
            failure = self.killed_as
            error = ErrorDetails(_KILL_TYPES[failure], self.kill_reason, "")
        else:
            failure, error = death(exit_code, is_memory_kill=is_memory_kill)
        is_stranger = not self.kill_reason and not self.is_ending and (exit_code or 0) < 0
        return Outcome(
            sent.job.address,
            OutcomeKind.FAILED if failure is FailureKind.TIMEOUT else OutcomeKind.KILLED,
            duration_s=self.busy_s,
            error=error,
            is_lost=True,
            failure=failure,
            ended_by=-exit_code if is_stranger else None,
        )

    def hang_up(self) -> None:
        """Close the pipe: the worker leaves when it has ended its job."""
        self._close()

    def bury(self) -> None:
        """The process has ended, and now all that it has left behind does."""
        self.process.join()
        if self.process.exitcode or sys.platform != "linux":  # else it has looked after that
            end_session(self.process.pid)
        self._close()

    def _close(self) -> None:
        self._reader.close()
        self.connection.close()

    def see_off(self, deadline: float) -> None:
        """Wait for the end of the process until `deadline` (monotonic); then kill it."""
        self.process.join(max(0.0, deadline - time.monotonic()))
        if self.process.is_alive():
            end_tree(self.process.pid)
        self.bury()
