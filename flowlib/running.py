"""What stands behind the attributes of a running task?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from flowlib.errors import RunError
from flowlib.left_open import LeftOpen
from flowlib.lent_values import Lent
from flowlib.stored_attempt import StoredAttempt
from flowlib.task_output import Outputs, no_outputs
from stores import (
    Address,
    MetaDict,
    OpenAttempt,
    ResultsStore,
    TaskState,
    UniqueConfig,
    canonical,
)
from stores.lazy_dataclass import dataclass
from stores.lineage import merged, plain

if TYPE_CHECKING:
    import inspect

Value = TypeVar("Value")

GRACE_S: Final = 30.0
"""How long a task that is told to stop may go on at the most."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A predecessor or successor of a task, as far as the task can see it.

    Attributes:
        name: Name of its spec.
        address: Where its record lies; None for a successor, of which only the name is known.
    """

    name: str
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process around a task tells it, and does to it.

    Attributes:
        is_stopping: Whether the run was asked to stop.
        interruptible: Entered where user code runs: only there may it be interrupted.
        output: Takes the output of the task while it is entered.
        left_open: Takes a Future that the task has returned; None if that is waited for.
        lent: Values that need not be read from the store.
    """

    is_stopping: Callable[[], bool] = lambda: False
    interruptible: Callable[[], AbstractContextManager[object]] = nullcontext
    output: Outputs = no_outputs
    left_open: LeftOpen | None = None
    lent: Lent = field(default_factory=dict, compare=False)


def seed_of(key: str) -> int:
    """The seed of 32 bits of the task with this key."""
    return int(key[:8], 16)


@dataclass(slots=True)
class TaskContext:
    """Everything a running task may ask for; made by the worker, one per attempt."""

    name: str
    unique_name: str
    address: Address
    project_name: str
    run_name: str
    sweep_counter: str
    config: MetaDict
    attempt: OpenAttempt | StoredAttempt
    results_store: ResultsStore
    predecessors: list[Neighbour] = field(default_factory=list)
    successors: list[Neighbour] = field(default_factory=list)
    user_config: str = "{}"
    resource: object = None
    force: bool = False
    reduce: bool | list[str] | None = None
    expects: Mapping[str, inspect.Parameter] = field(default_factory=dict)
    state: TaskState | None = None
    started: datetime | None = None
    ended: datetime | None = None
    is_stopping: Callable[[], bool] = lambda: False
    warn_at: float = float("inf")

    def should_stop(self) -> bool:
        """Whether the run is being stopped, or the time of the task is almost over."""
        return self.is_stopping() or time.monotonic() >= self.warn_at

    @property
    def id(self) -> str:
        """The run name and the index of the task in its spec."""
        return f"{self.run_name}-{self.sweep_counter}"

    @property
    def unique_config(self) -> UniqueConfig:
        """The configs of the task and of all its ancestors, by task name."""
        upstream = [each.address for each in self.predecessors if each.address is not None]
        known = self.results_store.lineages(upstream)
        sources = [known[address.key] for address in upstream if address.key in known]
        own: Any = canonical.decode(self.user_config)
        lineage = merged(self.name, own, sources, gathers=bool(self.reduce))
        return UniqueConfig(plain(lineage), self.address)

    @property
    def run_history(self) -> dict[str, str]:
        """Task name -> id, of all ancestors and of the task itself."""
        upstream = [each.address for each in self.predecessors if each.address is not None]
        return {**self.results_store.run_history(upstream), self.name: self.id}


class FromContext(Generic[Value]):
    """An attribute that is read from the context until user code assigns its own."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, task: None, owner: type) -> FromContext[Value]: ...
    @overload
    def __get__(self, task: object, owner: type) -> Value: ...
    def __get__(self, task: object | None, owner: type) -> FromContext[Value] | Value:
        if task is None:
            return self
        value: Value = getattr(context_of(task), self._name)
        return value


def with_context(task: object, context: TaskContext) -> None:
    """Give a task its context; comes before its `__init__`."""
    vars(task)["_flowlib_context"] = context


def context_of(task: object) -> TaskContext:
    """The context of a running task.

    Raises:
        RunError: the object was made by hand: there is no run around it.
    """
    context = vars(task).get("_flowlib_context")
    if not isinstance(context, TaskContext):
        raise RunError(
            f"this {type(task).__name__} is not running: flowlib makes the object itself and "
            f"gives it a store and a name. Put the class into a TaskSpec and run that in a Flow"
        )
    return context
