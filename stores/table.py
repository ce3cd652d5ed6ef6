"""How do records become a table? Configs, single values, times; nothing big and no pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal, Protocol

from stores import ancestry
from stores.cells import Entry, Grid, Row, constants, grid_of
from stores.errors import QueryError, StoreError
from stores.matching import artifacts_in_force
from stores.query import Query
from stores.record import Address, Artifact, Record
from stores.sieve import ended_at, fitting, full_config

Columns = Literal["all", "varying"]
"""Which columns of configs a table has: all, or those with several values."""


class Listable(Protocol):
    """What is needed of a store."""

    def candidates(self, query: Query) -> Iterator[Record]: ...
    def record(self, address: Address) -> Record | None: ...
    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO: ...


class Records:
    """The records that fit a query, read when they are asked for, in the order of task and key.

    It may be iterated again and again; each time the store is asked anew. A record that is
    removed meanwhile is left out, and so is a damaged one.

    Attributes:
        store: Where they are.
        query: Which they are.
    """

    def __init__(self, store: Listable, query: Query) -> None:
        self.store = store
        self.query = query

    def __repr__(self) -> str:
        return f"<Records of {self.store!r}: {self.query}>"

    def __iter__(self) -> Iterator[Record]:
        return fitting(self.store, self.query)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def count(self) -> int:
        """How many there are, exactly."""
        return sum(1 for _ in self)

    def addresses(self) -> list[Address]:
        """Where they lie."""
        return [each.address for each in self]

    def to_dicts(self, columns: Columns = "all") -> list[Row]:
        """One flat row per record.

        Args:
            columns: Which columns of configs: "all", or the "varying" ones.
        """
        return as_rows(self.grid(), columns)

    def to_pandas(self, columns: Columns = "all") -> Any:
        """`to_dicts` as a `pandas.DataFrame`.

        Raises:
            StoreError: pandas is not installed.
        """
        return as_frame(self.to_dicts(columns))

    def grid(self) -> Grid:
        """The records as a table, with a description of its columns."""
        return grid_of(self.entries(), self.store)

    def entries(self) -> Iterator[Entry]:
        """What the rows of a table are made of."""
        records = {record.address.key: record for record in self}
        lineages = ancestry.lineages(
            [record.address for record in records.values()],
            lambda address: records.get(address.key) or self.store.record(address),
        )
        for key, record in records.items():
            configs = {task: each.config for task, each in lineages.get(key, {}).items()}
            yield entry_of(record, {**configs, record.address.task: full_config(record)})


def entry_of(record: Record, config: Mapping[str, object]) -> Entry:
    """What the row of a record is made of.

    Args:
        record: The record.
        config: Its config and those of its ancestors, by task name.
    """
    counts = ancestry.counting(record)
    return Entry(
        record.address,
        record.state,
        config,
        [artifact for _, artifact in artifacts_in_force(record).values()],
        counts.duration_s,
        ended_at(counts),
        None if counts.run is None else counts.run.run_name,
    )


def as_rows(grid: Grid, columns: Columns = "all") -> list[Row]:
    """The rows of a table with all its columns, or with those that vary.

    Raises:
        QueryError: there is no such choice of columns.
    """
    if columns not in ("all", "varying"):
        raise QueryError(f'columns are "all" or "varying", not {columns!r}')
    dropped = constants(grid.columns, grid.rows) if columns == "varying" else {}
    return [{name: row[name] for name in row if name not in dropped} for row in grid.rows]


def as_frame(rows: list[Row]) -> Any:
    """Rows as a `pandas.DataFrame`.

    Raises:
        StoreError: pandas is not installed.
    """
    try:
        import pandas as pd  # heavy, and wanted only here
    except ImportError:
        raise StoreError(
            "to_pandas() needs pandas: pip install 'flowlib-runner[pandas]', or use to_dicts()"
        ) from None
    return pd.DataFrame(rows)
