"""
What can happen during a run, as plain data. Everything that watches a run sees only these.

They hold no node and no graph, so that they go into a file and come back the same in another
process. `RunStarted` is the first of a run and `RunEnded` the last; in between each node that runs
has `Started` and then one of `Finished`, `Failed`, `Cached`, or `Retried`/`Waiting`/`Grown` and all
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from stores import ErrorDetails
from stores.lazy_dataclass import dataclass

OF_WORKERS: Final = frozenset(("killed", "lost", "oom", "preempted"))
"""Kinds of failures of those that ran a task, not of its code."""


@dataclass(frozen=True, slots=True)
class TaskRef:
    """How views name a node.

    Attributes:
        spec: Name of its spec.
        unique_name: `Train-12`.
        key: Its whole key.
        label: The part of its config that differs within the spec: `lr=0.001`; may be empty.
    """

    spec: str
    unique_name: str
    key: str
    label: str = ""

    @property
    def id(self) -> str:
        """Spec and the first 8 characters of the key: `Train/9a7a08b2`."""
        return f"{self.spec}/{self.key[:8]}"


@dataclass(frozen=True, slots=True)
class SpecTotal:
    """How much of a spec a run has to do.

    Attributes:
        name: Name of the spec.
        total: Its nodes.
        cached: Those of them that were in the store when the run began.
        cached_s: How long those took when they were computed, as far as is known.
        mean_s: How long a task took in earlier runs; None if that is not known.
    """

    name: str
    total: int
    cached: int
    cached_s: float = 0.0
    mean_s: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened.

    Attributes:
        at: When, in seconds since 1970-01-01 UTC.
    """

    at: float


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run begins.

    Attributes:
        run_name: Name of the run.
        project_name: Name of the project.
        store: The store as text, without passwords.
        host: Name of the driver's host.
        pid: Process of the driver.
        workers: How many tasks may run at once; 0 if nothing is to be run.
        specs: What there is to do, in the order of the flow.
        stale: Specs with cached nodes that are older than their input.
        folder: Where logs and events of the run are kept; None if nowhere.
        again: Words of the command that runs the same flow again; empty if none is known.
        is_part: Whether only a part of the flow was wanted, or some of it anew.
        seen_by: Words of the command that looks into the store, `("flowlib", "--store", "…")`;
            empty if none is known.
        boot_id: Of the driver's host, and of its namespace of processes; empty if not known.
        process_start: Start of the driver in clock ticks after boot: with `boot_id` it tells the
            driver from a later process of the same number; 0 if not known.
    """

    run_name: str
    project_name: str
    store: str
    host: str
    pid: int
    workers: int
    specs: tuple[SpecTotal, ...]
    stale: tuple[str, ...] = ()
    folder: str | None = None
    again: tuple[str, ...] = ()
    is_part: bool = False
    seen_by: tuple[str, ...] = ()
    boot_id: str = ""
    process_start: int = 0


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """The run is over.

    Attributes:
        counts: How many nodes ended in which state; `cached` did not need to run.
        duration_s: How long it took.
        is_interrupted: Whether a signal kept nodes from starting.
        stopped_by: The number of that signal, if one has come.
        broken_by: The error that ended it, where that was none of a task; where nothing had begun
            it was refused, and is not interrupted.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    duration_s: float = 0.0
    is_interrupted: bool = False
    stopped_by: int | None = None
    broken_by: str = ""


@dataclass(frozen=True, slots=True)
class Stopping(Event):
    """A signal has asked the run to stop: nothing new starts.

    Attributes:
        signal: Its number; that of the first, if there were several.
        is_now: Whether running tasks are being ended, too; else they may end by themselves.
    """

    signal: int
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class TaskEvent(Event):
    """Something happened to a node."""

    task: TaskRef


@dataclass(frozen=True, slots=True)
class Cached(TaskEvent):
    """Another driver has put its results into the store since the run began."""


@dataclass(frozen=True, slots=True)
class Started(TaskEvent):
    """It was handed to a worker.

    Attributes:
        worker: Index of the worker, from 0.
        resource: What the task was leased, as text; empty for nothing.
    """

    worker: int
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Grown(TaskEvent):
    """It has returned specs: their tasks belong to the run now, and it waits for them.

    Then it is started once more, to make what they have given its own result.

    Attributes:
        specs: The tasks that are new, by spec.
        duration_s: How long the user's code ran.
    """

    specs: tuple[SpecTotal, ...]
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished(TaskEvent):
    """Its results are in the store.

    Attributes:
        duration_s: How long the user's code ran.
    """

    duration_s: float


@dataclass(frozen=True, slots=True)
class Failed(TaskEvent):
    """It raised, it was killed or its worker died, and it will not be tried again.

    Attributes:
        error: Type, message and traceback.
        is_kill: Whether it was killed rather than failing by itself.
        duration_s: How long the user's code ran.
        log: The file with its output, if there is one.
    """

    error: ErrorDetails
    is_kill: bool
    duration_s: float
    log: str | None = None


@dataclass(frozen=True, slots=True)
class Retried(TaskEvent):
    """It failed and will be tried again.

    Attributes:
        error: Type, message and traceback.
        pause_s: How long from now it waits before it may start.
        kind: In which way it failed, as in `retries=`: `lost` where its worker was lost, or
            `preempted` where somebody else wanted that; empty if not known.
    """

    error: ErrorDetails
    pause_s: float = 0.0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Skipped(TaskEvent):
    """It was never started, because `cause` failed."""

    cause: TaskRef


@dataclass(frozen=True, slots=True)
class Waiting(TaskEvent):
    """Another driver is computing it; its result will be taken when it is there.

    It is told when the wait begins, and now and then for the node that is waited for the longest.

    Attributes:
        owner: Who computes it, in words.
        waited_s: For how long the run has been waiting for it.
        others: For how many other nodes it waits.
    """

    owner: str
    waited_s: float = 0.0
    others: int = 0
