"""The loop: takes ready nodes from the scheduler, gives jobs to the executor, yields events."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from flowlib.cancelling import Cancelling
from flowlib.demands import Grant
from flowlib.errors import FlowError
from flowlib.events import (
    Cached,
    Event,
    Failed,
    Finished,
    Grown,
    Retried,
    Skipped,
    Started,
    Stopping,
    Waiting,
)
from flowlib.failures import failure_of, skipped_failure
from flowlib.interrupts import Stage, Woken
from flowlib.job import Job, Outcome, OutcomeKind
from flowlib.jobs import JobMaker
from flowlib.labels import TaskRefs
from flowlib.losses import adopted, record_loss, record_skip, waited_too_long
from flowlib.node import Node
from flowlib.parking import Parking
from flowlib.policy import Preemption
from flowlib.run_demands import RunDemands
from flowlib.run_growth import failed_growth
from flowlib.run_means import RunMeans
from flowlib.run_state import RunState
from flowlib.scheduler import Scheduler
from flowlib.time_limits import TimeLimits
from flowlib.tries import Tries
from stores import ErrorDetails, StoreError, TaskState

_log = logging.getLogger("flowlib")

_NO_ERROR: Final = ErrorDetails("Unknown", "no reason was given", "")


class Runner:
    """Runs what a plan says is missing.

    Args:
        nodes: The nodes to run, predecessors first.
        jobs: Makes their jobs.
        means: What the run works with.
        refs: Names the nodes in events.
        max_failures: After how many failures no new nodes start; None is never.
    """

    def __init__(
        self,
        nodes: list[Node],
        jobs: JobMaker,
        means: RunMeans,
        refs: TaskRefs,
        *,
        max_failures: int | None,
    ) -> None:
        self._demands = RunDemands(means)
        waits = {key: each.upstream for key, each in jobs.plan.graph.growths.items()}
        self._scheduler = Scheduler(nodes, means.pool, self._demands.of, waits)
        self._jobs = jobs
        self._refs = refs
        self._store = means.store
        self._workers = means.workers
        self._pool = means.pool
        self._owner = means.owner
        self._max_failures = max_failures
        self._running: dict[str, tuple[Node, Job]] = {}
        self._interrupts = means.interrupts
        self._stage = Stage.GOING
        self._show_life, self._before_waiting = means.show_life, means.before_waiting
        known = means.settings
        self._tries = Tries(Preemption(known.preempt_max, known.cancelled_is_preempted))
        self._parking = Parking(known.poll_interval_secs, known.wait_log_every_secs)
        self._next_beat = time.monotonic() + means.store.beat_s
        self._limits = TimeLimits(means.workers, self._running)
        self._limits.note(nodes)
        self._asked = Cancelling(means, self._running)
        states = dict.fromkeys((n.key for n in nodes), TaskState.PENDING)
        self.state = RunState(states=states, failures=jobs.failures, logs=jobs.logs)

    def events(self) -> Iterator[Event]:
        """Run; yield every event as it happens."""
        while True:
            yield from self._obey_signals()
            yield from self._start_ready()
            if self._scheduler.is_done:
                break
            outcomes = self._wait()
            yield from self._obey_signals()
            for outcome in outcomes:
                yield from self._handle(outcome)
            yield from self._look_after_time()
        self.state.settle(self._scheduler.never_started())

    def _wait(self) -> list[Outcome]:
        self._before_waiting()
        try:
            return self._workers.wait(self._patience())
        except Woken:
            return []

    def _obey_signals(self) -> Iterator[Event]:
        """Start nothing new once a signal has come; end what runs when it is time."""
        before, self._stage = self._stage, self._interrupts.stage()
        if self._stage is before:
            return
        self._scheduler.stop()
        self._workers.ask_to_stop()
        if is_now := self._stage >= Stage.ENDING:
            self._workers.end_all(now=self._stage is Stage.KILLING)
        yield Stopping(time.time(), self._interrupts.number or 0, is_now)

    def _start_ready(self) -> Iterator[Event]:
        while taken := self._scheduler.take(self._workers.free_slots):
            for node, grant in taken:
                yield from self._start(node, grant)

    def _start(self, node: Node, grant: Grant) -> Iterator[Event]:
        job = self._jobs.job(node, self._pool.resource(grant), self._pool.environment(grant))
        if node in self._asked:
            self._running[node.key] = (node, job)
            yield from self._handle(self._asked.unstarted(job))
            return
        if job.failed and (cause := self._jobs.refused(node, job)) is not None:
            source = self._jobs.node_of(cause.source)
            yield from self._skip([node, *self._scheduler.fail(node)], source)
            return
        if self._jobs.has_same_result(node, job):
            yield self._finish(node, Outcome(job.address, OutcomeKind.FOUND, job.newer_than))
            return
        total = len(node.upstream.roles or node.upstream.nodes)
        if lacking := total - len(job.inputs):
            _log.warning("%s goes on without %d of its %d inputs", node.unique_name, lacking, total)
        if job.force and not self._tries.has_failed(node):
            job = replace(job, starts_over=True)
        self._running[node.key] = (node, job)
        self.state.states[node.key] = TaskState.RUNNING
        worker = self._workers.submit(job, self._jobs.assignment(node))
        yield Started(time.time(), self._refs.of(node), worker, self._pool.label(grant))

    def _handle(self, outcome: Outcome) -> Iterator[Event]:
        node, job = self._running.pop(outcome.address.key)
        outcome = self._asked.judged(adopted(outcome, self._store))
        if outcome.kind is not OutcomeKind.BUSY:
            self._parking.leave(node.key)
        match outcome.kind:
            case OutcomeKind.FINISHED | OutcomeKind.FOUND | OutcomeKind.OPEN:
                yield self._finish(node, outcome)  # nothing in the run reads from an open one
            case OutcomeKind.BUSY:
                yield from self._park(node, outcome)
            case OutcomeKind.GROWN:
                yield from self._grow(node, job, outcome)
            case OutcomeKind.RETURNED:
                self._scheduler.pause(node)
            case OutcomeKind.FAILED | OutcomeKind.KILLED:
                if found := outcome.is_lost and self._record_loss(job, outcome):
                    yield self._finish(
                        node, replace(outcome, kind=OutcomeKind.FOUND, attempt=found)
                    )
                else:
                    yield from self._fail(node, outcome)

    def _record_loss(self, job: Job, outcome: Outcome) -> int | None:
        return record_loss(job, self._store, self._owner, outcome, self._jobs.provenance)

    def _finish(self, node: Node, outcome: Outcome) -> Event:
        self._jobs.note_attempt(node, outcome.attempt)
        self.state.states[node.key] = TaskState.FINISHED
        self._scheduler.finish(node)
        if outcome.kind is OutcomeKind.FOUND:
            return Cached(time.time(), self._refs.of(node))
        return Finished(time.time(), self._refs.of(node), outcome.duration_s)

    def _fail(self, node: Node, outcome: Outcome) -> Iterator[Event]:
        error = outcome.error or _NO_ERROR
        pause_s = self._tries.note(node, outcome)
        if self._interrupts.is_stopping and outcome.kind is OutcomeKind.KILLED:
            yield self._drop(node, outcome, error)
        elif pause_s is not None and not (self._scheduler.is_stopped or node in self._asked):
            self._scheduler.pause(node)
            self.state.states[node.key] = TaskState.SCHEDULED
            self._tries.pause(node, time.monotonic() + pause_s)
            self._jobs.logs.next_try(node.key)
            yield Retried(time.time(), self._refs.of(node), error, pause_s, self._tries.kind(node))
        else:
            yield from self._give_up(node, outcome, error)

    def _drop(self, node: Node, outcome: Outcome, error: ErrorDetails) -> Event:
        """The run is being stopped, and this was killed: nothing follows from that."""
        self._scheduler.pause(node)
        self.state.states[node.key] = TaskState.KILLED
        self.state.errors[node.key] = error
        log, is_kill = self._jobs.logs.path(node.name, node.key), True
        return Failed(time.time(), self._refs.of(node), error, is_kill, outcome.duration_s, log)

    def _give_up(self, node: Node, outcome: Outcome, error: ErrorDetails) -> Iterator[Event]:
        is_kill = self.state.give_up(node, outcome, error)
        kind = self._tries.kind(node)
        self._jobs.note_failure(failure_of(node.unique_name, node.address, kind, error))
        skipped = self._scheduler.fail(node)
        if self._asked.has_too_many(self.state.failed, self._max_failures):
            self._scheduler.stop()
        log = self._jobs.logs.path(node.name, node.key)
        yield Failed(time.time(), self._refs.of(node), error, is_kill, outcome.duration_s, log)
        yield from self._skip(skipped, node)

    def _skip(self, nodes: list[Node], cause: Node) -> Iterator[Event]:
        """What is not run, because it cannot do without what `cause` has not given."""
        address, ref = cause.address, self._refs.of(cause)
        for each in nodes:
            self.state.states[each.key] = TaskState.UPSTREAM_FAILED
            self._jobs.note_failure(skipped_failure(each.unique_name, each.address, address))
            record_skip(self._jobs.job(each), address, self._store, self._owner)
            yield Skipped(time.time(), self._refs.of(each), ref)

    def _grow(self, node: Node, job: Job, outcome: Outcome) -> Iterator[Event]:
        """`node` has returned specs: it waits for their tasks, which belong to the run now."""
        try:
            new = self._jobs.grow(node, outcome.attempt, self._demands.add)
        except (FlowError, StoreError) as error:
            failed = failed_growth(outcome, error)
            self._record_loss(job, failed)
            yield from self._fail(node, failed)
            return
        self._refs = TaskRefs(self._jobs.plan.graph.by_spec)
        self._limits.note(new.to_run)
        self.state.states |= dict.fromkeys((n.key for n in (*new.to_run, node)), TaskState.PENDING)
        skipped = self._scheduler.grow(node, new.to_run, new.growth.upstream)
        yield Grown(time.time(), self._refs.of(node), new.totals, outcome.duration_s)
        for each in skipped:
            yield from self._skip([each], self._jobs.source_of(each))

    def _park(self, node: Node, outcome: Outcome) -> Iterator[Event]:
        self._scheduler.park(node)
        self.state.states[node.key] = TaskState.SCHEDULED
        limit_s = node.declaration.options.wait_timeout_s
        if self._parking.park(node.key, outcome.owner, time.monotonic(), limit_s):
            yield Waiting(time.time(), self._refs.of(node), outcome.owner)

    def _look_after_time(self) -> Iterator[Event]:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + self._store.beat_s
            self._show_life()
            self._store.renew([job.address for job in self._workers.leases_to_renew])
        if now >= self._parking.look_at:
            yield from self._look_at_parked()
        if now >= self._parking.wake_at:
            yield from self._look_at_waits(now)
        for node in self._tries.due(now):
            self._scheduler.resume(node)
        self._limits.kill_overdue()
        self._asked.look(now, self._jobs.plan.graph, self.state.states)

    def _look_at_parked(self) -> Iterator[Event]:
        """One bulk look at the nodes that others compute; those still open are tried again."""
        parked = self._scheduler.parked
        statuses = self._store.statuses([node.address for node in parked])
        for node in parked:
            status = statuses.get(node.key)
            if status is not None and self._jobs.is_new_success(node, status):
                self._jobs.note_attempt(node, status.attempt)
                self.state.states[node.key] = TaskState.FINISHED
                self._scheduler.finish(node)
                self._parking.leave(node.key)
                yield Cached(time.time(), self._refs.of(node))
            else:
                self._scheduler.unpark(node)
        self._parking.looked()

    def _look_at_waits(self, now: float) -> Iterator[Event]:
        """Say that the run waits, and fail what it has waited for long enough."""
        parked = {node.key: node for node in self._scheduler.parked}
        if (told := self._parking.told(now)) is not None:
            key, owner, waited_s, others = told
            yield Waiting(time.time(), self._refs.of(parked[key]), owner, waited_s, others)
        for key, owner, waited_s in self._parking.overdue(now):
            self._parking.leave(key)
            outcome = waited_too_long(parked[key].address, owner, waited_s)
            self._tries.note(parked[key], outcome)
            yield from self._give_up(parked[key], outcome, outcome.error or _NO_ERROR)

    def _patience(self) -> float | None:
        """How long nothing needs to be done unless a job ends."""
        now = time.monotonic()
        until = min(self._next_beat, self._parking.wake_at, self._tries.wake_at, self._asked.due)
        until = min(until, now + self._interrupts.left_s, now + self._limits.next_s())
        return max(0.0, until - now)
