"""How does one job run in a process that an engine owns? All that it needs travels with it."""

from __future__ import annotations

import contextlib
import pickle
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, fields, replace
from functools import lru_cache
from typing import Any, Final

from flowlib import configuration
from flowlib.bundle import LONGEST_S, Answers, Work
from flowlib.carried_output import CarryingJobs
from flowlib.code_places import code_folders, find_code
from flowlib.executor import ExecutorSetup
from flowlib.failures import error_details, failure_kind
from flowlib.inline_output import InlineOutputs
from flowlib.job import Assignment, Job, Outcome, OutcomeKind
from flowlib.lent_values import Lent, LentValue, lent_by
from flowlib.running import Surroundings
from flowlib.task_output import no_outputs
from flowlib.thread_jobs import ThreadJobs
from flowlib.transport import dumps, loads
from stores import Address, Owner, ResultsStore
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job on its way; in bytes, so that what cannot be read is answered for.

    Attributes:
        address: Whose job it is.
        told: Pickled: the store, the settings, where output goes. The same for all jobs of a run.
        assignment: The pickled `Assignment`. The same for all jobs of a spec.
        body: The pickled job.
        lent: Values that it need not read from the store.
    """

    address: Address
    told: bytes
    assignment: bytes
    body: bytes
    lent: Lent = field(default_factory=dict)

    def __reduce__(self) -> tuple[object, ...]:
        return RemoteJob, tuple(getattr(self, name) for name in _FIELDS)


_FIELDS: Final = tuple(each.name for each in fields(RemoteJob))
_NOTHING_AROUND: Final = Surroundings()


class RemoteJobs:
    """Makes them, and pickles only once what many have in common.

    Args:
        setup: What the run gives.
        knows_main: Whether the engine's processes have imported the script that this one runs.
    """

    def __init__(self, setup: ExecutorSetup, *, knows_main: bool = False) -> None:
        told = (setup.store, setup.settings, setup.output, code_folders())
        self._knows_main = knows_main
        self._told = self._dumped(told, "the store")
        self._assignments: dict[str, bytes] = {}

    @property
    def told(self) -> bytes:
        """What all jobs are told."""
        return self._told

    def of(self, job: Job, assignment: Assignment) -> RemoteJob:
        """What is sent for this job.

        Raises:
            RunError: its task or its config cannot be pickled.
        """
        if assignment.id not in self._assignments:
            what = f"the task of {assignment.name}"
            self._assignments[assignment.id] = self._dumped(assignment, what)
        body = self._dumped(job, f"the config of {job.run.unique_name}")
        return RemoteJob(job.address, self._told, self._assignments[assignment.id], body)

    def packed(self, work: Iterable[Work]) -> bytes:
        """These jobs, for `run_packed`: an engine that looks into it finds nothing to look at.

        What they have in common is in there once.

        Raises:
            RunError: a task or a config cannot be pickled.
        """
        return pickle.dumps([self.of(*each) for each in work], protocol=5)

    def _dumped(self, value: object, what: str) -> bytes:
        """Bytes; what is defined in the script goes by value, unless the script is known."""
        data = dumps(value, what)
        if self._knows_main or b"__main__" not in data:
            return data
        return dumps(value, what, by_value=True)


def run_remote(remote: RemoteJob, around: Surroundings = _NOTHING_AROUND) -> Outcome:
    """Run a job here; whatever goes wrong is an outcome.

    Ctrl-C in a terminal reaches all its processes. The first one lets a running task end, as in
    the driver; the second one ends it.

    Args:
        remote: The job.
        around: What this process tells its task.
    """
    with _spared_by_first_ctrl_c():
        return _run(remote, around)


def _run(remote: RemoteJob, around: Surroundings = _NOTHING_AROUND) -> Outcome:
    try:
        jobs = _jobs_of(remote.told, around)
        assignment: Any = _assignment_of(remote.assignment)
        job: Any = loads(remote.body)
        return jobs.run(job, assignment, remote.lent)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # unpickling runs user code
        return Outcome(
            remote.address,
            OutcomeKind.FAILED,
            error=error_details(error),
            is_lost=True,
            failure=failure_kind(error),
        )


@lru_cache(maxsize=4)  # runs that share a process take turns at the most
def _jobs_of(told: bytes, around: Surroundings) -> ThreadJobs | CarryingJobs:
    known: Any = loads(told)
    store, settings, output, folders = known
    find_code(folders)  # those that this host has, too
    configuration.adopt(settings)
    owner = Owner.of_this_process()
    if output is None:
        return ThreadJobs(store, owner, replace(around, output=no_outputs))
    if output.folder.is_dir():  # on this host, or on a shared disk
        return ThreadJobs(store, owner, replace(around, output=InlineOutputs(output).of))
    return CarryingJobs(store, owner, around, output)


def values_of(told: bytes, address: Address) -> dict[tuple[str, str], LentValue]:
    """The large values of a record, for an engine that keeps them; none if they cannot be read."""
    try:
        return lent_by(_store_of(told), address)
    except Exception:  # noqa: BLE001  # unpickling runs user code; the reader meets it, too
        return {}


def run_packed(data: bytes, lent: Iterable[Lent] = ()) -> Answers:
    """Run what `RemoteJobs.packed` has made, one job after the other.

    Those that are left when the time of a bundle is up, or after Ctrl-C, are not begun.

    Args:
        data: The jobs.
        lent: Values that an engine has kept.
    """
    began = time.perf_counter()
    remotes: Sequence[RemoteJob] = pickle.loads(data)  # noqa: S301  # the driver has sent it
    values = {known: value for each in lent for known, value in each.items()}
    outcomes: list[Outcome] = []
    with _spared_by_first_ctrl_c() as heard:
        for remote in remotes:
            outcomes.append(_run(replace(remote, lent=values) if values else remote))
            if heard or time.perf_counter() - began > LONGEST_S:
                break
    return Answers(tuple(outcomes), time.perf_counter() - began)


@lru_cache(maxsize=4)
def _store_of(told: bytes) -> ResultsStore:
    known: Any = loads(told)
    store: ResultsStore = known[0]
    return store


@lru_cache(maxsize=64)
def _assignment_of(data: bytes) -> object:
    return loads(data)


@contextlib.contextmanager
def _spared_by_first_ctrl_c() -> Iterator[Sequence[int]]:
    """What is heard of it meanwhile."""
    heard: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return

    def take(number: int, frame: object) -> None:
        heard.append(number)
        if len(heard) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, take)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)
