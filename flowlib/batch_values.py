"""How does one job of a batch system compute the value of a spec? Its Future knows the job."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from flowlib import configuration
from flowlib.asked_specs import AskedSpec
from flowlib.background import in_background
from flowlib.configuration import Settings, settings
from flowlib.errors import RunError
from flowlib.executors.slurm import SlurmExecutor
from flowlib.failures import pickled_exception
from flowlib.known_jobs import is_of_slurm, shared_job
from flowlib.slurm_endings import ending_of, is_over
from flowlib.slurm_queue import (
    SlurmSilent,
    outside_of_jobs,
    state_of_job,
    submitit_executor,
)
from flowlib.spec import TaskSpec
from flowlib.transport import dumps, loads
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_GROWTH: Final = 1.3
"""Of the pause between two looks for the end of a job."""

_ANY: Final = 1 << 30
"""Restarts that do not matter: the job itself is put back into the queue, and goes on."""


class BatchFuture(Future[Any]):
    """What one job computes."""

    def __init__(self) -> None:
        super().__init__()
        self._job_id: Future[str] = Future()

    @property
    def job_id(self) -> str:
        """The job, as the batch system calls it; waits until it has taken it.

        Raises:
            RunError: it has not taken it, or none was needed: the value was there.
        """
        return self._job_id.result()

    def note_job(self, job_id: str) -> None:
        """The batch system has taken it."""
        self._job_id.set_result(job_id)

    def note_refusal(self, error: BaseException) -> None:
        """The batch system has not taken it."""
        self._job_id.set_exception(error)


def batch_of(executor: object, store: ResultsStore) -> Batch | None:
    """The batch system that is meant; None if an executor of another kind is.

    Args:
        executor: `"slurm"`, a `SlurmExecutor`, or an executor of submitit.
        store: Where results go.

    Raises:
        RunError: jobs cannot write to the store, or there is no SLURM.
    """
    if executor == "slurm":
        executor = SlurmExecutor()
    is_foreign = type(executor).__module__.partition(".")[0] == "submitit"
    if not is_foreign and not isinstance(executor, SlurmExecutor):
        return None
    if isinstance(executor, SlurmExecutor):
        executor.check_usable(store)
        folder = executor.spool_folder(store, None)
        folder.mkdir(mode=0o700, parents=True)  # jobs hold passwords of stores
        engine = submitit_executor(folder, executor.request({}), "flowlib")
        return Batch(engine, store, executor.look_s)
    if not store.reachable_from_workers:
        raise RunError(f"jobs cannot write to {store!r}: give a store that they reach")
    return Batch(executor, store)


@dataclass(frozen=True, slots=True)
class Batch:
    """Where values are computed, each by one job.

    Attributes:
        engine: An executor of submitit.
        store: Where they go.
        look_s: How often the batch system is asked for a job.
    """

    engine: Any
    store: ResultsStore
    look_s: float = 10.0

    @staticmethod
    def answered(value: Any) -> Future[Any]:
        """A `BatchFuture` of a value that was there; one that is a Future is itself."""
        if isinstance(value, Future):
            return value
        future = BatchFuture()
        future.note_refusal(RunError("no job was needed: the value was in the store"))
        future.set_running_or_notify_cancel()
        future.set_result(value)
        return future

    def submit(
        self, job: Hashable, spec: TaskSpec, steps: list[Any], *, force: bool
    ) -> Future[Any]:
        """A `BatchFuture` of a value; of one that is on its way the same.

        Args:
            job: Tells whether two are the same.
            spec: As of `value`.
            steps: As of `value`.
            force: Whether it is computed again.

        Raises:
            RunError: the spec cannot be pickled.
        """
        future = BatchFuture()
        call = self._call(spec, force)
        return in_background(job, partial(self.value, call, spec, steps, future), future)

    def value(
        self, call: Callable[[], object], spec: TaskSpec, steps: list[Any], future: BatchFuture
    ) -> Any:
        """The value of a spec or of a part of it, when a job has computed it.

        Args:
            call: Computes it, in the job.
            spec: It.
            steps: From the value to the part that is wanted.
            future: Told the id of the job.

        Raises:
            RunError: the job was not taken, or has ended before it was done.
            Exception: what the task has raised.
        """
        try:
            keys = [node.key for node in AskedSpec(spec, self.store).nodes]
            with outside_of_jobs():
                job = shared_job(self.store, keys, partial(self.engine.submit, call))
        except Exception as error:  # of submitit, or of the batch system
            refused = RunError(f"the job was not taken: {error}")
            future.note_refusal(refused)
            raise refused from error
        future.note_job(str(job.job_id))
        raised = self._awaited(job)
        if raised is not None:
            raise pickle.loads(raised)  # noqa: S301  # from our own job
        return AskedSpec(spec, self.store).stored_values(steps)

    def _call(self, spec: TaskSpec, force: bool) -> _Computation:
        told = (spec, self.store, settings(), force)
        script = str(Path(sys.path[0] if sys.path else "").resolve())
        what = f"the task of {spec.name}"
        data = dumps(told, what)
        if b"__main__" in data:  # the job imports no script
            data = dumps(told, what, by_value=True)
        return _Computation(data, script)

    def _awaited(self, job: Any) -> bytes | None:
        """The exception of a job that has ended, pickled, if it has raised one."""
        pause_s, look_at, was_gone = _FIRST_PAUSE_S, time.monotonic() + self.look_s, False
        while not job.paths.result_pickle.exists():
            time.sleep(pause_s)
            pause_s = min(pause_s * _GROWTH, _LONGEST_PAUSE_S)
            if time.monotonic() < look_at:
                continue
            look_at = time.monotonic() + self.look_s
            why = _why_gone(job)
            if why is not None and was_gone and not job.paths.result_pickle.exists():
                raise RunError(why)
            was_gone = why is not None
        kind, value = pickle.loads(job.paths.result_pickle.read_bytes())  # noqa: S301  # our own
        if kind == "error":
            raise RunError(f"the job {job.job_id} has failed: {value}")
        found: bytes | None = value
        return found


def _why_gone(job: Any) -> str | None:
    """Why a job will not end any more; None if it may."""
    if not is_of_slurm(job):
        return None if job.state in ("RUNNING", "PENDING") else f"the job has ended: {job.state}"
    with suppress(SlurmSilent):
        state = state_of_job(job.job_id)
        if is_over(state):
            ending = ending_of(f"{job.job_id}.{_ANY}", state, was_first=True)
            return None if ending is None else ending.words
    return None


@dataclass(frozen=True, slots=True)
class _Computation:
    """What the job calls. All that it needs is in bytes, so that modules are found first.

    Attributes:
        told: Pickled: the spec, the store, the settings, whether it is computed again.
        script: The folder of the script that has submitted it.
    """

    told: bytes
    script: str

    def __call__(self) -> bytes | None:
        """Compute; the exception of the task, pickled, if there was one."""
        if self.script not in sys.path and Path(self.script).is_dir():
            sys.path.append(self.script)
        known: Any = loads(self.told)
        spec, store, told, force = known
        with _requeued_when_warned(told):
            configuration.adopt(told)
            try:
                AskedSpec(spec, store).values([], force=force)
            except Exception as error:  # noqa: BLE001  # user code may raise anything
                return pickled_exception(error) or pickle.dumps(RunError(str(error)))
        return None


@contextmanager
def _requeued_when_warned(known: Settings) -> Iterator[None]:
    """Let the task end before the time of the job is over, and put the job back into the queue."""
    heard: list[int] = []

    def take(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        signal.raise_signal(signal.SIGTERM)  # the run is stopped as by anybody else

    before = signal.signal(signal.SIGUSR2, take)
    try:
        yield
    except SystemExit:
        job, restarts = os.environ.get("SLURM_JOB_ID"), os.environ.get("SLURM_RESTART_COUNT")
        if heard and job and int(restarts or 0) < known.preempt_max:
            subprocess.run(["scontrol", "requeue", job], check=False)  # noqa: S603, S607
        raise
    finally:
        signal.signal(signal.SIGUSR2, before)
