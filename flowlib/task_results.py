"""What came out of one node, or of all nodes of a spec? Values are loaded when touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, Unpack, overload

from flowlib.declaration import Declaration
from flowlib.errors import TaskFailed
from flowlib.failures import Failure
from flowlib.node import Node
from flowlib.recorded import RecordedConfig
from flowlib.restoring import node_value
from stores import (
    Address,
    Artifact,
    ErrorDetails,
    Record,
    ResultsStore,
    Status,
    TaskState,
    UniqueConfig,
    canonical,
)
from stores.cells import Entry, Grid, grid_of
from stores.matching import HIDDEN
from stores.table import Columns, as_frame, as_rows, entry_of

if TYPE_CHECKING:
    from flowlib.browser_page import BrowserPage
    from flowlib.result_columns import TableWishes
    from flowlib.result_table import ResultTable


class _Source(Protocol):
    """Where the results of one run come from; shared by all of them."""

    store: ResultsStore

    def state_of(self, node: Node) -> TaskState: ...
    def error_of(self, node: Node) -> ErrorDetails | None: ...
    def failure_of(self, node: Node) -> Failure | None: ...
    def status_of(self, node: Node) -> Status | None: ...
    def config_of(self, node: Node) -> UniqueConfig: ...
    def log_of(self, node: Node) -> str | None: ...
    def is_cached(self, node: Node) -> bool: ...


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
    def failure(self) -> Failure | None:
        """Why it has no results, as what reads from it may get it; None if that is not so."""
        return self._source.failure_of(self._node)

    def unwrap(self) -> Any:
        """Its value: what it returned, or else all it has saved, by name; or what `restore` gives.

        Raises:
            TaskFailed: it has none; the message names the task that failed.
        """
        if (failure := self.failure) is not None:
            failure.unwrap()
        status = self._source.status_of(self._node)
        if self.state is not TaskState.FINISHED or status is None:
            raise TaskFailed(f"{self.task_unique_name} has no value: it is {self.state.value}")
        return node_value(self._node, self.store, status, [])

    @property
    def log(self) -> str | None:
        """The file with what it printed and logged; None if it said nothing or the file is gone.

        For a cached one it is the log of the run that has computed it.
        """
        return self._source.log_of(self._node)

    @property
    def unique_config(self) -> UniqueConfig:
        """The configs of the node and of all its ancestors, by task name."""
        return self._source.config_of(self._node)

    @property
    def config(self) -> Mapping[str, object]:
        """The node's own config."""
        return self._node.config

    @property
    def names(self) -> list[str]:
        """The names of its artifacts; nothing is loaded."""
        return [artifact.name for artifact in self._artifacts]

    @property
    def declaration(self) -> Declaration:
        """The spec it comes from, as it was when the flow was built."""
        return self._node.declaration

    @property
    def store(self) -> ResultsStore:
        """Where its record lies."""
        return self._source.store

    @property
    def is_cached(self) -> bool:
        """Whether the run found it in the store."""
        return self._source.is_cached(self._node)

    def entry(self, record: Record | None, recorded: RecordedConfig) -> Entry:
        """What a row of a table is made of.

        Args:
            record: Its record; None if it has none.
            recorded: Tells its config, defaults included.
        """
        own = canonical.decode(recorded.full(self._node.arguments))
        config = {**self.unique_config, self.task_name: own}
        if record is None:
            return Entry(self.address, self.state, config, (), is_cached=False)
        found = replace(entry_of(record, config), state=self.state, is_cached=self.is_cached)
        return found if self.state is TaskState.FINISHED else replace(found, artifacts=())

    @property
    def _artifacts(self) -> Sequence[Artifact]:
        source = self._source
        if source.state_of(self._node) is not TaskState.FINISHED:
            return ()
        status = source.status_of(self._node)
        known = () if status is None else status.artifacts
        return [each for each in known if not each.name.startswith(HIDDEN)]

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
        status, artifacts = source.status_of(self._node), self._artifacts
        if status is None or not artifacts:
            return None
        address, load = self._node.address, source.store.load_artifact
        return {a.name: load(address, status.attempt, a) for a in artifacts}


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

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def table(self, **wishes: Unpack[TableWishes]) -> ResultTable:
        """The results as a table, to look at or to export.

        Args:
            **wishes: As for `ResultTable.of`: `sort="-acc", top=4, mean_over="seed"`.

        Raises:
            ColumnUnknown: there is no such column, or several are called so.
        """
        from flowlib.result_table import ResultTable

        return ResultTable.of(self, **wishes)

    def parallel_coordinates(self, metric: str | None = None, *, mode: str = "max") -> BrowserPage:
        """A page with a line for each node: `parallel_coordinates` of these results.

        Raises:
            ColumnUnknown: there is no such column.
            MissingExtra: Bokeh is not installed.
        """
        from flowlib.coordinate_pages import parallel_coordinates

        return parallel_coordinates(self, metric, mode=mode)

    def grid(self) -> Grid:
        """The nodes as a table, with a description of its columns."""
        if not self._items:
            return Grid((), ())
        store = self._items[0].store
        records = {
            each.address.key: each for each in store.records([i.address for i in self._items])
        }
        recorded = RecordedConfig(self._items[0].declaration)
        entries = [each.entry(records.get(each.address.key), recorded) for each in self._items]
        return grid_of(entries, store)

    def to_dicts(self, columns: Columns = "all") -> list[dict[str, Any]]:
        """One flat row per node: id, state, configs as `Task.key`, times, single values.

        Args:
            columns: Which columns of configs: "all", or the "varying" ones.
        """
        return as_rows(self.grid(), columns)

    def best(self, metric: str, *, mode: str = "max") -> TaskResults:
        """The node with the best value of an artifact.

        Args:
            metric: Name of the artifact; of one that is a dict, `metrics.acc`.
            mode: "max" if the largest is the best, "min" if the smallest is.

        Raises:
            ValueError: no node has it, or `mode` is neither "max" nor "min".
        """
        if mode not in ("max", "min"):
            raise ValueError(f'mode is "max" or "min", not {mode!r}')
        key = self.table().best(metric, mode=mode)["key"]
        return next(each for each in self._items if each.address.key == key)

    def to_pandas(self, columns: Columns = "all") -> Any:
        """`to_dicts` as a `pandas.DataFrame`.

        Raises:
            StoreError: pandas is not installed.
        """
        return as_frame(self.to_dicts(columns))
