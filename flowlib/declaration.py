"""What was asked: one spec, frozen, checked against the signature of its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from flowlib.code_policy import OnCodeChange
from flowlib.policy import Retries
from flowlib.tolerance import Tolerance
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from flowlib.signature import Signature


@dataclass(frozen=True, slots=True)
class Options:
    """What a spec asks of the run; never part of the identity of a task.

    Attributes:
        resources: Demand by kind, `{"gpu": 1}`; None takes one object of a resource list,
            an empty mapping takes nothing.
        retries: How often a failed task is tried again, by kind of failure, and the pause before.
        timeout_s: Seconds after which a running task is killed; None is no limit.
        wait_timeout_s: How long to wait for another driver that computes it; None is for ever.
        fresh_process: Whether each task runs in a new process, which then ends.
        priority: Tasks of higher priority start first.
        tags: Free words to select by.
        tolerance: What becomes of a node whose predecessors failed.
        before: What is called with the task before it computes.
        on_code_change: What is done with results that other code has made; None is the setting.
        store: Which of the named stores of the run holds the results; None is that of the run.
        executor_options: What executors are told about the tasks, by the name of the executor.
    """

    resources: Mapping[str, float | str] | None = None
    retries: Retries = field(default_factory=Retries)
    timeout_s: float | None = None
    wait_timeout_s: float | None = None
    fresh_process: bool = False
    priority: int = 0
    tags: tuple[str, ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    before: tuple[Callable[..., object], ...] = ()
    on_code_change: OnCodeChange | None = None
    store: str | None = None
    executor_options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def for_parameters(self, tolerant: frozenset[str]) -> Options:
        """The same for a task of which these parameters may get a `Failure`."""
        told = self.tolerance.or_annotated(tolerant)
        return self if told is self.tolerance else replace(self, tolerance=told)


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One spec as it is when the graph is built.

    Attributes:
        name: Name of the spec, unique in a flow.
        task: The class or function that computes.
        signature: The parameters of `task`.
        version: The user's own version of the task; None when there is none.
        config: Parameters as given, lists and sweeps not yet expanded.
        additional_kwargs: Parameters that are never part of the identity.
        expand: How lists are combined; None when lists are values.
        reduce: True gathers all predecessors; names gather over those parameters only.
        ignore_prefix: Keys that begin with it are left out of the identity.
        group_prefix: Marks lists that vary in lockstep.
        is_call: Whether it stands for calls of one function, which have a config each.
        ignored: Parameters of a call that are no part of the identity.
    """

    name: str
    task: Callable[..., object]
    signature: Signature
    version: str | int | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    additional_kwargs: Mapping[str, object] = field(default_factory=dict)
    expand: object = None
    reduce: bool | tuple[str, ...] = False
    ignore_prefix: str | None = None
    group_prefix: str | None = None
    options: Options = field(default_factory=Options)
    is_call: bool = False
    ignored: frozenset[str] = frozenset()
