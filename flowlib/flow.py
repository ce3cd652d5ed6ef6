"""The front door: specs in, a graph to look at, a plan to check, a run to wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from flowlib.flow_arguments import RunArguments, WantedArguments, refuse_unknown
from flowlib.flow_graph import FlowGraph
from flowlib.members import Given
from flowlib.named_stores import Stores
from flowlib.next_commands import NO_COMMAND
from flowlib.run_identity import UNCATEGORIZED
from stores import ResultsStore

if TYPE_CHECKING:
    from flowlib.accepting import Accepted
    from flowlib.plan import Plan
    from flowlib.results import Run
    from flowlib.submission import Submission


class Flow(FlowGraph):
    """A graph of tasks: look at it, plan it, run it, as often as wanted.

    It is a mapping, too: `flow["baseline"]` is the spec of that name.

    Args:
        tasks: The specs; those they require are added by themselves. Or a mapping from names to
            specs, or to lists of specs: then their tasks are called by these names.
        config_ignore_prefix: For specs that have none: keys that begin with it are no part of
            the identity.
        config_group_prefix: For specs that have none: marks lists that vary in lockstep.

    Attributes:
        results_store: Where results live if `run` and `plan` name no other store.
        stores: The stores that specs name, if `run` and `plan` give no others.
        command: The words of the command that runs it; `from_file` knows them.

    Raises:
        FlowError: the specs do not form a graph, or a config does not fit its task.
    """

    def __init__(
        self,
        tasks: Given,
        config_ignore_prefix: str | None = None,
        config_group_prefix: str | None = None,
    ) -> None:
        super().__init__(tasks, config_ignore_prefix, config_group_prefix)
        self._project_name = UNCATEGORIZED
        self.results_store: ResultsStore | None = None
        self.stores: Stores = {}
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
        from flowlib.documents import command_of, load, store_of, stores_of  # pydantic is heavy

        loaded = load(path, overrides, options)
        with loaded.located():
            flow = cls(list(loaded.specs), *loaded.prefixes)
        flow._project_name = loaded.document.project or UNCATEGORIZED
        flow.results_store = store_of(loaded, Path(path))
        flow.stores = stores_of(loaded, Path(path))
        flow.command = command_of(loaded, path, overrides)
        return flow

    def plan(
        self,
        force: str | Sequence[str] | None = None,
        results_store: ResultsStore | None = None,
        *,
        num_workers: int | None = None,
        stores: Stores | None = None,
        **wanted: Unpack[WantedArguments],
    ) -> Plan:
        """What would run, and why. Nothing is run or written.

        Args:
            force: As in `run`.
            results_store: Where results are looked for; None is as in `run`.
            num_workers: With how many workers the time is estimated; None is as in `run`.
            stores: As in `run`.
            **wanted: `only`, `skip`, `keep`, `resume`, `on_code_change`: see `WantedArguments`.

        Raises:
            SelectorError: what is wanted is no selector, or selects nothing.
            CodeChanged: the code of a result has changed, under `on_code_change="error"`.
        """
        from flowlib.flow_running import plan_of_flow
        from flowlib.wishes import Wishes

        refuse_unknown("Flow.plan", wanted, WantedArguments.__annotations__, self.plan)
        store = self._store(results_store, stores)
        wishes = Wishes(force, **wanted)
        self._last_plan = plan_of_flow(self.graph, store, wishes, num_workers, self.command)
        return self._last_plan

    def accept(
        self,
        selectors: str | Sequence[str],
        results_store: ResultsStore | None = None,
        stores: Stores | None = None,
    ) -> Accepted:
        """Let stored results count for the present code and defaults: see docs/code.md.

        Args:
            selectors: What is meant, as for `run(force=…)`.
            results_store: Where the results are; None is as in `run`.
            stores: As in `run`.

        Raises:
            SelectorError: a selector is none, or selects nothing.
        """
        from flowlib.flow_running import accepted_in_flow

        store = self._store(results_store, stores)
        return accepted_in_flow(self.graph, store, selectors, self._project_name)

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
        *,
        stores: Stores | None = None,
        **more: Unpack[RunArguments],
    ) -> Run:
        """Run what is not in the store yet.

        Args:
            num_workers: How many tasks run at once; None is this process's CPUs, at most the
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
            stores: The stores that specs name, by these names: `{"git": LocalFileStore("git")}` for
                `TaskSpec(…, store="git")`. None is those of the document; the setting `stores`
                has more.
            **more: `only`, `skip`, `keep`, `resume`, `on_code_change`, `max_failures`, `executor`,
                `progress`, `grace_s`, `snapshot`: see `RunArguments`.

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

        refuse_unknown("Flow.run", more, {**RunArguments.__annotations__}, self.run)
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
            results_store=self._store(results_store, stores),
            return_results=return_results,
            command=self.command.run_by(more.get("executor"), num_workers),
            **more,
        )
        self._last_run = launch(self.graph, options)
        return end_of_run(self._last_run, exit_on_error=exit_on_error)

    def submit(
        self, results_store: ResultsStore | None = None, *, snapshot: bool = False
    ) -> Submission:
        """Record the graph in the store, to be run later: see docs/deferred.md. Nothing is run.

        `flowlib.execute(keys, store)`, or `flowlib execute KEY…`, does so in any process that
        reaches the store and finds the code. Recording the same again writes nothing.

        Args:
            results_store: Where; None is as in `run`.
            snapshot: Whether the project's own files are kept with it: whoever runs the tasks does
                so with the code of now, whatever is edited meanwhile.

        Raises:
            RunError: the project's files are too large, or cannot be kept.
            SpecError: a task or a value cannot be sent to another process, or is a secret.
            StoreError: the store cannot be written.
        """
        from flowlib.launch import checked_store
        from flowlib.submitting import submit_graph

        store = checked_store(self.results_store if results_store is None else results_store)
        return submit_graph(self.graph, store, self._project_name, with_code=snapshot)

    def _store(self, store: ResultsStore | None, stores: Stores | None) -> ResultsStore | None:
        from flowlib.flow_running import store_of_flow

        main = self.results_store if store is None else store
        return store_of_flow(self.graph, main, self.stores if stores is None else stores)
