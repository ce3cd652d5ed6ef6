"""How is a plan carried out? By workers that can do what its specs ask for, to the end."""

from __future__ import annotations

import concurrent.futures
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowlib.declaration import Declaration
from flowlib.demands import Demand
from flowlib.errors import RunError, nearest
from flowlib.events import Event
from flowlib.executor import Executor, ExecutorSetup, Workers, executors
from flowlib.graph import TaskGraph
from flowlib.labels import TaskRefs
from flowlib.plan import Plan
from flowlib.resources import ResourcePool
from flowlib.run_options import RunOptions
from flowlib.scarcity import notes_on

if TYPE_CHECKING:
    from flowlib.jobs import JobMaker
    from flowlib.run_means import RunMeans
    from flowlib.run_state import RunState

_log = logging.getLogger("flowlib")


def demands_of(plan: Plan, pool: ResourcePool, workers: int | None) -> dict[Declaration, Demand]:
    """What each spec needs of the resources of a run.

    Args:
        plan: What is run.
        pool: The resources.
        workers: How many there are; None if nobody has said so.

    Raises:
        ResourceError: the resources can never meet a demand.
    """
    left_out = plan.left_out
    wanted = {node.declaration: None for node in plan.graph if node.key not in left_out}
    demands = {each: pool.demand(each.name, each.options.resources) for each in wanted}
    for note in notes_on(pool, demands.values(), workers):
        _log.warning("%s", note)
    return demands


def chosen_executor(executor: object) -> Executor | None:
    """What the user has picked, if anything.

    Args:
        executor: A name, an executor, or a pool of `concurrent.futures`.

    Raises:
        UnknownPlugin: no executor has this name.
        TypeError: it is something else.
    """
    if executor is None or isinstance(executor, Executor):
        return executor
    if isinstance(executor, str):
        return executors.find(executor)()
    if isinstance(executor, concurrent.futures.Executor):
        from flowlib.executors.futures import FuturesExecutor  # wanted seldom

        return FuturesExecutor(executor)
    raise TypeError(
        f"executor is {executor!r}: give a name ({', '.join(executors.names)}), an Executor, or a "
        f"pool of concurrent.futures"
    )


def started_workers(
    chosen: Executor | None, setup: ExecutorSetup, graph: TaskGraph, pool: ResourcePool
) -> Workers:
    """The workers of a run.

    Args:
        chosen: Whose they are; None: this process if that is enough for one worker.
        setup: What they are started with.
        graph: What its specs ask for decides.
        pool: The resources of the run.

    Raises:
        RunError: the executor cannot do what a spec asks for.
    """
    wanted = _wanted_of_crew(graph, pool)
    crew = (chosen or executors.find(_usual(setup.num_workers, wanted))()).start(setup)
    try:
        _check_crew(crew, type(chosen).__name__, wanted)
    except BaseException:
        crew.close(now=True)
        raise
    return crew


def start_ahead(
    plan: Plan,
    options: RunOptions,
    chosen: Executor | None,
    num_workers: int,
    pool: ResourcePool,
) -> None:
    """Begin with what takes longest, if something will run: what comes next is done meanwhile.

    That is the server that forks workers, where they are forked. `crew_of` would start it, too.

    Args:
        plan: What is run.
        options: The arguments of the run.
        chosen: Whose the workers are; None: nobody has picked an executor.
        num_workers: How many there are.
        pool: The resources of the run.
    """
    if not plan.reasons or options.snapshot is True:  # processes that import other code
        return
    from flowlib.fork_server import default_start_method, start_fork_server

    usual = _usual(num_workers, _wanted_of_crew(plan.graph, pool))
    kind = usual if chosen is None else chosen.options_name
    if kind == "processes" and (options.start_method or default_start_method()) == "forkserver":
        start_fork_server()


def _wanted_of_crew(graph: TaskGraph, pool: ResourcePool) -> tuple[bool, bool, bool]:
    """Whether workers must know timeouts, fresh processes, hidden devices."""
    options = [each.options for each in graph.declarations]
    has_timeout = any(each.timeout_s is not None for each in options)
    return has_timeout, any(each.fresh_process for each in options), pool.has_devices


def _usual(num_workers: int, wanted: tuple[bool, bool, bool]) -> str:
    """The executor where nobody has picked one."""
    return "inline" if num_workers == 1 and not any(wanted) else "processes"


def crew_of(
    stack: ExitStack,
    options: RunOptions,
    setup: ExecutorSetup,
    chosen: Executor | None,
    graph: TaskGraph,
    pool: ResourcePool,
) -> tuple[Workers, dict[str, Any]]:
    """The workers of a run, and where its results come from.

    Args:
        stack: When it ends, what a snapshot has moved is moved back.
        options: The arguments of the run.
        setup: What the workers are started with.
        chosen: Whose they are; None: nobody has picked an executor.
        graph: What its specs ask for decides.
        pool: The resources of the run.

    Raises:
        RunError: the executor cannot do what a spec asks for.
    """
    from flowlib.origin_texts import recorded_origin, with_executor

    store, wanted, again = setup.store, options.snapshot, options.command.again(setup.store)
    if wanted is False:
        crew = started_workers(chosen, setup, graph, pool)
        return crew, recorded_origin(store, type(crew).__module__, again)
    from flowlib.code_snapshot import imported_from, take_snapshot  # wanted seldom

    snapshot = take_snapshot(store) if wanted is True else wanted
    origin = recorded_origin(store, "", again, snapshot.facts)  # before the code is elsewhere
    if wanted is True and type(chosen).__module__.endswith("processes"):
        setup = replace(setup, start_method="spawn")  # what is forked has imported other code
        stack.enter_context(imported_from(snapshot, store))
    crew = started_workers(chosen, setup, graph, pool)
    return crew, with_executor(origin, type(crew).__module__)


def _check_crew(crew: Workers, name: str, wanted: tuple[bool, bool, bool]) -> None:
    """See to it that workers can do what is wanted: timeouts, fresh processes, hidden devices."""
    has_timeout, wants_fresh, has_devices = wanted
    if has_timeout and not crew.can_kill:
        raise RunError(
            f'{name} cannot end a running task, but a spec has a timeout: use executor="processes"'
        )
    if wants_fresh and not crew.has_fresh_processes:
        raise RunError(
            f"{name} cannot run a task in a process of its own, but a spec has "
            f'fresh_process=True: use executor="processes"'
        )
    if has_devices and not crew.has_environments:
        raise RunError(
            f"{name} cannot hide the GPUs that a task was not leased: use "
            f'executor="processes", or give objects such as resources=["cuda:0"]'
        )


def check_executor(chosen: Executor | None, plan: Plan) -> None:
    """Look at what the executor needs, and at what specs tell it, before a run begins.

    Args:
        chosen: The executor of the run; None: nobody has picked one, and all is well.
        plan: What is run; if that is nothing, nobody is needed.

    Raises:
        RunError: a package is not installed, or the executor does not know what it is told.
    """
    if chosen is None or not plan.reasons:
        return
    chosen.check_installed()
    for each in plan.graph.declarations:
        check_options(chosen, each)


def check_options(chosen: Executor | None, declaration: Declaration) -> None:
    """Look at what a spec tells executors, before any of its tasks starts.

    A name that no executor has is refused where it looks like a slip: others may be elsewhere.

    Args:
        chosen: The executor of the run; None: nobody has picked one, and all is well.
        declaration: Of the spec.

    Raises:
        RunError: the executor does not know what it is told.
    """
    if chosen is None:
        return
    own, where = chosen.options_name, f"executor_options of {declaration.name}"
    for name, told in declaration.options.executor_options.items():
        if name == own:
            try:
                chosen.check(told)
            except ValueError as error:
                raise RunError(f"{where} for {name}: {error}") from error
        elif name not in executors.names and (hint := nearest(name, [*executors.names, own])):
            raise RunError(f"{where}: no executor is called {name!r}.{hint}")


def carry_out(
    plan: Plan,
    jobs: JobMaker,
    means: RunMeans,
    max_failures: int | None,
    tell: Callable[[Event], object],
    refs: TaskRefs | None = None,
) -> RunState:
    """Run to the end, whatever happens; no worker is left behind.

    Args:
        plan: What is run.
        jobs: Makes its jobs.
        means: What the run works with; the workers are closed.
        max_failures: After how many failures no new nodes start; None is never.
        tell: Told every event as it happens.
        refs: What names the nodes, if somebody has that already.
    """
    from flowlib.runner import Runner  # a run of which all is cached needs none of it

    refs = refs or TaskRefs(plan.graph.by_spec)
    runner = Runner(plan.to_run, jobs, means, refs, max_failures=max_failures)
    is_orderly = False
    try:
        for event in runner.events():
            tell(event)
        is_orderly = True
    finally:
        means.workers.close(now=not is_orderly)
    runner.state.stopped_by = means.interrupts.number
    return runner.state
