"""Runs one job in whatever process it finds itself in; the same in every executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from flowlib.errors import TaskFailed
from flowlib.failures import error_details, failure_kind, last_words, pickled_exception
from flowlib.grown import GROWN, has_grown, holds_specs, save_specs
from flowlib.input_values import VALUE, InputValues, value_fact
from flowlib.inputs import collect_inputs
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.lent_values import reading_from
from flowlib.policy import FailureKind
from flowlib.provenance import origin_of_attempt
from flowlib.restoring import Restoring
from flowlib.running import GRACE_S, Neighbour, Surroundings, TaskContext
from flowlib.store_choice import reading
from flowlib.user_code import computed, handle_of, save_grown, save_returned
from stores import (
    Attempt,
    ErrorDetails,
    LeaseHeld,
    LeaseLost,
    MetaDict,
    OpenAttempt,
    Owner,
    ResultsStore,
    StoreError,
    TaskState,
)
from stores.lazy_dataclass import dataclass

_NOTHING_AROUND: Final = Surroundings()
_KINDS: Final = {
    TaskState.FINISHED: OutcomeKind.FINISHED,
    TaskState.KILLED: OutcomeKind.KILLED,
    TaskState.SAVED: OutcomeKind.GROWN,
}
_LAST_PART: Final = 0.1
"""Of the time a task may take: when it is told to stop, if that is less than `GRACE_S`."""


@dataclass(slots=True)  # not frozen: it is made for every task
class _Ending:
    """How the user's code ended."""

    state: TaskState
    error: ErrorDetails | None = None
    exception: bytes | None = None
    raised: Exception | None = None
    failure: FailureKind | None = None
    facts: Mapping[str, str] | None = None
    awaits: Future[Any] | None = None


_HAS_GROWN: Final = _Ending(TaskState.SAVED, facts={GROWN: "1"})


def execute(
    job: Job,
    assignment: Assignment,
    store: ResultsStore,
    owner: Owner,
    around: Surroundings = _NOTHING_AROUND,
) -> Outcome:
    """Lease the key, load the inputs, run the task, save what it returns, commit the record.

    The value of a task that returns a Future is that of the Future. It is waited for here, unless
    the attempt may be left open: then the outcome is OPEN, and the lease is kept.

    Never raises for what the user's code does: KeyboardInterrupt is an outcome, KILLED.
    """
    try:
        attempt = store.begin(job.address, owner)
    except LeaseHeld as error:
        return Outcome(job.address, OutcomeKind.BUSY, owner=str(error))
    except (StoreError, OSError) as error:
        return _store_failure(job, error, 0.0)
    counted = attempt.previous.finished if attempt.previous is not None else None
    if counted is not None and job.accepts(counted.number, counted.facts):
        attempt.abandon()
        return Outcome(job.address, OutcomeKind.FOUND, attempt=counted.number)
    if job.grown is None and (number := has_grown(attempt.previous, job.newer_than)):
        attempt.abandon()
        return Outcome(job.address, OutcomeKind.GROWN, attempt=number)
    try:
        if job.starts_over:
            attempt.drop_checkpoint()
        return _run_attempt(job, assignment, store, attempt, around)
    except BaseException:
        attempt.abandon()  # an interrupt between the lease and the commit; harmless after it
        raise


def _run_attempt(
    job: Job,
    assignment: Assignment,
    store: ResultsStore,
    attempt: OpenAttempt,
    around: Surroundings,
) -> Outcome:
    started, began = time.time(), time.perf_counter()
    with around.output(job.log) as output, reading(job.address, store) as read:
        ending = _call(job, assignment, store, attempt, around)
        if ending.error is not None:
            output.write(last_words(ending.error))
    place = output.place  # known when all is written
    if read.inputs:
        job = replace(job, inputs=(*job.inputs, *read.inputs.values()))
    origin = origin_of_attempt(assignment.provenance, place, job.environment)
    commit = partial(_committed, job, attempt, origin, started, began)
    if ending.awaits is None or around.left_open is None:
        return commit(ending)
    around.left_open.take(ending.awaits, partial(_complete, ending.awaits, attempt, commit))
    return Outcome(job.address, OutcomeKind.OPEN, attempt=attempt.number)


def _complete(
    future: Future[Any], attempt: OpenAttempt, commit: Callable[[_Ending], Outcome]
) -> None:
    """Commit an attempt that was left open until `future` is done; raise if it has failed."""
    try:
        try:
            ending = _saved(future.result(), attempt)
        except BaseException as error:  # noqa: BLE001  # what user code in a pool has raised
            ending = _failed(error)
        outcome = commit(ending)
    except BaseException:
        attempt.abandon()
        raise
    if outcome.error is not None:
        details = outcome.error
        raise outcome.raised or TaskFailed(
            f"{attempt.address} failed: {details.type_}: {details.message}"
        )


def _committed(
    job: Job,
    attempt: OpenAttempt,
    provenance: Mapping[str, object],
    started: float,
    began: float,
    ending: _Ending,
) -> Outcome:
    duration_s = time.perf_counter() - began
    outcome = Attempt(
        number=attempt.number,
        state=ending.state,
        started=started,
        ended=started + duration_s,
        artifacts=attempt.artifacts,
        inputs=job.inputs,
        grown=() if job.grown is None else job.grown.inputs,
        error=ending.error,
        facts={**job.facts, **ending.facts} if ending.facts else job.facts,
        run=job.run,
        owner=attempt.lease.owner,
        provenance=provenance,
    )
    try:
        record = attempt.commit(job.identity, outcome)
    except (StoreError, OSError) as error:
        return _store_failure(job, error, duration_s)
    return Outcome(
        job.address,
        _KINDS.get(ending.state, OutcomeKind.FAILED),
        attempt=record.latest.number,
        duration_s=duration_s,
        error=ending.error,
        exception=ending.exception,
        failure=ending.failure,
        raised=ending.raised,
    )


def _call(
    job: Job,
    assignment: Assignment,
    store: ResultsStore,
    attempt: OpenAttempt,
    around: Surroundings,
) -> _Ending:
    """Call the user's code and save what it returns."""
    kind: FailureKind | None = None
    warn_at = _warn_at(assignment.timeout_s)
    try:
        with around.interruptible():
            if job.grown is not None:
                kind = FailureKind.INPUT
                values = Restoring(store, job.restored) if job.restored else None
                told = {VALUE: save_grown(job, store, attempt, values)}
                return _Ending(TaskState.FINISHED, facts=told)
            context = _context(job, assignment, store, attempt, around, warn_at)
            for hook in assignment.before:
                hook(handle_of(assignment, context))
            kind, source = FailureKind.INPUT, reading_from(store, around.lent)
            if assignment.is_call:
                restoring = Restoring(store, job.restored) if job.restored else None
                inputs = InputValues(job, assignment.signature.lazy, source, restoring).arguments()
            else:
                inputs = collect_inputs(job, assignment, source)
            kind = None
            returned = computed(assignment, context, inputs)
            if isinstance(returned, Future):
                if around.left_open is not None and around.left_open.takes(job.address):
                    return _Ending(TaskState.RUNNING, awaits=returned)
                returned = returned.result()
            return _saved(returned, attempt)
    except KeyboardInterrupt as error:
        is_late = time.monotonic() >= warn_at and not around.is_stopping()
        failure = FailureKind.TIMEOUT if is_late else FailureKind.KILLED
        return _Ending(TaskState.KILLED, error_details(error), failure=failure)
    except BaseException as error:  # noqa: BLE001  # the one place that calls user code
        return _failed(error, kind)


def _saved(returned: object, attempt: OpenAttempt) -> _Ending:
    """Save what a task returned."""
    if holds_specs(returned):
        save_specs(returned, attempt)
        return _HAS_GROWN
    value = value_fact(returned, tuple(attempt.names))
    save_returned(returned, attempt)
    return _Ending(TaskState.FINISHED, facts={VALUE: value} if value else None)


def _failed(error: BaseException, kind: FailureKind | None = None) -> _Ending:
    return _Ending(
        TaskState.FAILED,
        error_details(error),
        pickled_exception(error),
        raised=error if isinstance(error, Exception) else None,
        failure=kind or failure_kind(error),
    )


def _context(
    job: Job,
    assignment: Assignment,
    store: ResultsStore,
    attempt: OpenAttempt,
    around: Surroundings,
    warn_at: float,
) -> TaskContext:
    return TaskContext(
        name=assignment.name,
        unique_name=job.run.unique_name,
        address=job.address,
        project_name=job.run.project_name,
        run_name=job.run.run_name,
        sweep_counter=job.run.sweep_counter or "",
        config=MetaDict({**job.config, **assignment.additional_kwargs}),
        user_config=job.identity.user_config,
        attempt=attempt,
        results_store=store,
        predecessors=[Neighbour(i.role, i.address) for i in job.inputs] if job.inputs else [],
        successors=[Neighbour(name) for name in assignment.successors],
        resource=job.resource,
        force=job.force,
        reduce=_seed_reduce(assignment.reduce),
        expects=assignment.signature.expects,
        state=TaskState.RUNNING,
        started=datetime.now(UTC),
        is_stopping=around.is_stopping,
        warn_at=warn_at,
    )


def _warn_at(timeout_s: float | None) -> float:
    """From when on a task is told that its time is almost over (monotonic)."""
    if timeout_s is None:
        return float("inf")
    return time.monotonic() + timeout_s - min(timeout_s * _LAST_PART, GRACE_S)


def _seed_reduce(reduce: bool | tuple[str, ...]) -> bool | list[str] | None:
    return list(reduce) if isinstance(reduce, tuple) else (reduce or None)


def _store_failure(job: Job, error: Exception, duration_s: float) -> Outcome:
    kind = OutcomeKind.BUSY if isinstance(error, LeaseLost) else OutcomeKind.FAILED
    return Outcome(
        job.address,
        kind,
        duration_s=duration_s,
        error=error_details(error),
        exception=pickled_exception(error),
        owner=str(error),
        is_store_error=True,
        failure=FailureKind.EXCEPTION,
    )
