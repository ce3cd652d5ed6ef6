"""The front door: specs in, a graph to look at, a plan to check, a run to wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from flowlib.flow_arguments import (
    DrawArguments,
    RunArguments,
    ViewArguments,
    WantedArguments,
    refuse_unknown,
)
from flowlib.graph import TaskGraph, build_graph
from flowlib.next_commands import NO_COMMAND
from flowlib.node import Node
from flowlib.run_identity import UNCATEGORIZED
from flowlib.spec import TaskSpec
from stores import ResultsStore, TaskState

if TYPE_CHECKING:
    from networkx import DiGraph

    from flowlib.accepting import Accepted
    from flowlib.drawing_bokeh import GraphPage
    from flowlib.graph_export import Form, GraphExport
    from flowlib.plan import Plan
    from flowlib.results import Run


class Flow:
    """A graph of tasks: look at it, plan it, run it, as often as wanted.

    Args:
        tasks: The specs; those they require are added by themselves.
        config_ignore_prefix: For specs that have none: keys that begin with it are no part of
            the identity.
        config_group_prefix: For specs that have none: marks lists that vary in lockstep.

    Attributes:
        results_store: Where results live if `run` and `plan` name no other store.
        command: The words of the command that runs it; `from_file` knows them.

    Raises:
        FlowError: the specs do not form a graph, or a config does not fit its task.
    """

    def __init__(
        self,
        tasks: Sequence[TaskSpec],
        config_ignore_prefix: str | None = None,
        config_group_prefix: str | None = None,
    ) -> None:
        if isinstance(tasks, TaskSpec) or not all(isinstance(each, TaskSpec) for each in tasks):
            raise TypeError(f"Flow takes a list of TaskSpecs, not {tasks!r}")
        self._graph = build_graph(
            list(tasks), ignore_prefix=config_ignore_prefix, group_prefix=config_group_prefix
        )
        self._last_run: Run | None = None
        self._last_plan: Plan | None = None
        self._project_name = UNCATEGORIZED
        self.results_store: ResultsStore | None = None
        self.command = NO_COMMAND

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        overrides: Mapping[str, object] | Sequence[str] = (),
        *,
        options: Mapping[str, Any] | None = None,
    ) -> Flow:
        """The flow that a YAML, TOML or JSON document describes.

        Args:
            path: The document; "-" is stdin.
            overrides: Changes of it: values by dotted path, `{"train.lr": sweep(0.1, 0.2)}`, or
                texts as on the command line, `["train.lr=0.1,0.2"]`.
            options: Options of `TaskSpec` that all specs get, in place of their own.

        Raises:
            ConfigError: something is not as it should be; the message begins with `file:line`.
        """
        from flowlib.documents import command_of, load, store_of  # pydantic is heavy

        loaded = load(path, overrides, options)
        with loaded.located():
            flow = cls(list(loaded.specs), *loaded.prefixes)
        flow._project_name = loaded.document.project or UNCATEGORIZED
        flow.results_store = store_of(loaded, Path(path))
        flow.command = command_of(loaded, path, overrides)
        return flow

    def to_document(self) -> dict[str, Any]:
        """A document, as plain values, from which the same graph with the same keys is built.

        Raises:
            ConfigError: a task has no name, or a value has no place in a document.
        """
        from flowlib.document_text import document_of

        return document_of(self._graph)

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
        from flowlib.graph_views import task_graph_view

        return task_graph_view(self._graph, self._state_of)

    @property
    def task_spec_graph(self) -> DiGraph[Any]:
        """A networkx view of the specs."""
        from flowlib.graph_views import spec_graph_view

        return spec_graph_view(self._graph)

    def plan(
        self,
        force: str | Sequence[str] | None = None,
        results_store: ResultsStore | None = None,
        *,
        num_workers: int | None = None,
        **wanted: Unpack[WantedArguments],
    ) -> Plan:
        """What would run, and why. Nothing is run or written.

        Args:
            force: As in `run`.
            results_store: Where results are looked for; None is as in `run`.
            num_workers: With how many workers the time is estimated; None is as in `run`.
            **wanted: `only`, `skip`, `keep`, `resume`, `on_code_change`: see `WantedArguments`.

        Raises:
            SelectorError: what is wanted is no selector, or selects nothing.
            CodeChanged: the code of a result has changed, under `on_code_change="error"`.
        """
        from flowlib.flow_running import plan_of_flow
        from flowlib.wishes import Wishes

        refuse_unknown("Flow.plan", wanted, WantedArguments.__annotations__)
        store = self.results_store if results_store is None else results_store
        wishes = Wishes(force, **wanted)
        self._last_plan = plan_of_flow(self._graph, store, wishes, num_workers, self.command)
        return self._last_plan

    def accept(
        self, selectors: str | Sequence[str], results_store: ResultsStore | None = None
    ) -> Accepted:
        """Let stored results count for the present code and defaults: see docs/code.md.

        Args:
            selectors: What is meant, as for `run(force=…)`.
            results_store: Where the results are; None is as in `run`.

        Raises:
            SelectorError: a selector is none, or selects nothing.
        """
        from flowlib.flow_running import accepted_in_flow

        store = self.results_store if results_store is None else results_store
        return accepted_in_flow(self._graph, store, selectors, self._project_name)

    @overload
    def draw(self, view: Literal["console"] = "console", **how: Unpack[DrawArguments]) -> None: ...

    @overload
    def draw(self, view: Literal["bokeh"], **how: Unpack[ViewArguments]) -> GraphPage: ...

    @overload
    def draw(self, view: Form, **how: Unpack[ViewArguments]) -> GraphExport: ...

    def draw(
        self, view: str = "console", **how: Unpack[DrawArguments]
    ) -> GraphPage | GraphExport | None:
        """Show the graph, after a run with the states of its tasks, after a plan with those stored.

        Up to 60 tasks are shown one by one if they fit; else specs with the number of their tasks.

        Args:
            view: "console" prints it; "bokeh" gives a page for a browser or a notebook; "svg",
                "dot", "mermaid" and "json" give text for a file.
            **how: `expand`, `around`, `tasks`, and for the console `width`, `use_unicode` and
                `use_pager`: see `DrawArguments`.

        Returns:
            The page, to `.show()` or to `.save("graph.html")`; the text, to `str()` or to
            `.save("graph.svg")`; None from the console.

        Raises:
            SelectorError: `expand` or `around` names what is not in the graph.
            MissingExtra: Bokeh is wanted and not installed.
            ValueError: there is no such view.
        """
        from flowlib.flow_drawing import drawn

        refuse_unknown("Flow.draw", how, DrawArguments.__annotations__)
        return drawn(self._graph, self._seen, view, how)

    def _repr_html_(self) -> str:
        from flowlib.flow_drawing import html_of_flow

        return html_of_flow(self._graph, self._seen)

    def run(
        self,
        num_workers: int | None = None,
        resources: Any = None,
        start_method: str | None = None,
        exit_on_error: bool = True,
        log_to_tmux: bool = False,
        max_panes_per_window: int = 4,
        force: str | Sequence[str] | None = None,
        project_name: str = UNCATEGORIZED,
        run_name: str | None = None,
        results_store: ResultsStore | None = None,
        return_results: str | None = "all",
        **more: Unpack[RunArguments],
    ) -> Run:
        """Run what is not in the store yet.

        Args:
            num_workers: How many tasks run at once; None is the number of CPUs, at most the
                widest level of the graph. One worker runs in this process.
            resources: A list of objects, each leased to one task at a time; or a mapping of
                kinds to amounts, sizes or lists: `{"gpu": [0, 1], "cpu": 8, "mem": "32GB"}`.
            start_method: How worker processes start; None is the best of the platform.
            exit_on_error: Whether the first failure keeps new tasks from starting and is raised
                when the running ones have ended. Otherwise independent branches go on.
            log_to_tmux: Whether each worker gets a pane of tmux that follows what it prints, in a
                session `project--run` of `tmux -L flowlib`. It needs the extra `tmux`.
            max_panes_per_window: With more workers than this there are several windows.
            force: "all", a task name or a list of names to run again; `Name+` adds everything
                downstream.
            project_name: Name of the project; without one that of the document counts.
            run_name: Name of the run; None makes one up.
            results_store: Where results live; None is the store of the settings, or else a fresh
                memory store.
            return_results: "all" tasks, the "latest" (those nothing reads from), or None; the
                values are loaded when touched.
            **more: `only`, `skip`, `keep`, `resume`, `on_code_change`, `max_failures`, `executor`,
                `progress`, `grace_s`: see `RunArguments`.

        Returns:
            The run: a mapping from task name to its results.

        Raises:
            FlowError: an argument does not fit; nothing was run then.
            Exception: the exception of the first task that failed, under `exit_on_error`.
            KeyboardInterrupt: Ctrl-C: once lets running tasks end, twice ends them. A task that
                runs in this process is ended by the first, unless it asks `should_stop`.
            SystemExit: SIGTERM or SIGHUP, with the exit code that shells give them, 143 or 129.
        """
        from flowlib.flow_running import end_of_run  # the machinery is loaded when it runs
        from flowlib.launch import launch
        from flowlib.run_options import RunOptions

        refuse_unknown("Flow.run", more, {**RunArguments.__annotations__})
        options = RunOptions(
            num_workers=num_workers,
            resources=resources,
            start_method=start_method,
            exit_on_error=exit_on_error,
            log_to_tmux=log_to_tmux,
            max_panes_per_window=max_panes_per_window,
            force=force,
            project_name=self._project_name if project_name == UNCATEGORIZED else project_name,
            run_name=run_name,
            results_store=self.results_store if results_store is None else results_store,
            return_results=return_results,
            command=self.command,
            **more,
        )
        self._last_run = launch(self._graph, options)
        return end_of_run(self._last_run, exit_on_error=exit_on_error)

    @property
    def _seen(self) -> Run | Plan | None:
        """What tells the states of the nodes."""
        return self._last_plan if self._last_run is None else self._last_run

    def _state_of(self, node: Node) -> TaskState:
        run = self._last_run
        return TaskState.PENDING if run is None else run.state_of(node)
