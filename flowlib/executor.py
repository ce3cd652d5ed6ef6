"""Where are jobs executed? The classes to derive from for a new kind of workers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

from flowlib.configuration import Settings
from flowlib.errors import nearest
from flowlib.interrupts import Interrupts
from flowlib.job import Assignment, Job, Outcome
from flowlib.left_open import LeftOpen
from flowlib.task_output import OutputPlace
from stores import Owner, ResultsStore
from stores.lazy_dataclass import dataclass
from stores.registry import Registry


@dataclass(frozen=True, slots=True)
class ExecutorSetup:
    """What every executor is started with.

    Attributes:
        store: The store of the run.
        num_workers: How many jobs may run at once.
        start_method: How processes are started; None is the best of the platform.
        owner: Who leases keys on behalf of the driver's own process.
        interrupts: The signals that stop the run.
        settings: Those of the driver, which hold in its workers, too.
        output: Where the output of tasks is kept; None if it is not.
        left_open: Takes Futures that tasks in this process return; None if they are waited for.
    """

    store: ResultsStore
    num_workers: int
    start_method: str | None
    owner: Owner
    interrupts: Interrupts = field(default_factory=Interrupts)
    settings: Settings = field(default_factory=Settings)
    output: OutputPlace | None = None
    left_open: LeftOpen | None = None


class Executor(ABC):
    """What the user picks: the kind of workers, and its options. A run starts it.

    Found by name, it is made without arguments.
    """

    @property
    def own_workers(self) -> int | None:
        """How many jobs run at once where the user says nothing; None leaves it to the run."""
        return None

    @property
    def options_name(self) -> str:
        """Under which name specs tell it something: `executor_options={"dask": {...}}`."""
        return type(self).__module__.rpartition(".")[2]

    def check_installed(self) -> None:
        """Look for the packages that this needs, before a run begins that has something to run.

        Raises:
            MissingExtra: one is not installed.
        """

    def check(self, options: Mapping[str, object]) -> None:
        """Look at what a spec tells this executor; called for each spec before anything starts.

        Raises:
            ValueError: there is no such option, or it cannot have this value; the words go
                behind the name of the spec. `refuse_unknown` tells the nearest name.
        """

    @abstractmethod
    def start(self, setup: ExecutorSetup) -> Workers:
        """Get ready for one run; processes may be started later, when there is work for them.

        Raises:
            RunError: it cannot serve this run, its store for instance; nothing was run.
        """


class Workers(ABC):
    """Those of one run. They never see the graph.

    For every job submitted, `wait` gives exactly one outcome; a worker that dies is an
    outcome, never silence.
    """

    @property
    @abstractmethod
    def free_slots(self) -> int:
        """How many more jobs they take now."""

    @abstractmethod
    def submit(self, job: Job, assignment: Assignment) -> int:
        """Take `job` and return at once; the answer is the index of the worker."""

    @abstractmethod
    def wait(self, timeout_s: float | None) -> list[Outcome]:
        """Block until at least one job has ended or the time is up.

        A signal does not interrupt this, so that no answer is lost. Where it blocks,
        `setup.interrupts.let_through()` is entered, which a signal leaves by `Woken`; that goes on
        to the caller.
        """

    @abstractmethod
    def kill(self, job: Job, reason: str) -> None:
        """End `job` now; its outcome (FAILED, with `reason`) comes from `wait`."""

    @abstractmethod
    def close(self, *, now: bool = False) -> None:
        """Stop every worker; harmless when called twice.

        Args:
            now: Kill jobs that still run instead of letting them end.
        """

    def ask_to_stop(self) -> None:
        """The run is being stopped: `should_stop` is true in the tasks that run."""

    def end_all(self, *, now: bool) -> None:
        """End all jobs: their outcomes are KILLED, or RETURNED for those that were not begun.

        Args:
            now: Leave no time to clean up.
        """

    @property
    def can_kill(self) -> bool:
        """Whether `kill` and `end_all` work, so that tasks may have a timeout."""
        return False

    @property
    def pickles_jobs(self) -> bool:
        """Whether `submit` pickles each job at once, so that its task gets a copy of all in it."""
        return False

    @property
    def has_fresh_processes(self) -> bool:
        """Whether tasks with `fresh_process` get what they ask for."""
        return False

    @property
    def has_environments(self) -> bool:
        """Whether each job runs in a process that was started with the job's `environment`."""
        return False

    def running_s(self, job: Job) -> float | None:
        """For how many seconds `job` has been running; None if it waits or nobody knows."""
        return None

    @property
    def leases_to_renew(self) -> Collection[Job]:
        """The running jobs whose leases the driver has to keep alive."""
        return ()


def refuse_unknown(options: Iterable[str], known: Iterable[str]) -> None:
    """See to it that all options are known.

    Raises:
        ValueError: one is not; with the nearest that is, and with all of them.
    """
    choices = sorted(known)
    for name in options:
        if name not in choices:
            there_are = f" There are: {', '.join(choices)}" if choices else ""
            raise ValueError(f"there is no option {name!r}.{nearest(name, choices)}{there_are}")


executors: Registry[Executor] = Registry("executor", Executor, "flowlib.executors")  # type: ignore[type-abstract]  # the registry returns concrete classes only
