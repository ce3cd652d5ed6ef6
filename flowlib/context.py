"""What user code is given while it runs: `Task`, and the context behind its attributes."""

from __future__ import annotations

import importlib
import logging
from abc import ABC
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from flowlib.running import FromContext, Neighbour, context_of, seed_of
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

    from typing_extensions import TypeVar

    from flowlib.info import TaskInfo

    T_co = TypeVar("T_co", covariant=True, default=Any)
else:
    from typing import TypeVar

    T_co = TypeVar("T_co", covariant=True)


class Task(ABC, Generic[T_co]):
    """A computation. Derive from it, take the config in `__init__`, compute in `run`.

    Annotated fields do instead of an `__init__`. `Task[Path]` tells type checkers what it gives.
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
        run: Callable[..., T_co | None]  # where `restore` gives the value, it may give none
    else:

        def run(self, **results: Any) -> Any:
            """Compute. Artifacts of the predecessors arrive by name.

            What is returned is saved: a dict with str keys item by item, anything else but
            None as the artifact `result`.
            """
            raise NotImplementedError(f"{type(self).__name__} has no run()")

    def restore(self) -> T_co:
        """The value of its result, in place of what `run` returned: define it to load files.

        It is asked whenever the value is: `result()` of specs, calls that read it. The folder
        `run_dir`, `load` and its parameters are there as they were.
        """
        raise NotImplementedError(f"{type(self).__name__} has no restore()")

    def validate(self) -> bool:
        """Whether its stored result still counts: define it to look at files, for example.

        It is asked when a plan finds a result; False, or an exception, makes it run again.
        """
        return True

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

        return TaskInfo(**{name: getattr(self, name) for name in TaskInfo.model_fields})

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

    @property
    def shared_dir(self) -> Path:
        """A folder that all configs of this task share, made when first asked for.

        Nothing in it belongs to a result: it is never cleared, copied or collected. Tasks that
        run at once write to it at once.

        Raises:
            StoreWithoutFiles: the store of the run keeps no files.
        """
        context = context_of(self)
        return context.results_store.shared_folder(context.address.task)

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
        other = self._named(task_name, task_unique_config)
        return context.results_store.load(name, **other, **kwargs)

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
        other = self._named(task_name, task_unique_config)
        return context.results_store.open(
            name,
            **other,
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
            context.results_store.delete(name, **self._named(task_name, task_unique_config))

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
            context.results_store.delete_run(**self._named(task_name, task_unique_config))

    def get_store_context(
        self,
        task_name: str | None = None,
        task_unique_config: Mapping[str, object] | None = None,
    ) -> StoreContext:
        """The folder and the counter of this task, or of another one if that is named."""
        context = context_of(self)
        if task_name is not None or task_unique_config is not None:
            return context.results_store.get_context(**self._named(task_name, task_unique_config))
        try:
            folder = str(context.attempt.run_dir)
        except StoreWithoutFiles:
            folder = None
        return StoreContext(run_dir=folder, sweep_counter=self.sweep_counter)

    def _named(self, name: str | None, config: Mapping[str, object] | None) -> dict[str, Any]:
        """What a store calls a task, where one of both or none is named."""
        own = self.unique_config if config is None else config
        return {"task_name": name or self.name, "task_unique_config": own}


def protected_names() -> frozenset[str]:
    """Config keys that would hide an attribute of `Task`."""
    own = {name for name in vars(Task) if not name.startswith("_")}
    return frozenset(own | {"from_spec", "required_by"})
