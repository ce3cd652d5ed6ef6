"""How do records become a table? Configs, single values, times; nothing big and no pickle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, Literal, Protocol

from stores import ancestry
from stores.canonical import Opaque, encode
from stores.codec import codecs
from stores.config_paths import leaves
from stores.errors import QueryError, StoreError
from stores.matching import artifacts_in_force
from stores.query import Query
from stores.record import Address, Artifact, Record, TaskState
from stores.sieve import ended_at, fitting, full_config

Columns = Literal["all", "varying"]
"""Which columns of configs a table has: all, or those with several values."""

Row = dict[str, Any]

_SMALL_BYTES: Final = 4096
"""Larger artifacts are no numbers or words for a table, so they are not loaded for one."""


class Listable(Protocol):
    """What is needed of a store."""

    def candidates(self, query: Query) -> Iterator[Record]: ...
    def record(self, address: Address) -> Record | None: ...
    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row is made of.

    Attributes:
        address: Of the record.
        state: Of the task.
        config: The configs of the task and of its ancestors, by task name.
        artifacts: Those in force.
        duration_s: How long it took.
        ended: Unix time.
        run: Name of the run.
    """

    address: Address
    state: TaskState
    config: Mapping[str, object]
    artifacts: Sequence[Artifact]
    duration_s: float | None = None
    ended: float | None = None
    run: str | None = None


class Records:
    """The records that fit a query, read when they are asked for, in the order of task and key.

    It may be iterated again and again; each time the store is asked anew. A record that is
    removed meanwhile is left out, and so is a damaged one.
    """

    def __init__(self, store: Listable, query: Query) -> None:
        self._store = store
        self.query = query

    def __repr__(self) -> str:
        return f"<Records of {self._store!r}: {self.query}>"

    def __iter__(self) -> Iterator[Record]:
        return fitting(self._store, self.query)

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
        return as_rows(self._entries(), self._store, columns)

    def to_pandas(self, columns: Columns = "all") -> Any:
        """`to_dicts` as a `pandas.DataFrame`.

        Raises:
            StoreError: pandas is not installed.
        """
        return as_frame(self.to_dicts(columns))

    def _entries(self) -> Iterator[Entry]:
        records = {record.address.key: record for record in self}
        configs = ancestry.unique_configs(
            [record.address for record in records.values()],
            lambda address: records.get(address.key) or self._store.record(address),
        )
        for key, record in records.items():
            counts = ancestry.counting(record)
            yield Entry(
                record.address,
                record.state,
                {**configs[key], record.address.task: full_config(record)},
                [artifact for _, artifact in artifacts_in_force(record).values()],
                counts.duration_s,
                ended_at(counts),
                None if counts.run is None else counts.run.run_name,
            )


def as_rows(entries: Iterable[Entry], store: Listable, columns: Columns = "all") -> list[Row]:
    """One flat row per entry: who it is, configs as `Task.key`, single values, times.

    Artifacts are read if they are numbers, words, True, False or None; no pickle ever is.

    Raises:
        QueryError: there is no such choice of columns.
    """
    if columns not in ("all", "varying"):
        raise QueryError(f'columns are "all" or "varying", not {columns!r}')
    found = list(entries)
    configs = [dict(leaves(each.config)) for each in found]
    dropped = _constant(configs) if columns == "varying" else frozenset()
    rows = []
    for entry, config in zip(found, configs, strict=True):
        row: Row = {
            "id": str(entry.address),
            "task": entry.address.task,
            "key": entry.address.key,
            "state": entry.state.value,
        }
        row |= {path: _cell(value) for path, value in config.items() if path not in dropped}
        row |= _times(entry)
        for name, value in _values(entry, store):
            row[f"artifact.{name}" if name in row else name] = value
        rows.append(row)
    return rows


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


def plain_value(store: Listable, address: Address, artifact: Artifact) -> tuple[object, ...]:
    """The value of an artifact that is a number, a word, True, False or None; else nothing."""
    if artifact.size_bytes > _SMALL_BYTES:
        return ()
    try:
        codec = codecs.find(artifact.type_)()
        if codec.unpickles or codec.needs_path or not codec.is_text:
            return ()
        with store.artifact_stream(address, artifact) as stream:
            value = codec.load(stream, **artifact.load_kwargs)
    except (StoreError, ValueError, TypeError, OSError, EOFError, ImportError):
        return ()  # damaged, or of a type that is not known here: no cell, but a table
    if type(value).__module__ == "numpy":
        value = value.item()
    return (value,) if value is None or type(value) in (bool, int, float, str) else ()


def _values(entry: Entry, store: Listable) -> Iterator[tuple[str, object]]:
    for artifact in entry.artifacts:
        for value in plain_value(store, entry.address, artifact):
            yield artifact.name, value


def _times(entry: Entry) -> Row:
    ended = None if entry.ended is None else datetime.fromtimestamp(entry.ended, UTC)
    times = {"duration_s": entry.duration_s, "ended": ended, "run": entry.run}
    return {name: value for name, value in times.items() if value is not None}


def _constant(configs: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """The paths that have one and the same value in each of several configs."""
    if len(configs) < 2:
        return frozenset()
    texts: dict[str, set[str]] = {}
    for config in configs:
        for path, value in config.items():
            texts.setdefault(path, set()).add(encode(value))
    everywhere = set(texts).intersection(*configs)
    return frozenset(path for path in everywhere if len(texts[path]) == 1)


def _cell(value: object) -> object:
    """A value of a config; one that is not rebuilt from its text is that text."""
    return encode(value) if isinstance(value, Opaque) else value
