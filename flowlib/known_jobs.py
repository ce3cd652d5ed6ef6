"""
Which job of SLURM computes a value? That is told beside the results, so that other processes know.

A record in `store.beside("jobs")`, under the digest of the keys, names the last job that was asked
for. Its lease keeps two processes from asking at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from flowlib.slurm_endings import is_over
from flowlib.slurm_queue import state_of_job
from stores import (
    Address,
    Attempt,
    Identity,
    LeaseHeld,
    ResultsStore,
    StoreError,
    TaskState,
    canonical,
)
from stores.attempt import OpenAttempt

_log = logging.getLogger("flowlib")

_PLACE: Final = "jobs"
_JOB: Final = "job"
_ID: Final = "job_id"
_FOLDER: Final = "folder"
_PAUSE_S: Final = 0.1
_PATIENCE_S: Final = 120.0
"""So long another process may take that asks for the same job."""


def shared_job(store: ResultsStore, keys: Iterable[str], submit: Callable[[], Any]) -> Any:
    """The job of submitit that computes a value: the one that was asked for, if it goes on.

    Args:
        store: Where the value goes.
        keys: Of the tasks that it is the value of.
        submit: Asks for a new one.

    Raises:
        LeaseHeld: another process has been asking for it for long.
        SlurmSilent: there was one, and nobody says what became of it.
        Exception: of `submit`.
    """
    address = Address(_JOB, canonical.digest(",".join(sorted(keys))))
    try:
        attempt = _begun(store, address)
    except LeaseHeld:
        raise
    except StoreError:  # it keeps nothing but results
        return submit()
    try:
        job = _going_on(attempt)
        if job is None:
            job = submit()
            _keep(attempt, job)
        return job
    finally:
        attempt.abandon()


def is_of_slurm(job: Any) -> bool:
    """Whether a job of submitit is one of SLURM; others end with the process that began them."""
    return type(job).__module__.startswith("submitit.slurm")


def _begun(store: ResultsStore, address: Address) -> OpenAttempt:
    beside = store.beside(_PLACE)
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return beside.begin(address)
        except LeaseHeld:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)


def _going_on(attempt: OpenAttempt) -> Any:
    """The last job that was asked for; None if there was none, or it has ended."""
    known = attempt.previous.finished if attempt.previous is not None else None
    if known is None:
        return None
    from submitit import SlurmJob

    folder, job_id = Path(known.facts[_FOLDER]), known.facts[_ID]
    if not folder.is_dir():
        return None
    job: Any = SlurmJob(folder=folder, job_id=job_id)
    is_done = job.paths.result_pickle.exists() or is_over(state_of_job(job_id))
    return None if is_done else job


def _keep(attempt: OpenAttempt, job: Any) -> None:
    if not is_of_slurm(job):
        return
    now, text = time.time(), canonical.encode({_ID: str(job.job_id)})
    facts = {_ID: str(job.job_id), _FOLDER: str(job.paths.folder)}
    outcome = Attempt(0, TaskState.FINISHED, started=now, ended=now, facts=facts)
    try:
        identity = Identity(attempt.address, None, text, text)
        attempt.commit(identity, outcome, keeps_finished=False)
    except (StoreError, OSError) as error:
        _log.warning("other processes will not know the job %s: %s", job.job_id, error)
