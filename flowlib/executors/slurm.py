"""
On a cluster with SLURM: allocations that take tasks until there are none, or their time is up.

They are asked for as arrays, through submitit, when there are tasks for them, and not more than the
run may have. Jobs and answers travel through a folder that all hosts see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import field, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.future_workers import FutureWorkers, lost_worker
from flowlib.job import Assignment, Job, Outcome
from flowlib.policy import seconds_of
from flowlib.remote_job import RemoteJobs
from flowlib.run_folders import spool_folder
from flowlib.slurm_crew import SlurmCrew
from flowlib.slurm_orphans import close_orphans, note_driver
from flowlib.slurm_post import LeftAlone, SlurmPost
from flowlib.slurm_queue import (
    SlurmQueue,
    check_slurm,
    check_submitit,
    largest_array,
    refuse_unknown_partition,
)
from flowlib.slurm_request import SlurmRequest, request_of
from flowlib.slurm_spool import Spool
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

_DEEPEST: Final = 32
"""How many jobs wait for each allocation, at the most."""

_ASKED: Final = (
    *("partition", "time", "gpus", "memory", "account", "cpus", "qos", "constraint"),
    *("warn", "setup", "sbatch"),
)
"""What a spec may ask for otherwise."""


@dataclass(frozen=True, slots=True)
class SlurmExecutor(Executor):
    """Runs tasks in allocations of SLURM.

    `executor_options={"slurm": {...}}` of a spec asks for something else than the executor does:
    all but the last four. Times are seconds, or `"30m"`, `"2h"`, `"1-12:00:00"`.

    Attributes:
        partition: Where; several with commas.
        time: The limit of an allocation, which may run many tasks.
        gpus: How many GPUs an allocation has: a number, or `"a100:2"`.
        memory: Of an allocation: `"16GB"`.
        account: Who pays.
        cpus: How many processors an allocation has.
        qos: The quality of service.
        constraint: Features that a node must have.
        warn: How long before the end `should_stop` of a task is true. None: 90 seconds, or a
            quarter of a short time.
        setup: Lines for the shell that runs before Python does.
        sbatch: Further options of sbatch, as it names them: `{"reservation": "night"}`.
        jobs: How many allocations there are at once, where the run does not say `num_workers`: one
            or more.
        idle: How long an allocation waits for further tasks before it ends.
        look: How often SLURM is asked for all allocations.
        folder: For jobs on their way; on a disk that all hosts see. None: the folder of the run.
    """

    partition: str | None = None
    time: float | str = "1h"
    gpus: int | str | None = None
    memory: str | None = None
    account: str | None = None
    cpus: int | None = None
    qos: str | None = None
    constraint: str | None = None
    warn: float | str | None = None
    setup: Sequence[str] = ()
    sbatch: Mapping[str, object] = field(default_factory=dict)
    jobs: int = 16
    idle: float | str = "30s"
    look: float | str = "10s"
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        if isinstance(self.jobs, bool) or not isinstance(self.jobs, int) or self.jobs < 1:
            raise ValueError(f"jobs is {self.jobs!r}; give a whole number, 1 or more")

    @property
    def own_workers(self) -> int | None:
        return self.jobs

    def check_installed(self) -> None:
        check_submitit()

    def check(self, options: Mapping[str, object]) -> None:
        refuse_unknown_partition(self.request(options))

    def request(self, options: Mapping[str, object]) -> SlurmRequest:
        """What is asked for the tasks of a spec.

        Args:
            options: Those of the spec.

        Raises:
            ValueError: one is unknown, or cannot have this value.
        """
        return request_of({**{name: getattr(self, name) for name in _ASKED}, **options})

    def start(self, setup: ExecutorSetup) -> Workers:
        self.check_usable(setup.store)
        place = setup.output.folder if setup.output is not None else None
        spool = Spool(self.spool_folder(setup.store, place), is_kept=place is not None)
        spool.make()
        close_orphans(spool)
        name = f"flowlib-{uuid4().hex[:12]}"
        note_driver(spool, setup.owner, name)
        queue = SlurmQueue(spool.logs, name)
        crew = SlurmCrew(queue, setup.num_workers, largest_array())
        return _SlurmWorkers(setup, self.request, spool, crew, (self.idle_s, self.look_s))

    def check_usable(self, store: ResultsStore) -> None:
        """See to it that there is a SLURM which takes what this asks for.

        Args:
            store: Where results go.

        Raises:
            RunError: there is none, it has no such partition, or jobs cannot write to the store.
        """
        if not store.reachable_from_workers:
            raise RunError(
                f"jobs of SLURM cannot write to {store!r}: give a store that they reach, "
                f"such as LocalFileStore on a shared disk, or a database"
            )
        try:
            own = self.request({})
            check_slurm()
            refuse_unknown_partition(own)
        except ValueError as error:
            raise RunError(f"SlurmExecutor: {error}") from error

    def spool_folder(self, store: ResultsStore, run: Path | None) -> Path:
        """Where jobs lie on their way, and what they write.

        Args:
            store: Where results go.
            run: The folder of the run, if it has one.

        Raises:
            RunError: SLURM cannot write there.
        """
        folder = spool_folder(store, run, self.folder)
        if "%" in str(folder):
            raise RunError(
                f"SLURM cannot write to {folder}: give SlurmExecutor(folder=…) without %"
            )
        return folder

    @property
    def idle_s(self) -> float:
        """How long an allocation waits for further tasks.

        Raises:
            SpecError: it is no time.
        """
        return seconds_of("SlurmExecutor", "idle", self.idle)

    @property
    def look_s(self) -> float:
        """How long it takes until SLURM is asked again.

        Raises:
            SpecError: it is no time.
        """
        return seconds_of("SlurmExecutor", "look", self.look)


class _SlurmWorkers(FutureWorkers):
    """The allocations of a run.

    Args:
        setup: What the run gives.
        request_of: What is asked for a task, from the options of its spec.
        spool: The way to them and back.
        crew: Who they are.
        times: How long they wait for further tasks, and how often SLURM is asked for them.
    """

    def __init__(
        self,
        setup: ExecutorSetup,
        request_of: Callable[[Mapping[str, object]], SlurmRequest],
        spool: Spool,
        crew: SlurmCrew,
        times: tuple[float, float],
    ) -> None:
        super().__init__(setup, setup.num_workers, deepest=_DEEPEST)
        self._request_of = request_of
        self._requests: dict[str, SlurmRequest] = {}  # by assignment
        self._jobs = RemoteJobs(setup)
        self._trouble = ""
        idle_s, look_s = times
        self._post = SlurmPost(spool, crew, idle_s=idle_s, look_s=look_s, give_up=self._give_up)

    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        if assignment.id not in self._requests:
            try:
                request = self._request_of(assignment.executor_options.get("slurm", {}))
            except ValueError as error:
                what = f"executor_options of {assignment.name} for slurm"
                raise RunError(f"{what}: {error}") from error
            self._requests[assignment.id] = request
        return self._post.send(job, self._jobs.of(job, assignment), self._requests[assignment.id])

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        outcomes = super().wait(timeout_s)
        if self._trouble and not outcomes:
            raise RunError(self._trouble)
        return outcomes

    def withdraw(self, job: Job, future: Future[Outcome]) -> bool:
        return self._post.withdraw(future)

    def ask_to_stop(self) -> None:
        super().ask_to_stop()
        self._post.ask_to_stop()

    def let_go(self, job: Job, future: Future[Outcome]) -> None:
        self._post.end(job)

    def lost(self, job: Job, error: BaseException) -> Outcome:
        if not isinstance(error, LeftAlone):
            return super().lost(job, error)
        outcome = lost_worker(job, error.ending.words, error.ending.kind)
        return replace(outcome, ended_by=error.ending.ended_by)

    def close(self, *, now: bool = False) -> None:
        self._post.close(now=now)

    def _give_up(self, why: str) -> None:
        self._trouble = why
        self._bell.set()
