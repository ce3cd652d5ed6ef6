"""What user code is given while it runs: `Task`, and the context behind its attributes."""

from __future__ import annotations

import importlib
import logging
import sys
from abc import ABC
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowlib.running import FromContext, Neighbour, TaskContext, context_of, seed_of
from stores import (
    File,
    MetaDict,
    Promise,
    ResultsStore,
    StoreContext,
    StoreWithoutFiles,
    TaskState,
    UniqueConfig,
)

if TYPE_CHECKING:
    import inspect

    from flowlib.info import TaskInfo


class Task(ABC):
    """A computation. Derive from it, take the config in `__init__`, compute in `run`.

    `super().__init__()` need not be called: all of this works in `__init__` and `run` alike.
    """

    name: FromContext[str] = FromContext("Name of the spec.")
    unique_name: FromContext[str] = FromContext("Name of the node: `Train-12`.")
    project_name: FromContext[str] = FromContext("Name of the project.")
    run_name: FromContext[str] = FromContext("Name of the run.")
    state: FromContext[TaskState | None] = FromContext("Its state.")
    started: FromContext[datetime | None] = FromContext("When it started, in UTC.")
    ended: FromContext[datetime | None] = FromContext("When it ended, in UTC.")
    run_history: FromContext[dict[str, str]] = FromContext("Task name -> id, ancestors included.")
    sweep_counter: FromContext[str] = FromContext(
        "The index of the node in its spec, three digits at least."
    )
    unique_config: FromContext[UniqueConfig] = FromContext(
        "Its config and those of all its ancestors."
    )
    results_store: FromContext[ResultsStore] = FromContext("The store of the run.")
    resource: FromContext[Any] = FromContext("What it was leased, if the run has resources.")
    force: FromContext[bool] = FromContext("Whether it was asked to run again.")
    expects: FromContext[Mapping[str, inspect.Parameter]] = FromContext(
        "What `run` wants, by name."
    )
    reduce: FromContext[bool | list[str] | None] = FromContext(
        "Whether it gathers its predecessors."
    )
    config: FromContext[MetaDict] = FromContext("Its own config, as given to `__init__`.")
    id: FromContext[str] = FromContext("The run name and the sweep counter.")
    predecessors: FromContext[list[Neighbour]] = FromContext("The tasks it reads from.")
    successors: FromContext[list[Neighbour]] = FromContext("The specs that read from it, by name.")

    if TYPE_CHECKING:
        run: Callable[..., Any]
    else:

        def run(self, **results: Any) -> Any:
            """Compute. Artifacts of the predecessors arrive by name.

            What is returned is saved: a dict with str keys item by item, anything else but
            None as the artifact `result`.
            """
            raise NotImplementedError(f"{type(self).__name__} has no run()")

    @classmethod
    def spec(cls, *args: Any, **kwargs: Any) -> Any:
        """A call of this class, as of a `@task` function: its arguments may be specs.

        Args:
            *args: The parameters of `run`, then those of `__init__` (or the fields), in order.
            **kwargs: The same by name.

        Returns:
            A `Call`, a spec.

        Raises:
            CallError: they do not fit.
            SpecError: one of them has the wrong type, or no text that stays.
        """
        # specs stand above tasks: they are looked up when they are asked for
        return importlib.import_module("flowlib.functions").class_call(cls, args, kwargs)

    @property
    def duration(self) -> timedelta | None:
        """How long it ran, or has been running."""
        if self.started is None:
            return None
        return (self.ended or datetime.now(UTC)) - self.started

    @property
    def unique_config_hash(self) -> str:
        """The first 8 characters of the key."""
        return context_of(self).address.key[:8]

    @property
    def info(self) -> TaskInfo:
        """The most important facts, ready to be serialised."""
        from flowlib.info import TaskInfo  # pydantic is loaded only if asked for

        return TaskInfo(
            project_name=self.project_name,
            run_name=self.run_name,
            state=self.state,
            started=self.started,
            ended=self.ended,
            duration=self.duration,
            run_history=self.run_history,
            sweep_counter=self.sweep_counter,
            unique_config_hash=self.unique_config_hash,
            id=self.id,
        )

    @property
    def run_dir(self) -> Path:
        """A folder of this attempt's own, made when first asked for.

        Raises:
            StoreWithoutFiles: the store of the run keeps no files.
        """
        return context_of(self).attempt.run_dir

    @property
    def checkpoint_dir(self) -> Path:
        """A folder that later attempts of this node find again, made when first asked for.

        What is in it is handed on when the node is tried again or taken over by another run. It
        is emptied when the node is forced, and deleted when it has finished.

        Raises:
            StoreWithoutFiles: the store of the run keeps no files.
        """
        return context_of(self).attempt.checkpoint_dir

    def should_stop(self) -> bool:
        """Whether the task should save what it has and end, because it may soon be killed.

        True when the run is being stopped, and in the last tenth of its `timeout` (at most the
        last 30 seconds). A task that ends early raises KeyboardInterrupt, so that it does not
        count as finished: it was killed, or has timed out.
        """
        return context_of(self).should_stop()

    @property
    def node_seed(self) -> int:
        """A seed of 32 bits derived from the key: the same whenever and wherever it runs."""
        return seed_of(context_of(self).address.key)

    @property
    def logger(self) -> logging.Logger:
        """A logger with the name of the node."""
        return logging.getLogger(f"flowlib.task.{self.unique_name}")

    def save(self, obj: object, name: str, type_: str | None = None, **kwargs: Any) -> None:
        """Save an artifact of this task.

        Args:
            obj: The value.
            name: Its name, unique in this task; saving again replaces.
            type_: Name of a codec; None lets the value decide.
            **kwargs: Options of the store and of the codec.
        """
        context_of(self).attempt.save(obj, name, type_, **kwargs)

    def load(
        self,
        name: str,
        task_name: str | None = None,
        task_unique_config: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Load an artifact of this task, or of another one if that is named."""
        context = context_of(self)
        if task_name is None and task_unique_config is None:
            return context.attempt.load(name, **kwargs)
        config = self.unique_config if task_unique_config is None else task_unique_config
        return context.results_store.load(
            name, task_name=task_name or self.name, task_unique_config=config, **kwargs
        )

    def open(
        self,
        name: str | None = None,
        task_name: str | None = None,
        task_unique_config: Mapping[str, object] | None = None,
        mode: str | None = None,
        promise: Promise | None = None,
        type_: str | None = None,
        sub_dir: str | None = None,
        **open_kwargs: Any,
    ) -> File:
        """Open an artifact as a file; what is written counts when the task ends.

        Raises:
            StoreWithoutFiles: the store of the run keeps no files.
        """
        context = context_of(self)
        if task_name is None and task_unique_config is None:
            return context.attempt.open(
                name, mode or "r", type_, sub_dir=sub_dir, promise=promise, **open_kwargs
            )
        config = self.unique_config if task_unique_config is None else task_unique_config
        return context.results_store.open(
            name,
            task_name=task_name or self.name,
            task_unique_config=config,
            mode=mode,
            promise=promise,
            type_=type_,
            sub_dir=sub_dir,
            **open_kwargs,
        )

    def delete(
        self,
        name: str,
        task_name: str | None = None,
        task_unique_config: Mapping[str, object] | None = None,
    ) -> None:
        """Delete an artifact of this task, or of another one if that is named."""
        context = context_of(self)
        if task_name is None and task_unique_config is None:
            context.attempt.delete(name)
        else:
            config = self.unique_config if task_unique_config is None else task_unique_config
            context.results_store.delete(
                name, task_name=task_name or self.name, task_unique_config=config
            )

    def delete_run(
        self,
        task_name: str | None = None,
        task_unique_config: Mapping[str, object] | None = None,
    ) -> None:
        """Delete what this attempt has saved so far, or all results of another task."""
        context = context_of(self)
        if task_name is None and task_unique_config is None:
            for name in context.attempt.names:
                context.attempt.delete(name)
        else:
            config = self.unique_config if task_unique_config is None else task_unique_config
            context.results_store.delete_run(
                task_name=task_name or self.name, task_unique_config=config
            )

    def get_store_context(
        self,
        task_name: str | None = None,
        task_unique_config: Mapping[str, object] | None = None,
    ) -> StoreContext:
        """The folder and the counter of this task, or of another one if that is named."""
        context = context_of(self)
        if task_name is not None or task_unique_config is not None:
            config = self.unique_config if task_unique_config is None else task_unique_config
            return context.results_store.get_context(
                task_name=task_name or self.name, task_unique_config=config
            )
        try:
            folder = str(context.attempt.run_dir)
        except StoreWithoutFiles:
            folder = None
        return StoreContext(run_dir=folder, sweep_counter=self.sweep_counter)


class FunctionTask(Task):
    """What a function sees as `task`."""

    def __init__(self, function: Callable[..., object]) -> None:
        self.run = function


def with_context(task: Task, context: TaskContext) -> None:
    """Give `task` its context; comes before its `__init__`."""
    task.__dict__["_flowlib_context"] = context


_INTERNAL = ("shared_dir", "validate", "restore", "from_spec")


def protected_names() -> frozenset[str]:
    """Config keys that would hide an attribute of `Task`."""
    return frozenset(n for n in vars(Task) if not n.startswith("_")) | {*_INTERNAL, "required_by"}


def main_name() -> str:
    """The name under which `__main__` counts: the stem of the script, or `__main__`."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(path).stem if path else "__main__"
