"""
Which job of SLURM computes a value? That is told beside the results, so that other processes know.

A record in `store.beside("jobs")`, under the digest of the keys, names the last job that was asked
for. Its lease keeps two processes from asking at once. When the job is over, nobody needs it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from flowlib.slurm_endings import is_over
from flowlib.slurm_queue import SlurmSilent, state_of_job, states_of_jobs
from stores import (
    Address,
    Attempt,
    Identity,
    InMemoryStore,
    LeaseHeld,
    Record,
    ResultsStore,
    StoreError,
    TaskState,
    canonical,
)
from stores.attempt import OpenAttempt
from stores.lazy_dataclass import dataclass
from stores.moments import span

_log = logging.getLogger("flowlib")

_PLACE: Final = "jobs"
_JOB: Final = "job"
_ID: Final = "job_id"
_FOLDER: Final = "folder"
_GRACE_S: Final = 3600.0
"""What was asked for in this time is kept in any case, as by `store.gc`."""

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


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job of which other processes were told.

    Attributes:
        address: Of the record.
        id: What SLURM calls it.
        folder: Where submitit keeps what belongs to it.
    """

    address: Address
    id: str
    folder: str


def ended_jobs(
    store: ResultsStore, *, older_than: float | str | None = None, grace: float | str = _GRACE_S
) -> list[KnownJob]:
    """The jobs that are over, and were asked for long ago; all else of them is left to submitit.

    A job is over when it has a result, when its folder is gone, or when SLURM says so. Where SLURM
    does not answer, those of which it would have to be asked are left out.

    Args:
        store: Beside whose records they lie.
        older_than: Seconds, or "30d".
        grace: What was asked for in this time is left out in any case.

    Raises:
        QueryError: a length of time is none.
    """
    limit_s = span(grace, "grace")
    limit_s = max(limit_s, 0.0 if older_than is None else span(older_than, "older_than"))
    before = time.time() - limit_s
    with closing(_beside(store)) as beside:
        records = [beside.record(each) for each in beside.addresses(_JOB)]
    old = [each for each in records if each is not None and (each.latest.ended or 0.0) < before]
    known = [job for each in old if (job := _job_of(each)) is not None]
    unsure = [job for job in known if not _has_ended(job)]
    try:
        states = states_of_jobs([job.id for job in unsure])
    except SlurmSilent:
        return [job for job in known if job not in unsure]
    return [job for job in known if job not in unsure or is_over(states.get(job.id))]


def forget_jobs(store: ResultsStore, jobs: Iterable[KnownJob]) -> int:
    """Drop the records of jobs, but for one under which another job was asked for meanwhile.

    Args:
        store: Beside whose records they lie.
        jobs: They.

    Returns:
        How many that were.
    """
    count = 0
    with closing(_beside(store)) as beside:
        for job in jobs:
            record = beside.record(job.address)
            if record is not None and _job_of(record) == job:
                with suppress(LeaseHeld):  # somebody is just asking for the next one
                    count += beside.remove(job.address)
    return count


def is_of_slurm(job: Any) -> bool:
    """Whether a job of submitit is one of SLURM; others end with the process that began them."""
    return type(job).__module__.startswith("submitit.slurm")


def _beside(store: ResultsStore) -> ResultsStore:
    try:
        return store.beside(_PLACE)
    except StoreError:  # it keeps nothing but results
        return InMemoryStore()


def _job_of(record: Record) -> KnownJob | None:
    facts = record.latest.facts
    if _ID not in facts or _FOLDER not in facts:
        return None
    return KnownJob(record.address, facts[_ID], facts[_FOLDER])


def _has_ended(job: KnownJob) -> bool:
    """Whether its folder tells so, as submitit writes it."""
    folder = Path(job.folder)
    return not folder.is_dir() or (folder / f"{job.id}_0_result.pkl").exists()


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
