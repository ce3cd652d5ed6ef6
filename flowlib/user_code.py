"""How is the user's code called, and what becomes of what it returns?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from flowlib.context import Task
from flowlib.decorated import function_of
from flowlib.errors import RunError
from flowlib.input_values import RESULT, VALUE, InputValues, Values, is_by_name, value_fact
from flowlib.job import Assignment, Job
from flowlib.parameters import handed, task_parameters
from flowlib.running import TaskContext, with_context
from flowlib.signature import defaults_of, is_task_class
from stores import OpenAttempt, ResultsStore, canonical


def computed(assignment: Assignment, context: TaskContext, inputs: Mapping[str, object]) -> object:
    """What the task returns when it is called with what its predecessors gave."""
    run = _run_call if assignment.is_call else _run_task
    return run(assignment, context, inputs)


class FunctionTask(Task):
    """What a function sees as `task`."""

    def __init__(self, function: Callable[..., object]) -> None:
        self.run = function


def handle_of(assignment: Assignment, context: TaskContext) -> Task:
    """What functions and hooks see of the task."""
    handle = FunctionTask.__new__(FunctionTask)
    with_context(handle, context)
    FunctionTask.__init__(handle, assignment.task)
    return handle


def save_returned(returned: object, attempt: OpenAttempt) -> None:
    """Save what a task has returned: each item of a dict as an artifact, or all as one.

    Raises:
        RunError: the task has saved something of the same name itself.
    """
    if returned is None:
        return
    artifacts: Mapping[str, object] = returned if is_by_name(returned) else {RESULT: returned}
    clash = sorted(set(artifacts) & set(attempt.names))
    if clash:
        raise RunError(
            f"{attempt.address} returns {', '.join(clash)}, but has saved "
            f"{'it' if len(clash) == 1 else 'them'} already: return or save, not both"
        )
    for name, value in artifacts.items():
        attempt.save(value, name)


def save_grown(
    job: Job, store: ResultsStore, attempt: OpenAttempt, values: Values | None = None
) -> str:
    """Save what a task has returned that held specs, now that these have values.

    Args:
        job: Its last one.
        store: Where the values are.
        attempt: Of the job.
        values: Gives values where the store alone does not.

    Returns:
        What the record tells of the value.

    Raises:
        InputError: a value cannot be read, or has no such part.
    """
    grown = job.grown
    assert grown is not None  # noqa: S101  # asked for such jobs only
    grown.keep(attempt)
    reads = replace(job, config={VALUE: grown.value}, inputs=grown.inputs, failed=(), gathers=False)
    value = InputValues(reads, (), store, values).arguments()[VALUE]
    told = value_fact(value, tuple(attempt.names)) or canonical.encode(RESULT)
    save_returned(value, attempt)
    return told


def _run_task(assignment: Assignment, context: TaskContext, inputs: Mapping[str, object]) -> object:
    config = context.config
    task = assignment.task
    if is_task_class(task):
        return _instance(task, assignment, context, config).run(**inputs)
    arguments = {**inputs, **config}
    if assignment.signature.wants_task:
        arguments["task"] = handle_of(assignment, context)
    return function_of(task)(**arguments)


def _run_call(
    assignment: Assignment, context: TaskContext, arguments: Mapping[str, object]
) -> object:
    task = assignment.task
    if is_task_class(task):
        of_run = task_parameters(task)
        own = {name: value for name, value in arguments.items() if name not in of_run}
        instance = _instance(task, assignment, context, own)
        return instance.run(**{name: arguments[name] for name in of_run if name in arguments})
    function = function_of(task)
    by_position, by_name = handed(function, arguments)
    if assignment.signature.wants_task:
        by_name["task"] = handle_of(assignment, context)
    return function(*by_position, **by_name)


def _instance(
    task: type[Task], assignment: Assignment, context: TaskContext, config: Mapping[str, object]
) -> Task:
    """A task that knows its context before its `__init__` is called."""
    instance = task.__new__(task)
    with_context(instance, context)
    if assignment.signature.sets_attributes:
        _set_attributes(instance, assignment, config)
    else:
        instance.__init__(**config)  # type: ignore[misc]  # made in two steps: context first
    return instance


def _set_attributes(instance: Task, assignment: Assignment, config: Mapping[str, object]) -> None:
    known = assignment.signature
    instance.__dict__.update(defaults_of(known, config))
    instance.__dict__.update({name: config[name] for name in known.config if name in config})
