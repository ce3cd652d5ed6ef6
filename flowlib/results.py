"""What came out of a run: states, failures, and values that are loaded when they are touched."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, overload

from flowlib.errors import FlowError, TaskFailed, nearest
from flowlib.graph import TaskGraph
from flowlib.lineage import UniqueConfigs
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.run_identity import RunIdentity
from flowlib.run_state import RunState
from stores import Address, ErrorDetails, ResultsStore, Status, TaskState, UniqueConfig


class _Source(Protocol):
    """Where the results of one run come from; shared by all of them."""

    store: ResultsStore

    def state_of(self, node: Node) -> TaskState: ...
    def error_of(self, node: Node) -> ErrorDetails | None: ...
    def status_of(self, node: Node) -> Status | None: ...
    def config_of(self, node: Node) -> UniqueConfig: ...


class TaskResults:
    """The results of one node; its values are loaded when first asked for."""

    __slots__ = ("_node", "_results", "_source")

    def __init__(self, node: Node, source: _Source) -> None:
        self._node = node
        self._source = source
        self._results: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<TaskResults {self.task_unique_name} {self.address} {self.state.value}>"

    def __getitem__(self, name: str) -> Any:
        """One artifact.

        Raises:
            ArtifactMissing: it was not saved.
        """
        return self._source.store.get(self.address, name)

    @property
    def task_name(self) -> str:
        """Name of the spec."""
        return self._node.name

    @property
    def task_unique_name(self) -> str:
        """Name of the node: `Train-12`."""
        return self._node.unique_name

    @property
    def address(self) -> Address:
        """Where its record lies."""
        return self._node.address

    @property
    def state(self) -> TaskState:
        """Its state after the run."""
        return self._source.state_of(self._node)

    @property
    def error(self) -> ErrorDetails | None:
        """What went wrong, for a failed one."""
        return self._source.error_of(self._node)

    @property
    def unique_config(self) -> UniqueConfig:
        """The configs of the node and of all its ancestors, by task name."""
        return self._source.config_of(self._node)

    @property
    def config(self) -> Mapping[str, object]:
        """The node's own config."""
        return self._node.config

    @property
    def results(self) -> dict[str, Any] | None:
        """All artifacts by name; None if it has none or did not finish."""
        if self._results is None:
            self._results = self._loaded()
        return self._results

    def _loaded(self) -> dict[str, Any] | None:
        source = self._source
        if source.state_of(self._node) is not TaskState.FINISHED:
            return None
        status = source.status_of(self._node)
        if status is None or not status.artifacts:
            return None
        address, load = self._node.address, source.store.load_artifact
        return {a.name: load(address, status.attempt, a) for a in status.artifacts}


class Results(Sequence[TaskResults]):
    """The results of all nodes of one spec, in expansion order."""

    def __init__(self, items: Sequence[TaskResults]) -> None:
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> TaskResults: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> TaskResults | Results:
        found = self._items[index]
        return Results(found) if isinstance(found, tuple) else found

    def __repr__(self) -> str:
        return f"<Results of {len(self)} nodes>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat row per node: name, the config as `Task.key`, artifacts that are scalars."""
        rows = []
        for item in self._items:
            row: dict[str, Any] = {"id": str(item.address), "state": item.state.value}
            row.update(_flat(item.unique_config))
            values = item.results or {}
            row.update((k, v) for k, v in values.items() if isinstance(v, (int, float, str)))
            rows.append(row)
        return rows

    def best(self, metric: str, *, mode: str = "max") -> TaskResults:
        """The node with the best value of an artifact.

        Raises:
            ValueError: no node has it, or `mode` is neither "max" nor "min".
        """
        if mode not in ("max", "min"):
            raise ValueError(f'mode is "max" or "min", not {mode!r}')
        having = [item for item in self._items if metric in (item.results or {})]
        if not having:
            raise ValueError(f"no node has an artifact {metric!r}")
        pick = max if mode == "max" else min
        return pick(having, key=lambda item: (item.results or {})[metric])

    def to_pandas(self) -> Any:
        """`to_dicts` as a DataFrame; needs pandas."""
        import pandas as pd  # heavy, and wanted only here

        return pd.DataFrame(self.to_dicts())


class Run(Mapping[str, Results]):
    """One run: a mapping from task name to results, and what became of every node.

    Attributes:
        name: Name of the run.
        plan: What was to be run, and why.
        store: Where the results are.
        duration_s: How long the run took.
    """

    def __init__(
        self,
        plan: Plan,
        store: ResultsStore,
        identity: RunIdentity,
        state: RunState,
        shown: frozenset[str],
        duration_s: float,
    ) -> None:
        self.name = identity.run_name
        self.plan = plan
        self.store = store
        self.duration_s = duration_s
        self._state = state
        self._shown = shown
        self._results: dict[str, Results] = {}

    def __getitem__(self, name: str) -> Results:
        if name not in self._shown:
            raise KeyError(f"{name!r} has no results here.{nearest(name, self._shown)}")
        if name not in self._results:
            nodes = self._graph.by_spec[name]
            self._results[name] = Results([self._result(node) for node in nodes])
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._graph.by_spec if name in self._shown)

    def __len__(self) -> int:
        return len(self._shown)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {word}" for word, n in self.counts.items())
        return f"<Run {self.name}: {counts}>"

    @property
    def ok(self) -> bool:
        """Whether every node has its results."""
        return set(self.counts) <= {"finished", "cached"}

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many nodes ended in which state; `cached` are those that did not need to run."""
        counted = Counter(state.value for state in self._state.states.values())
        cached = len(self._graph) - len(self._state.states)
        return {**({"cached": cached} if cached else {}), **counted}

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C kept nodes from starting."""
        return self._state.is_interrupted

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
            f"{node.unique_name} failed: {details.type_}: {details.message}\n{details.traceback}"
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
        """The state of a node after the run; a cached one is finished."""
        return self._state.states.get(node.key, TaskState.FINISHED)

    def error_of(self, node: Node) -> ErrorDetails | None:
        """What went wrong with a node."""
        return self._state.errors.get(node.key)

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
        data = self._state.exceptions.get(node.key)
        if data is None:
            return None
        try:
            error = pickle.loads(data)  # noqa: S301  # made by the worker of this run
        except Exception:  # noqa: BLE001  # the user's __init__ and __setstate__
            return None
        return error if isinstance(error, BaseException) else FlowError(str(error))


def _flat(config: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in config.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, value
