"""
In processes on this machine, each at the end of a pipe of its own.

A worker that dies takes only the task with it that it was running: the task's outcome says how
it died, and another worker takes its place. Where tasks take milliseconds, a few jobs wait at each
worker, so that it never waits for the driver; they move to an idle worker when one of them turns
out to be long.
"""

from __future__ import annotations

import multiprocessing
import selectors
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Final

from flowlib.answers import MOST_AT_WORKER, NextLook
from flowlib.deaths import FailedStarts, MemoryKills
from flowlib.devices import Environment
from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.failures import last_words
from flowlib.fork_server import default_start_method, start_fork_server
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.log_records import levels_here
from flowlib.policy import FailureKind
from flowlib.process_handle import ProcessHandle, Sent
from flowlib.process_worker import Message
from flowlib.transport import dumps
from flowlib.worker_output import claim_output, drop_part
from stores import InMemoryStore

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

_PATIENCE_S: Final = 5.0
"""How long workers may take to leave after their pipes were closed."""

_QUEUE_S: Final = 0.05
"""How much work, by the duration of the last tasks, waits at a worker at the most."""

_LONG_S: Final = 0.02
"""Behind a job that takes longer, or behind so much work, none waits while a worker is idle."""

_STOPPED: Final = "the run was stopped"

_WEIGHT: Final = 0.1
"""Of the last task in the running mean of durations."""


class ProcessExecutor(Executor):
    """Starts `ProcessWorkers`."""

    def start(self, setup: ExecutorSetup) -> Workers:
        return ProcessWorkers(setup)


class ProcessWorkers(Workers):
    """Processes are started when there is work for them, and replaced when they die."""

    def __init__(self, setup: ExecutorSetup) -> None:
        store = setup.store
        if not (store.reachable_from_workers or isinstance(store, InMemoryStore)):
            raise RunError(
                f"worker processes cannot write to {store!r}: put a store that they reach first, "
                f"such as LocalFileStore, or run with num_workers=1"
            )
        self._setup = setup
        self._context: BaseContext = multiprocessing.get_context(
            setup.start_method or default_start_method()
        )
        if self._context.get_start_method() == "forkserver":
            start_fork_server()
        resource_tracker.ensure_running()  # as the server does: not while Ctrl-C is held back
        self._workers: dict[int, ProcessHandle] = {}
        self._assignments: dict[str, bytes] = {}
        self._told = b""
        self._outcomes: list[Outcome] = []
        self._mean_s = _QUEUE_S
        self._memory_kills = MemoryKills()
        self._failed_starts = FailedStarts()
        self._selector = selectors.DefaultSelector()
        self._is_stopping = False
        self._next_look = NextLook()

    @property
    def free_slots(self) -> int:
        """None before one has half of its jobs left: then many travel in one message."""
        count, depth = self._setup.num_workers, self._depth
        waiting = [len(worker.jobs) for worker in self._workers.values()]
        is_busy = len(waiting) == count and min(waiting) > depth // 2
        return 0 if is_busy else count * depth - sum(waiting)

    @property
    def can_kill(self) -> bool:
        return True

    @property
    def pickles_jobs(self) -> bool:
        return True

    @property
    def has_fresh_processes(self) -> bool:
        return True

    @property
    def has_environments(self) -> bool:
        return True

    @property
    def leases_to_renew(self) -> Collection[Job]:
        return [worker.jobs[0].job for worker in self._workers.values() if worker.jobs]

    def running_s(self, job: Job) -> float | None:
        for worker in self._workers.values():
            if worker.jobs and worker.jobs[0].job is job:
                return worker.busy_s if worker.is_up else None
        return None

    def submit(self, job: Job, assignment: Assignment) -> int:
        worker = self._worker_for(job.environment, is_fresh=assignment.fresh_process)
        worker.send(self._message(job, assignment, worker), job, assignment)
        return worker.index

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        if not self._outcomes:
            self._read(self._spread(timeout_s))
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def kill(self, job: Job, reason: str) -> None:
        for worker in self._workers.values():
            if worker.jobs and worker.jobs[0].job is job:
                worker.end_for(worker.jobs[0], reason)

    def ask_to_stop(self) -> None:
        self._is_stopping = True
        for worker in self._workers.values():
            worker.ask_to_stop()
            self._return(worker.take_back())

    def end_all(self, *, now: bool) -> None:
        self.ask_to_stop()
        for worker in self._workers.values():
            if worker.jobs and now:
                worker.kill(_STOPPED, FailureKind.KILLED)
            elif worker.jobs:
                worker.ask_to_end()

    def close(self, *, now: bool = False) -> None:
        for worker in self._workers.values():
            self._forget(worker)
            worker.hang_up()
            if now:
                worker.kill(_STOPPED, FailureKind.KILLED)
        deadline = time.monotonic() + _PATIENCE_S
        for worker in self._workers.values():
            worker.see_off(deadline)
            self._tidy(worker)
        self._workers.clear()
        self._selector.close()

    @property
    def _depth(self) -> int:
        """How many jobs may be at a worker: one, unless tasks are very short."""
        return max(1, min(MOST_AT_WORKER, int(_QUEUE_S / max(self._mean_s, 1e-6))))

    def _spread(self, timeout_s: float | None) -> float | None:
        """Give jobs that wait behind a long one to idle workers; how long to wait then."""
        idle = self._setup.num_workers - sum(1 for w in self._workers.values() if w.jobs)
        behind = [worker for worker in self._workers.values() if len(worker.jobs) > 1]
        if not idle or not behind:
            return timeout_s
        for worker in behind:
            if max(worker.busy_s, self._mean_s * len(worker.jobs)) > _LONG_S:
                for sent in worker.take_back():
                    self.submit(sent.job, sent.assignment)
        return _LONG_S if timeout_s is None else min(timeout_s, _LONG_S)

    def _read(self, timeout_s: float | None) -> None:
        """Wait for answers and deaths, and take note of them."""
        for worker in self._workers.values():
            worker.flush()
        with self._setup.interrupts.let_through():
            ready = self._selector.select(self._next_look.within(timeout_s))
        self._next_look.note(is_told=bool(ready))
        ended = [key.data for key, _ in ready if key.fileobj is not key.data.connection]
        dead = [worker for worker in ended if worker.has_died()]  # what it sent is in the pipe
        told = {key.data for key, _ in ready}
        for worker in self._workers.values():
            for outcome in worker.answers() if worker in told else worker.kept_answers():
                self._mean_s += _WEIGHT * (outcome.duration_s - self._mean_s)
                self._outcomes.append(outcome)
                self._failed_starts.note_answer()
            if worker in told and worker.is_up:
                self._failed_starts.note_up()
        is_memory_kill = bool(dead) and self._memory_kills.has_grown()
        for worker in dead:
            self._bury(worker, is_memory_kill=is_memory_kill)

    def _message(self, job: Job, assignment: Assignment, worker: ProcessHandle) -> Message:
        if assignment.id not in self._assignments:
            what = f"the task of {assignment.name}"
            self._assignments[assignment.id] = dumps(assignment, what)
        store = self._setup.store
        inputs = ancestry = None
        if isinstance(store, InMemoryStore):
            sources = job.sources
            inputs = store.clone_for(sources)
            ancestry = store.ancestry(sources, worker.known_records)
            worker.known_records |= ancestry.keys()
        body = dumps((job, inputs, ancestry), f"the config of {job.run.unique_name}")
        is_new = assignment.id not in worker.known_specs
        worker.known_specs.add(assignment.id)
        task = self._assignments[assignment.id] if is_new else None
        is_misplaced = job.environment != worker.environment
        wishes = (assignment.fresh_process, is_misplaced)
        return Message(job.address, assignment.id, task, body, *wishes, worker.next_number)

    def _worker_for(self, environment: Environment, *, is_fresh: bool) -> ProcessHandle:
        """An idle worker with this environment, else a new one, else the one with the fewest jobs.

        Where a fresh process is wanted, one that was sent nothing before, or a new one. One that
        is used, or has another environment, leaves when it is sent such a job, which comes back.
        """

        def order(worker: ProcessHandle) -> tuple[int, bool]:
            return len(worker.jobs), worker.environment != environment

        freest = min(self._workers.values(), key=order, default=None)
        if freest is not None:
            is_used = is_fresh and freest.is_used
            is_fitting = freest.environment == environment and not freest.jobs and not is_used
            if is_fitting or self._is_full:
                return freest
        return self._start_worker(environment)

    @property
    def _is_full(self) -> bool:
        return len(self._workers) >= self._setup.num_workers

    def _start_worker(self, environment: Environment) -> ProcessHandle:
        if not self._told:
            in_memory = isinstance(self._setup.store, InMemoryStore)
            store = None if in_memory else self._setup.store
            told = (store, self._setup.settings, self._setup.output, levels_here())
            self._told = dumps(told, "the store")
        index = min(set(range(self._setup.num_workers)) - self._workers.keys())
        worker = self._workers[index] = ProcessHandle(index, self._context, self._told, environment)
        for each in (worker.connection, worker.process.sentinel):
            self._selector.register(each, selectors.EVENT_READ, worker)
        return worker

    def _forget(self, worker: ProcessHandle) -> None:
        for each in (worker.connection, worker.process.sentinel):
            self._selector.unregister(each)

    def _bury(self, worker: ProcessHandle, *, is_memory_kill: bool) -> None:
        """Answer for the job a dead worker was running; give the others to another one."""
        self._forget(worker)
        worker.bury()
        del self._workers[worker.index]
        waiting = list(worker.jobs)
        if waiting and worker.takes_along(waiting[0]):
            loss = worker.loss(waiting.pop(0), is_memory_kill=is_memory_kill)
            self._outcomes.append(self._with_log(loss, worker))
        elif not (self._is_stopping or worker.kill_reason):
            has_left = worker.is_up and not waiting
            if not has_left:
                self._failed_starts.note(worker.process.exitcode, is_up=worker.is_up)
        self._tidy(worker)
        if self._is_stopping:
            self._return(waiting)
            return
        for sent in waiting:
            self.submit(sent.job, sent.assignment)

    def _with_log(self, loss: Outcome, worker: ProcessHandle) -> Outcome:
        """Keep what the task of a dead worker has printed."""
        place, job = self._setup.output, worker.jobs[0].job
        if place is None or loss.error is None:
            return loss
        words, pid = last_words(loss.error), worker.process.pid
        return replace(loss, log=claim_output(place, worker.index, pid, job.log, words))

    def _tidy(self, worker: ProcessHandle) -> None:
        """The worker leaves no empty file."""
        if self._setup.output is not None:
            drop_part(self._setup.output, worker.index, worker.process.pid)

    def _return(self, unbegun: Iterable[Sent]) -> None:
        """Give jobs back that no worker has begun: the run is being stopped."""
        for sent in unbegun:
            self._outcomes.append(Outcome(sent.job.address, OutcomeKind.RETURNED))
