"""What travels to a worker and back: the constant part of a spec, a job, its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from enum import Enum
from operator import attrgetter
from typing import Any, Final

from flowlib.devices import Environment
from flowlib.failures import Failure
from flowlib.grown import Grown
from flowlib.policy import FailureKind
from flowlib.signature import Signature
from flowlib.stored_task import StoredTasks
from stores import Address, ErrorDetails, Identity, Input, Record, RunInfo
from stores.lazy_dataclass import dataclass

WITHOUT: Final = "without"
"""The fact that marks an attempt which lacks inputs, or reads from one that does: which."""


@dataclass(frozen=True, slots=True, eq=False)
class FailedInput:
    """A predecessor that failed, for a task that takes failures as values.

    Attributes:
        role: As what the task reads from it.
        position: Before which of the job's inputs it stands.
        failure: What the task gets.
    """

    role: str
    position: int
    failure: Failure


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """What all jobs of one spec have in common; sent to a worker once.

    Attributes:
        name: Name of the spec.
        task: The class or function that computes.
        signature: The parameters of `task`.
        additional_kwargs: Parameters that are never part of the identity.
        successors: Names of the specs that read from this one.
        reduce: As in the spec.
        module: Module of the task, for the record.
        provenance: Where results come from, for the record.
        timeout_s: How long one job may take; None is for ever.
        fresh_process: Whether every job wants a process that has run nothing before.
        before: What is called with the task before it computes.
        executor_options: What executors are told about it, by their names.
        variant: Tells apart what is sent for one name: calls of a task with other options.
        is_call: Whether the task gets values in its arguments instead of artifacts by name.
    """

    name: str
    task: Callable[..., object]
    signature: Signature
    additional_kwargs: Mapping[str, object]
    successors: tuple[str, ...]
    reduce: bool | tuple[str, ...]
    module: str
    provenance: Mapping[str, object] = field(default_factory=dict)
    timeout_s: float | None = None
    fresh_process: bool = False
    before: tuple[Callable[..., object], ...] = ()
    executor_options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    variant: int = 0
    is_call: bool = False

    @property
    def id(self) -> str:
        """What tells it from all others of the run."""
        return f"{self.name}#{self.variant}" if self.variant else self.name


@dataclass(slots=True, eq=False)  # frozen, it would take 3 µs to make, for every task
class Job:
    """One node to compute; holds nothing of the graph around it.

    Attributes:
        spec: Name of the spec; the worker has its `Assignment`.
        identity: Address and texts for the record.
        config: The parameters of this node.
        inputs: The records it reads from, in order; one role may occur several times.
        gathers: Whether the values arrive as lists.
        newer_than: Number of the last attempt that does not count; 0 if any success counts.
        force: Whether the user asked to run it again.
        facts: What the plan of a later run compares.
        run: The names of the run and of the node in it.
        resource: What the task is leased.
        starts_over: Whether what earlier attempts have handed on is dropped.
        failed: The predecessors that failed, where the task wants to know.
        log: Where its output goes, below the folder of the run; empty if nowhere.
        environment: Variables that its process must have been started with.
        restored: Tasks among those upstream that tell their values themselves, by key.
        grown: What its task has returned already, if that held specs: only their results are
            to be put together.
    """

    spec: str
    identity: Identity
    config: Mapping[str, object]
    inputs: tuple[Input, ...]
    gathers: bool
    newer_than: int
    force: bool
    facts: Mapping[str, str]
    run: RunInfo
    resource: object = None
    starts_over: bool = False
    failed: tuple[FailedInput, ...] = ()
    log: str = ""
    environment: Environment = ()
    restored: StoredTasks = field(default_factory=dict)
    grown: Grown | None = None

    @property
    def address(self) -> Address:
        """Where its record will lie."""
        return self.identity.address

    @property
    def sources(self) -> list[Address]:
        """Where the records lie that its task is told of."""
        grown = () if self.grown is None else self.grown.inputs
        told = [each.address for each in (*self.inputs, *grown)]
        told += [each.failure.address for each in self.failed]
        return told + [i.address for each in self.restored.values() for i in each.inputs]

    def accepts(self, number: int, facts: Mapping[str, str]) -> bool:
        """Whether a success in the store is what this job was to make.

        One that was made without some of its inputs is not, unless this job lacks the same.
        """
        lacks_nothing = facts.get(WITHOUT, "") in ("", self.facts.get(WITHOUT))
        return number > self.newer_than and lacks_nothing

    def __reduce__(self) -> tuple[object, ...]:
        identity, run = self.identity, self.run  # jobs travel often, and quickest when flat
        address = identity.address
        return _job, (
            *(address.task, address.key, identity.version, identity.config, identity.user_config),
            *(run.project_name, run.run_name, run.unique_name, run.sweep_counter),
            *_OTHER_PARTS(self),
        )


class OutcomeKind(Enum):
    """How a job ended."""

    FINISHED = "finished"
    FOUND = "found"  # another driver finished it meanwhile
    FAILED = "failed"
    KILLED = "killed"
    GROWN = "grown"  # it has returned specs, whose results will be its own
    BUSY = "busy"  # another driver is computing it
    OPEN = "open"  # it has returned a Future, whose value is committed later
    RETURNED = "returned"  # it was never begun, as the run is being stopped


@dataclass(slots=True, eq=False)  # frozen, it would take 3 µs to make, for every task
class Outcome:
    """The answer to one job.

    Attributes:
        address: Whose answer it is.
        kind: How it ended.
        attempt: Number of the attempt that counts now, for FINISHED, FOUND and GROWN.
        duration_s: How long the user's code ran.
        error: What went wrong, as text.
        exception: The pickled exception, where it can be rebuilt.
        owner: Who computes it, for BUSY.
        record: The record, where the store cannot be reached from the worker.
        blobs: Its artifacts, likewise.
        more: What the task has computed by direct calls, likewise.
        is_store_error: Whether the store failed rather than the task.
        is_lost: Whether the worker could not commit the attempt itself, so the driver must.
        failure: In which way it failed, for FAILED and KILLED.
        ended_by: The signal from outside that ended its process; None if there was none.
        log: How the record that the driver commits names the log; empty if there is none.
        log_text: What the task has printed and logged, where the folder of the run cannot be
            reached from the worker.
        raised: The exception itself, where the task ran in the driver's process.
    """

    address: Address
    kind: OutcomeKind
    attempt: int = 0
    duration_s: float = 0.0
    error: ErrorDetails | None = None
    exception: bytes | None = None
    owner: str = ""
    record: Record | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    is_store_error: bool = False
    is_lost: bool = False
    failure: FailureKind | None = None
    ended_by: int | None = None
    log: str = ""
    more: tuple[tuple[Record, Mapping[str, bytes]], ...] = ()
    log_text: bytes = b""
    raised: Exception | None = None  # the last one, which stays here when an outcome travels

    @classmethod
    def finished(cls, address: Address, attempt: int, duration_s: float) -> Outcome:
        """The answer to most jobs."""
        return cls(address, OutcomeKind.FINISHED, attempt, duration_s)

    @property
    def is_usual(self) -> bool:
        """Whether `finished` makes the same."""
        return self.kind is OutcomeKind.FINISHED and _OUTCOME_PARTS(self)[4:] == _USUAL

    def __reduce__(self) -> tuple[object, ...]:
        if self.is_usual:
            return Outcome.finished, (self.address, self.attempt, self.duration_s)
        return Outcome, _OUTCOME_PARTS(self)


def _job(*parts: Any) -> Job:
    identity = Identity(Address(*parts[:2]), *parts[2:5])
    return Job(*(parts[9], identity, *parts[10:16], RunInfo(*parts[5:9]), *parts[16:]))


_OTHER_PARTS: Final = attrgetter(
    *[each.name for each in fields(Job) if each.name not in ("identity", "run")]
)
_OUTCOME_PARTS: Final = attrgetter(*[e.name for e in fields(Outcome) if e.name != "raised"])
_USUAL: Final = _OUTCOME_PARTS(Outcome.finished(Address("", ""), 1, 0.0))[4:]
