"""Who records the attempts that no worker could commit? The driver, in the worker's place."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from flowlib.errors import WaitTimeout
from flowlib.failures import skip_error
from flowlib.job import Job, Outcome, OutcomeKind
from flowlib.policy import FailureKind
from stores import Address, Attempt, ErrorDetails, Owner, ResultsStore, StoreError, TaskState

_log = logging.getLogger("flowlib")


def adopted(outcome: Outcome, store: ResultsStore) -> Outcome:
    """The outcome of a worker who cannot reach the store, when what it has made was taken there."""
    for record, blobs in outcome.more:
        known = store.record(record.address)
        if known is None or known.finished is None:
            store.adopt(record, blobs)
    if outcome.record is None:
        return outcome
    store.adopt(outcome.record, outcome.blobs)
    taken = store.record(outcome.address)
    return outcome if taken is None else replace(outcome, attempt=taken.latest.number)


def waited_too_long(address: Address, owner: str, waited_s: float) -> Outcome:
    """The answer for what another run computes, and this one does not wait for any more."""
    why = f"{owner}; given up after {waited_s:.0f} s"
    return Outcome(
        address,
        OutcomeKind.FAILED,
        error=ErrorDetails("WaitTimeout", why, ""),
        failure=FailureKind.TIMEOUT,
        raised=WaitTimeout(why),
    )


def record_loss(
    job: Job,
    store: ResultsStore,
    owner: Owner,
    outcome: Outcome,
    provenance: Mapping[str, object],
) -> int | None:
    """Commit the attempt of a job whose worker died before it could do so itself.

    The lease of a dead owner on this host is free at once. Another driver may be quicker:
    then there is nothing to record.

    Returns:
        The number of the attempt that counts after all: the worker died between its commit and
        its answer, or another driver has computed the key.
    """
    state = TaskState.KILLED if outcome.kind is OutcomeKind.KILLED else TaskState.FAILED
    known = {**provenance, "log": outcome.log} if outcome.log else provenance
    return _record(job, store, owner, state, outcome.error, outcome.duration_s, known)


def record_skip(job: Job, cause: Address, store: ResultsStore, owner: Owner) -> None:
    """Commit that a job was not run because `cause`, upstream of it, failed."""
    _record(job, store, owner, TaskState.UPSTREAM_FAILED, skip_error(cause), 0.0)


def _record(
    job: Job,
    store: ResultsStore,
    owner: Owner,
    state: TaskState,
    error: ErrorDetails | None,
    duration_s: float,
    provenance: Mapping[str, object] = MappingProxyType({}),
) -> int | None:
    now = time.time()
    try:
        attempt = store.begin(job.address, owner)
        counted = attempt.previous.finished if attempt.previous is not None else None
        if counted is not None and job.accepts(counted.number, counted.facts):
            attempt.abandon()
            return counted.number
        if job.grown is not None:
            job.grown.keep(attempt)
        outcome = Attempt(
            number=attempt.number,
            state=state,
            started=now - duration_s,
            ended=now,
            artifacts=(),
            inputs=job.inputs,
            error=error,
            facts=job.facts,
            run=job.run,
            owner=None,
            provenance=dict(provenance),
        )
        attempt.commit(job.identity, outcome)
    except (StoreError, OSError) as failure:
        _log.warning("%s could not be recorded as %s: %s", job.address, state.value, failure)
    return None
