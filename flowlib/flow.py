"""The front door: specs in, a graph to look at, a plan to check, a run to wait for."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup, executors
from flowlib.graph import TaskGraph, build_graph
from flowlib.graph_views import spec_graph_view, task_graph_view
from flowlib.jobs import JobMaker
from flowlib.node import Node
from flowlib.plan import Plan, make_plan
from flowlib.process_worker import NO_MAIN_GUARD
from flowlib.resources import ResourcePool, pool_of
from flowlib.results import Run
from flowlib.run_identity import RunIdentity
from flowlib.run_names import new_run_name
from flowlib.run_state import RunState
from flowlib.runner import Runner
from flowlib.spec import TaskSpec
from flowlib.view import RunView, View, views
from stores import InMemoryStore, Owner, ResultsStore, TaskState

if TYPE_CHECKING:
    from networkx import DiGraph


class Flow:
    """A graph of tasks: look at it, plan it, run it, as often as wanted.

    Args:
        tasks: The specs; those they require are added by themselves.
        config_ignore_prefix: For specs that have none: keys that begin with it are no part of
            the identity.
        config_group_prefix: For specs that have none: marks lists that vary in lockstep.

    Raises:
        FlowError: the specs do not form a graph, or a config does not fit its task.
    """

    def __init__(
        self,
        tasks: Sequence[TaskSpec],
        config_ignore_prefix: str | None = None,
        config_group_prefix: str | None = None,
    ) -> None:
        self._graph = build_graph(
            list(tasks), ignore_prefix=config_ignore_prefix, group_prefix=config_group_prefix
        )
        self._last_run: Run | None = None

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} ×{len(nodes)}" for name, nodes in self._graph.by_spec.items())
        return f"<Flow of {self.num_tasks} tasks: {counts}>"

    @property
    def num_tasks(self) -> int:
        """The number of nodes."""
        return len(self._graph)

    @property
    def graph(self) -> TaskGraph:
        """The nodes and what they read from."""
        return self._graph

    @property
    def task_graph(self) -> DiGraph[Any]:
        """A networkx view of the nodes; the attribute `task` tells about each."""
        return task_graph_view(self._graph, self._state_of)

    @property
    def task_spec_graph(self) -> DiGraph[Any]:
        """A networkx view of the specs."""
        return spec_graph_view(self._graph)

    def plan(
        self,
        force: str | Sequence[str] | None = None,
        results_store: ResultsStore | None = None,
    ) -> Plan:
        """What would run, and why. Nothing is run or written.

        Args:
            force: As in `run`.
            results_store: Where results are looked for; without one all is to be run.

        Raises:
            SelectorError: `force` names an unknown task.
        """
        return make_plan(self._graph, results_store or InMemoryStore(), force)

    def draw(self) -> None:
        """Print the specs, what they require and how many nodes they have."""
        for name, nodes in self._graph.by_spec.items():
            sources = ", ".join(self._graph.spec_edges[name])
            arrow = f"  ← {sources}" if sources else ""
            sys.stdout.write(f"{name} ×{len(nodes)}{arrow}\n")

    def run(
        self,
        num_workers: int | None = None,
        resources: Any = None,
        start_method: str | None = None,
        exit_on_error: bool = True,
        log_to_tmux: bool = False,
        max_panes_per_window: int = 4,
        force: str | Sequence[str] | None = None,
        project_name: str = "uncategorized",
        run_name: str | None = None,
        results_store: ResultsStore | None = None,
        return_results: str | None = "all",
        *,
        executor: str | None = None,
        progress: str | None = None,
    ) -> Run:
        """Run what is not in the store yet.

        Args:
            num_workers: How many tasks run at once; None is the number of CPUs, at most the
                widest level of the graph. One worker runs in this process.
            resources: A list of objects, each leased to one task at a time; or a mapping of
                kinds to amounts.
            start_method: How worker processes start; None is the best of the platform.
            exit_on_error: Whether the first failure keeps new tasks from starting and is raised
                when the running ones have ended. Otherwise independent branches go on.
            log_to_tmux: Whether each worker's log is shown in a pane of tmux.
            max_panes_per_window: How many panes a tmux window holds.
            force: "all", a task name or a list of names to run again; `Name+` adds everything
                downstream.
            project_name: Name of the project.
            run_name: Name of the run; None makes one up.
            results_store: Where results live; None is a fresh memory store.
            return_results: "all" tasks, the "latest" (those nothing reads from), or None; the
                values are loaded when touched.
            executor: "inline", "processes" or another name; None decides by `num_workers`.
            progress: Name of a view of the run: "lines"; None logs only.

        Returns:
            The run: a mapping from task name to its results.

        Raises:
            FlowError: an argument does not fit; nothing was run then.
            Exception: the exception of the first task that failed, under `exit_on_error`.
        """
        _refuse_start_in_worker()
        shown = self._shown(return_results)
        if log_to_tmux:
            raise RunError("log_to_tmux is not there yet: run with progress='lines'")
        store = results_store if results_store is not None else InMemoryStore()
        identity = RunIdentity(project_name, run_name or new_run_name())
        pool = pool_of(resources)
        plan = make_plan(self._graph, store, force)
        workers = self._worker_count(num_workers)
        runner, state, began = None, RunState(), time.monotonic()
        with ExitStack() as stack:
            watching = [stack.enter_context(view) for view in _views(progress, plan, identity)]
            if plan.reasons:
                owner = Owner.of_this_process()
                crew = self._executor(executor, ExecutorSetup(store, workers, start_method, owner))
                runner = self._runner(plan, identity, store, crew, pool, exit_on_error)
                state = runner.state
                self._last_run = Run(plan, store, identity, state, shown, 0.0)
                _drive(runner, crew, watching)
            run = Run(plan, store, identity, state, shown, time.monotonic() - began)
            self._last_run = run
            for view in watching:
                view.end(run.counts, run.duration_s)
        if state.is_interrupted:
            raise KeyboardInterrupt
        if exit_on_error:
            run.raise_for_failures()
        return run

    def _state_of(self, node: Node) -> TaskState:
        run = self._last_run
        return TaskState.PENDING if run is None else run.state_of(node)

    def _shown(self, return_results: str | None) -> frozenset[str]:
        if return_results in ("all", None):
            return frozenset(self._graph.by_spec)
        if return_results == "latest":
            read = {name for sources in self._graph.spec_edges.values() for name in sources}
            return frozenset(self._graph.by_spec) - read
        raise ValueError(
            f'return_results must be one of "all", "latest" and None, not {return_results!r}'
        )

    def _worker_count(self, wanted: int | None) -> int:
        if wanted is None:
            return max(1, min(os.cpu_count() or 1, self._graph.widest_level()))
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
            raise ValueError(f"num_workers must be 1 or more, not {wanted!r}")
        return wanted

    def _executor(self, name: str | None, setup: ExecutorSetup) -> Executor:
        has_timeout = any(
            nodes[0].declaration.options.timeout_s is not None
            for nodes in self._graph.by_spec.values()
        )
        is_inline = setup.num_workers == 1 and not has_timeout
        crew = executors.find(name or ("inline" if is_inline else "processes"))(setup)
        if has_timeout and not crew.can_kill:
            raise RunError(
                f"executor={name!r} cannot end a running task, but a spec has a timeout: "
                f'use executor="processes"'
            )
        return crew

    def _runner(
        self,
        plan: Plan,
        identity: RunIdentity,
        store: ResultsStore,
        crew: Executor,
        pool: ResourcePool,
        exit_on_error: bool,
    ) -> Runner:
        demands = {
            name: pool.demand(name, nodes[0].declaration.options.resources)
            for name, nodes in self._graph.by_spec.items()
        }
        jobs = JobMaker(plan, identity)
        owner = Owner.of_this_process()
        return Runner(
            plan.to_run, jobs, store, crew, pool, demands, owner, exit_on_error=exit_on_error
        )


def _drive(runner: Runner, crew: Executor, watching: list[RunView]) -> None:
    """Run to the end, whatever happens; no worker is left behind."""
    is_orderly = False
    try:
        for event in runner.events():
            for view in watching:
                view.show(event)
        is_orderly = True
    finally:
        crew.close(now=not is_orderly)


def _views(progress: str | None, plan: Plan, identity: RunIdentity) -> Iterable[RunView]:
    for name in ("log", progress):
        if name is not None:
            view: View = views.find(name)()
            yield view.open(plan, identity)


def _refuse_start_in_worker() -> None:
    """A worker that imports a script without a main guard must not start the flow again."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(NO_MAIN_GUARD)  # an exception would be lost on the way to the driver
