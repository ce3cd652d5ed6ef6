"""How does a plan run here and now, without a run's folder, view or log?"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from flowlib.carrying_out import (
    carry_out,
    check_executor,
    check_options,
    chosen_executor,
    demands_of,
    started_workers,
)
from flowlib.configuration import settings
from flowlib.errors import RunError
from flowlib.events import Event, Waiting
from flowlib.executor import ExecutorSetup
from flowlib.flow_running import end_of_run
from flowlib.interrupts import Interrupts
from flowlib.jobs import JobMaker
from flowlib.launch import checked_store
from flowlib.left_open import LeftOpen
from flowlib.node import Node
from flowlib.origin_texts import recorded_origin
from flowlib.plan import Plan
from flowlib.plan_facts import workers_for
from flowlib.resources import pool_of
from flowlib.results import Run
from flowlib.run_identity import UNCATEGORIZED, RunIdentity
from flowlib.run_means import RunMeans
from flowlib.run_progress import RunProgress
from flowlib.store_choice import task_around
from flowlib.tolerance import OnFailure
from stores import Owner, ResultsStore, TaskState

_log = logging.getLogger("flowlib")

DIRECT: Final = "direct"
"""The name of the run in records that direct calls have made."""

_ORIGIN_S: Final = 60.0
"""Direct calls within this time count as one run: where results come from is found out once."""


def run_directly(
    plan: Plan, wanted: Iterable[Node], executor: object = None, left_open: LeftOpen | None = None
) -> Run:
    """Run what is missing: in this process, one after the other, if nothing else is asked for.

    Args:
        plan: What is missing, and where it goes.
        wanted: What is asked for: if all of it succeeds, no other failure is raised.
        executor: As of `Flow.run`.
        left_open: Takes a Future that the task which was asked for returns, if it runs in this
            process; None waits for it.

    Raises:
        FlowError: something is asked for that cannot be; nothing was run then.
        Exception: the exception of the first task that failed, unless all is there that is wanted.
        KeyboardInterrupt: Ctrl-C.
    """
    _refuse_circle(plan)
    known, store = settings(), checked_store(plan.store)
    pool, owner = pool_of(None, os.environ), Owner.of_this_process()
    demands = demands_of(plan, pool, None)
    with _InsideOfTask() if task_around() else Interrupts() as interrupts:
        chosen = chosen_executor(executor)
        check_executor(chosen, plan)
        number = workers_for(plan.graph, chosen.own_workers) if chosen else 1
        setup = ExecutorSetup(store, number, None, owner, interrupts, known, None, left_open)
        workers = started_workers(chosen, setup, plan.graph, pool)
        check = functools.partial(check_options, chosen)
        means = RunMeans(
            store, workers, pool, demands, owner, interrupts, known, check_options=check
        )
        identity = RunIdentity(UNCATEGORIZED, DIRECT)
        kind = type(workers).__module__.rpartition(".")[2]
        origin = _origin(store, kind, os.getpid(), int(time.monotonic() // _ORIGIN_S))
        jobs = JobMaker(plan, identity, origin)
        state = carry_out(plan, jobs, means, None if _is_tolerant(plan) else 1, _say)
    run = Run(jobs.plan, store, identity, state, frozenset(), RunProgress())
    has_failed = any(run.state_of(node) is not TaskState.FINISHED for node in wanted)
    return end_of_run(run, exit_on_error=has_failed)


def _is_tolerant(plan: Plan) -> bool:
    """Whether something may run although what it reads has failed."""
    tolerances = {node.declaration.options.tolerance for node in plan.to_run}
    return any(each.on_failure is not OnFailure.FAIL for each in tolerances)


def _refuse_circle(plan: Plan) -> None:
    """A task that waits for itself would wait for ever."""
    around = task_around()
    if around is None:
        return
    for node in plan.to_run:
        if node.key in around.computing:
            raise RunError(
                f"{node.unique_name} ({node.address}) needs its own result, which {around.address} "
                f"asks for while it is computed: a task cannot wait for itself"
            )


@functools.lru_cache(maxsize=2)
def _origin(store: ResultsStore, executor: str, pid: int, minute: int) -> Mapping[str, object]:
    return recorded_origin(store, executor)


def _say(event: Event) -> None:
    """Log that another process computes what is asked for, and how long it has been waited for."""
    if isinstance(event, Waiting):
        since = f", for {event.waited_s:.0f} s" if event.waited_s else ""
        _log.info("waiting%s: %s", since, event.owner)


class _InsideOfTask(Interrupts):
    """The run around the task hears the signals; what ends the task ends what it computes."""

    def __enter__(self) -> Interrupts:
        return self

    @contextlib.contextmanager
    def of_task(self, yields: Callable[[], bool]) -> Iterator[None]:
        try:
            with super().of_task(yields):
                yield
        except KeyboardInterrupt:
            self._note(signal.SIGINT)
            raise
