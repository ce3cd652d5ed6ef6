"""What came out of a run: the results of each spec, states and failures."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowlib.errors import FlowError, TaskFailed, nearest
from flowlib.failures import Failure
from flowlib.lineage import UniqueConfigs
from flowlib.node import Node
from flowlib.run_folders import recorded_log
from flowlib.task_results import Results, TaskResults
from stores import ErrorDetails, ResultsStore, Status, TaskState, UniqueConfig

if TYPE_CHECKING:  # workers load this module where that of their tasks names a `Run`
    from flowlib.graph import TaskGraph
    from flowlib.plan import Plan
    from flowlib.run_identity import RunIdentity
    from flowlib.run_progress import RunProgress
    from flowlib.run_state import RunState


class Run(Mapping[str, Results]):
    """One run: a mapping from task name to results, and what became of every node.

    Attributes:
        name: Name of the run.
        plan: What was to be run, and why.
        store: Where the results are.
    """

    def __init__(
        self,
        plan: Plan,
        store: ResultsStore,
        identity: RunIdentity,
        state: RunState,
        shown: frozenset[str],
        progress: RunProgress,
    ) -> None:
        self.name = identity.run_name
        self.plan = plan
        self.store = store
        self._state = state
        self._progress = progress
        self._shown = shown
        self._results: dict[str, Results] = {}

    def __getitem__(self, name: str) -> Results:
        if not self._is_shown(name):
            known = [*self._shown, *self._graph.labelled]
            raise KeyError(f"{name!r} has no results here.{nearest(name, known)}")
        if name not in self._results:
            nodes = self._graph.by_spec.get(name) or self._graph.labelled[name]
            self._results[name] = Results([self._result(node) for node in nodes])
        return self._results[name]

    def _is_shown(self, name: str) -> bool:
        labelled = self._graph.labelled.get(name, ())
        return name in self._shown or any(node.name in self._shown for node in labelled)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._graph.by_spec if name in self._shown)

    def __len__(self) -> int:
        return len(self._shown)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {word}" for word, n in self.counts.items())
        return f"<Run {self.name}: {counts}>"

    def __str__(self) -> str:
        from flowlib.run_summary import summary_text

        return summary_text(self._progress)

    def _repr_html_(self) -> str:
        from flowlib.run_summary import summary_html

        return summary_html(self._progress)

    def report(self, path: str | Path) -> Path:
        """Write a page about the run: its end, its graph, its workers over time, its results.

        Returns:
            Where it was written: one file, which fetches nothing from the network.

        Raises:
            MissingExtra: Bokeh is not installed.
        """
        from flowlib.run_report import write_report
        from flowlib.run_story import story_of_graph

        words = {
            node.key: "cached" if self.is_cached(node) else self.state_of(node).value
            for node in self._graph
        }
        story = story_of_graph(self._graph, words, self._progress, self.store, self.folder)
        return write_report(path, story)

    @property
    def duration_s(self) -> float:
        """How long the run took."""
        return self._progress.duration_s

    @property
    def folder(self) -> str | None:
        """Where its events and logs are; None if they could not be kept."""
        folder = self._state.logs.folder
        return None if folder is None else str(folder)

    @property
    def ok(self) -> bool:
        """Whether every node that was wanted has its results."""
        return set(self.counts) <= {"finished", "cached"}

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many nodes ended in which state; `cached` are those that did not need to run.

        Nodes that were not wanted are not counted.
        """
        counted = Counter(state.value for state in self._state.states.values())
        cached = len(self._graph) - len(self.plan.left_out) - len(self._state.states)
        return {**({"cached": cached} if cached else {}), **counted}

    @property
    def stopped_by(self) -> int | None:
        """The number of the signal that stopped the run; None if there was none."""
        return self._state.stopped_by

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C or another signal stopped the run."""
        return self._state.stopped_by is not None

    @property
    def failed(self) -> list[TaskResults]:
        """The nodes that failed by themselves, in the order in which they did."""
        return [self._result(node) for node in self._state.failed]

    @property
    def exception(self) -> BaseException | None:
        """The exception of the first failed node, with a note that tells where it was."""
        if not self._state.failed:
            return None
        node = self._state.failed[0]
        details = self._state.errors[node.key]
        error = self._rebuilt(node) or TaskFailed(
            f"{node.unique_name} failed: {details.type_}: {details.message}"
        )
        count = len(self._state.failed) - 1
        more = f" ({count} more failed)" if count else ""
        error.add_note(f"in {node.unique_name} ({node.address}) of run {self.name}{more}")
        if details.traceback and not error.__traceback__:
            error.add_note(details.traceback)
        return error

    def raise_for_failures(self) -> None:
        """Raise the exception of the first failed node, if there is one."""
        if (error := self.exception) is not None:
            raise error

    def state_of(self, node: Node) -> TaskState:
        """The state of a node after the run; a cached one is finished, one left out pending."""
        otherwise = TaskState.PENDING if node.key in self.plan.left_out else TaskState.FINISHED
        return self._state.states.get(node.key, otherwise)

    def is_cached(self, node: Node) -> bool:
        """Whether a node had its results before the run."""
        return node.key not in self._state.states and node.key not in self.plan.left_out

    def error_of(self, node: Node) -> ErrorDetails | None:
        """What went wrong with a node."""
        return self._state.errors.get(node.key)

    def failure_of(self, node: Node) -> Failure | None:
        """Why a node has no results, as a value."""
        return self._state.failures.get(node.key)

    def log_of(self, node: Node) -> str | None:
        """The file with the output of a node, if there is one."""
        if (path := self._state.logs.path(node.name, node.key)) is not None:
            return path
        record = self.store.record(node.address)
        attempt = record and (record.finished or record.latest)
        return recorded_log(self.store, attempt.provenance) if attempt else None

    def config_of(self, node: Node) -> UniqueConfig:
        """The config of a node and of all its ancestors."""
        return self._configs.of(node)

    def status_of(self, node: Node) -> Status | None:
        """What the store knows of a node, read in bulk; cached ones are known from the plan."""
        if node.key not in self._state.states:
            return self.plan.statuses.get(node.key)
        return self._fresh.get(node.key)

    @property
    def _graph(self) -> TaskGraph:
        return self.plan.graph

    def _result(self, node: Node) -> TaskResults:
        return TaskResults(node, self)

    @cached_property
    def _fresh(self) -> Mapping[str, Status]:
        return self.store.statuses([self._graph.nodes[key].address for key in self._state.states])

    @cached_property
    def _configs(self) -> UniqueConfigs:
        return UniqueConfigs(self._graph)

    def _rebuilt(self, node: Node) -> BaseException | None:
        if (raised := self._state.raised.get(node.key)) is not None:
            return raised
        data = self._state.exceptions.get(node.key)
        if data is None:
            return None
        try:
            error = pickle.loads(data)  # noqa: S301  # made by the worker of this run
        except Exception:  # noqa: BLE001  # the user's __init__ and __setstate__
            return None
        return error if isinstance(error, BaseException) else FlowError(str(error))
