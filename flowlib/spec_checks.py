"""Do the arguments of a spec make sense? Each is checked as soon as the spec is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flowlib.amounts import amounts_of
from flowlib.context import Task, protected_names
from flowlib.decorated import Decorated, function_of
from flowlib.errors import SpecError
from flowlib.signature import is_task_class


def check_mappings(spec: object, **options: object) -> None:
    """Refuse a name that is no text, and options that are no mappings by parameter.

    Raises:
        SpecError: one of them is something else.
    """
    if not isinstance(spec, str):
        raise SpecError(f"the name of a spec is text, not {spec!r}")
    for option, value in options.items():
        if value is None:
            continue
        if not isinstance(value, Mapping):
            raise SpecError(f"{spec}: {option} is a mapping by name, not {value!r}")
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise SpecError(f"{spec}: the keys of {option} are parameter names, not {wrong[0]!r}")


def checked_demand(
    spec: str, resources: Mapping[str, float | str] | None
) -> Mapping[str, float | str] | None:
    """What a spec needs, copied.

    Raises:
        SpecError: a value is no amount.
    """
    if resources is None:
        return None
    amounts_of(spec, resources)
    return dict(resources)


def refuse_protected(spec: str, task: object, names: Iterable[str]) -> None:
    """Refuse parameters that would hide what a running task has.

    Raises:
        SpecError: there are some.
    """
    protected = protected_names() if is_task_class(task) else frozenset({"task"})
    if clash := sorted(protected & {*names}):
        raise SpecError(
            f"{spec}: the config keys {', '.join(clash)} are protected: a task has "
            f"attributes of these names. Please rename them"
        )


def check_task(task: object) -> None:
    """Refuse what can be no task.

    Raises:
        SpecError: it has no `run`, or one that has to be awaited.
        TypeError: it is neither a task class nor a function.
    """
    if is_task_class(task) or inspect.isfunction(task) or isinstance(task, Decorated):
        known: Any = task
        run = known.run if is_task_class(task) else function_of(task)
        if run is vars(Task)["run"]:
            raise SpecError(f"{task.__name__} has no run(): a task computes in it")
        if inspect.iscoroutinefunction(run) or inspect.isasyncgenfunction(run):
            raise SpecError(
                f"{task.__name__} is async, but a task is called, not awaited: "
                f"write a plain function that calls asyncio.run(...)"
            )
        return
    raise TypeError(
        f"{task!r} needs to be a class derived from Task or a function, but it is of type "
        f"{type(task).__name__!r}: write a function that calls it"
    )


def name_of(task: Callable[..., object], given: object = None) -> str:
    """The name of a spec.

    Args:
        task: Of which it is the name, if its user gave none.
        given: What the user gave.

    Raises:
        SpecError: the task has no name that stays, or what was given is none.
    """
    if given is not None:
        if isinstance(given, str) and given:
            return given
        raise SpecError(f"{task.__name__}: a name is text that is not empty, not {given!r}")
    name = task.__name__
    if name == "<lambda>":
        raise SpecError(
            "a lambda has no stable name: give one, TaskSpec(..., name=...) or @task(name=...)"
        )
    if "<locals>" in task.__qualname__:
        raise SpecError(
            f"{task.__qualname__} is defined inside a function, so its name is not stable: "
            f"give one, TaskSpec(..., name=...) or @task(name=...), or move it to the top of its "
            f"module"
        )
    return name


def reduce_of(reduce: bool | Sequence[str] | None) -> bool | tuple[str, ...]:
    """What a spec's `reduce` means.

    Raises:
        SpecError: it is neither a truth nor a list of names.
    """
    if isinstance(reduce, str):
        return (reduce,)
    if isinstance(reduce, (bool, type(None))):
        return bool(reduce)
    is_list = isinstance(reduce, Sequence) and all(isinstance(each, str) for each in reduce)
    if not is_list or not reduce:
        raise SpecError(
            f"reduce is True, or a list of the parameters to gather over, not {reduce!r}"
        )
    return tuple(reduce)


def store_name_of(spec: str, store: object) -> str | None:
    """What a spec's `store` means.

    Raises:
        SpecError: it is no name.
    """
    if store is None or (isinstance(store, str) and store):
        return store
    raise SpecError(
        f'{spec}: store is {store!r}; give the name of a store, store="git", and the store itself '
        f'where the flow runs: Flow.run(stores={{"git": …}})'
    )


def executor_options_of(spec: str, options: object) -> Mapping[str, Mapping[str, object]]:
    """What a spec's `executor_options` mean, copied.

    Raises:
        SpecError: they are no mapping from the names of executors to mappings.
    """
    if options is None:
        return {}
    held = options.values() if isinstance(options, Mapping) else [options]
    if not isinstance(options, Mapping) or not all(isinstance(each, Mapping) for each in held):
        raise SpecError(
            f"{spec}: executor_options is {options!r}; give a mapping for each executor, "
            f'{{"ray": {{"num_cpus": 2}}}}'
        )
    check_mappings(spec, executor_options=options)
    return {name: dict(each) for name, each in options.items()}


def hooks_of(spec: str, before: object) -> tuple[Callable[[Task], object], ...]:
    """What a spec's `before` means.

    Raises:
        SpecError: something cannot be called, or not with a task.
    """
    hooks = tuple(before) if isinstance(before, Iterable) else (before,)
    for hook in hooks:
        if not callable(hook):
            raise SpecError(f"{spec}: before has {hook!r}, which cannot be called")
        try:
            inspect.signature(hook).bind(None)
        except TypeError as error:
            raise SpecError(
                f"{spec}: before has {hook!r}, which cannot be called with the task: {error}"
            ) from None
        except ValueError:  # built-in functions may have no signature
            continue
    return hooks
