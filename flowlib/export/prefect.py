"""
How does Prefect 3 run a flow? As a flow of its own, with one task for each task.

    finished          Completed
    cached            Cached
    failed            Failed, or TimedOut; tried again by Prefect as often as the spec allows
    upstream failed   NotReady; above a task that bears failures UpstreamFailed, as that one waits
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowlib.credentials import without_secrets
from flowlib.errors import MissingExtra
from flowlib.export.execution import StepCommand
from flowlib.export.steps import Engine, Step, Steps, note_unknown, steps_of
from flowlib.export.store_place import place_of
from flowlib.flow import Flow
from stores import ResultsStore

if TYPE_CHECKING:
    from prefect import Flow as PrefectFlow

_MOST_DELAYS: Final = 50
"""Prefect takes no more; the last one counts for all that follow."""

_UPSTREAM_FAILED: Final = "UpstreamFailed"


def to_flow(
    flow: Flow,
    results_store: ResultsStore | str | None = None,
    *,
    name: str | None = None,
    **options: Any,
) -> PrefectFlow[..., Any]:
    """A flow of Prefect that runs a flow; the graph is recorded in the store now.

    Calling it gives the ids of all tasks by their names; their results are in the store.

    Args:
        flow: It. `executor_options={"prefect": {…}}` of its specs are given to `Task.with_options`.
        results_store: Where results live, or its URI; None is the store of the flow, or of the
            settings. Processes that Prefect starts have to reach it.
        name: Of Prefect's flow; None is the project.
        **options: For `prefect.flow`: `task_runner`, `timeout_seconds`, …. Without a task runner
            as many tasks run at once as this machine has processors.

    Raises:
        MissingExtra: Prefect is not installed.
        RunError: other processes cannot reach a store, or an option is unknown.
        SpecError: a task or a value cannot be sent to another process, or is a secret.
        StoreError: the store cannot be written.
    """
    prefect = _module()
    known = frozenset(inspect.signature(prefect.Task.with_options).parameters) - {"self"}
    place = place_of(flow, results_store)
    steps = steps_of(flow, place, Engine("Prefect", "prefect", known))
    note_unknown(
        "Prefect", "resources (limit their tasks by tags)",
        (step.address.task for step in steps.all if step.demand),
    )  # fmt: skip
    tasks = [_task(prefect, step, steps) for step in steps.all]
    runner = prefect.task_runners.ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1)
    chosen = {"task_runner": runner, "name": name or steps.name, **options}
    made: PrefectFlow[..., Any] = prefect.flow(_running(steps, tasks), **chosen)
    return made


def _running(steps: Steps, tasks: Sequence[Any]) -> Callable[[], Any]:
    """What a flow of Prefect does: it submits all tasks, and waits for them."""
    waiting = steps.above_tolerant()

    def run() -> Any:
        futures: dict[str, Any] = {}
        for step, task in zip(steps.all, tasks, strict=True):
            reads = [futures[key] for key in step.reads]
            futures[step.address.key] = _submitted(
                task, reads, answers=step.is_tolerant or step.address.key in waiting
            )
        for future in futures.values():
            future.wait()
        return _end({step: futures[step.address.key].state for step in steps.all})

    return run


def _submitted(task: Any, reads: Sequence[Any], *, answers: bool) -> Any:
    """A task that waits for what it reads; one that answers in any case is told how that ended."""
    from prefect import allow_failure

    if answers:
        return task.submit([allow_failure(each) for each in reads])
    return task.submit(wait_for=reads)


def _task(prefect: Any, step: Step, steps: Steps) -> Any:
    """The task of Prefect for one of ours."""
    from prefect.states import Completed, Failed

    command = StepCommand(step.address, step.words, steps.place.variables)
    is_tolerant = step.is_tolerant

    def execute(reads: Sequence[object] = ()) -> Any:
        if not is_tolerant and any(isinstance(each, BaseException) for each in reads):
            message = "not run: something that it reads has failed"
            return Failed(name=_UPSTREAM_FAILED, message=message, data=RuntimeError(message))
        is_computed = command.run(prefect.get_run_logger().info)
        where = without_secrets(f"{command.address} in {steps.place.store!r}")[0]
        if is_computed:
            return Completed(message=where, data=step.id)
        return Completed(name="Cached", message=where, data=step.id)

    return prefect.task(execute, **_usual(step)).with_options(**step.told("prefect"))


def _usual(step: Step) -> Mapping[str, Any]:
    """What the options of a spec are to Prefect."""
    from prefect.cache_policies import NO_CACHE

    options, name = step.options, step.name
    pauses = [options.retries.pause_after(n + 1) for n in range(min(step.retries, _MOST_DELAYS))]
    return {
        "name": step.address.task,
        "task_run_name": lambda: name,
        "tags": set(options.tags),
        "retries": step.retries,
        "retry_delay_seconds": pauses if any(pauses) else None,
        "retry_condition_fn": _is_worth_a_try,
        "cache_policy": NO_CACHE,
        "persist_result": False,
    }


def _is_worth_a_try(task: Any, run: Any, state: Any) -> bool:
    return bool(state.name != _UPSTREAM_FAILED)


def _end(states: Mapping[Step, Any]) -> Any:
    """The last state of a flow of Prefect."""
    from prefect.states import Completed, Failed

    missing = {step: state for step, state in states.items() if not state.is_completed()}
    if not missing:
        cached = sum(state.name == "Cached" for state in states.values())
        message = f"{len(states)} tasks: {len(states) - cached} finished, {cached} cached"
        return Completed(message=message, data={step.name: step.id for step in states})
    failed = [
        step.name
        for step, state in missing.items()
        if state.is_final() and state.name != _UPSTREAM_FAILED
    ]
    rest = len(missing) - len(failed)
    message = f"{len(failed)} of {len(states)} tasks failed: {', '.join(failed)}"
    return Failed(message=f"{message}; {rest} not run" if rest else message)


def _module() -> Any:
    try:
        import prefect
        import prefect.task_runners
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "prefect":
            raise
        raise MissingExtra(
            "an export to Prefect needs it: pip install 'flowlib-runner[prefect]'"
        ) from None
    return prefect
