"""What stands in the cells of a table of records? Every column has a name that no other has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, Literal, Protocol

from stores.canonical import Opaque, encode
from stores.codec import codecs
from stores.config_paths import leaf_steps
from stores.errors import StoreError, Unencodable
from stores.lazy_dataclass import dataclass
from stores.record import Address, Artifact, TaskState

Row = dict[str, Any]
"""The cells by the names of their columns; a value that is missing has no cell."""

Kind = Literal["identity", "config", "time", "value", "count"]
"""What a column is about: which record, its config and those upstream, when, a result, or how many
records a row stands for."""

_SMALL_BYTES: Final = 4096
"""Larger artifacts are no numbers or words for a table, so they are not loaded for one."""

_Path = tuple[Kind, tuple[object, ...]]


class Readable(Protocol):
    """What is needed of a store."""

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
        is_cached: Whether a run found it there; None where no run is looked at.
    """

    address: Address
    state: TaskState
    config: Mapping[str, object]
    artifacts: Sequence[Artifact]
    duration_s: float | None = None
    ended: float | None = None
    run: str | None = None
    is_cached: bool | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: `id`, `Train.lr`, `acc`; no other column has it.
        kind: What it is about.
    """

    name: str
    kind: Kind


_IDENTITY: Final = tuple(Column(name, "identity") for name in ("id", "task", "key", "state"))
_TIMES: Final = (
    Column("duration_s", "time"), Column("ended", "time"), Column("run", "identity"),
    Column("cached", "identity"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        columns: In order: who, configs, times, results.
        rows: One for each entry, in their order.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def grid_of(entries: Iterable[Entry], store: Readable) -> Grid:
    """A row for each entry: who it is, configs as `Task.key`, times, single values.

    Artifacts are read if they are numbers, words, True, False or None, or dicts of them: those
    become columns like `metrics.acc`. No pickle ever is.
    """
    found = list(entries)
    configs = [dict(_config_cells(each)) for each in found]
    values = [dict(_value_cells(each, store)) for each in found]
    config_paths = dict.fromkeys(path for each in configs for path in each)
    value_paths = dict.fromkeys(path for each in values for path in each)
    names = _names([*config_paths, *value_paths])
    rows = tuple(
        {
            **_identity(entry),
            **{names[path]: each for path, each in config.items()},
            **_times(entry),
            **{names[path]: each for path, each in value.items()},
        }
        for entry, config, value in zip(found, configs, values, strict=True)
    )
    columns = (
        *_IDENTITY,
        *(Column(names[path], "config") for path in config_paths),
        *(each for each in _TIMES if any(each.name in row for row in rows)),
        *(Column(names[path], "value") for path in value_paths),
    )
    return Grid(columns, rows)


def constants(columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, object]:
    """The columns of configs in which each of several rows has one and the same value."""
    if len(rows) < 2:
        return {}
    first = rows[0]
    return {
        each.name: first[each.name]
        for each in columns
        if each.kind == "config"
        and each.name in first
        and all(each.name in row and _is_same(row[each.name], first[each.name]) for row in rows)
    }


def plain_values(
    store: Readable, address: Address, artifact: Artifact
) -> Iterator[tuple[tuple[str, ...], object]]:
    """The numbers, words, True, False and None in an artifact, with the keys that lead to them.

    One that is no dict is its own value, to which no keys lead. Larger and other ones give nothing.
    """
    if artifact.size_bytes > _SMALL_BYTES:
        return
    try:
        codec = codecs.find(artifact.type_)()
        if codec.unpickles or codec.needs_path or not codec.is_text:
            return
        with store.artifact_stream(address, artifact) as stream:
            value = codec.load(stream, **artifact.load_kwargs)
    except (StoreError, ValueError, TypeError, OSError, EOFError, ImportError, RecursionError):
        return  # damaged, or of a type that is not known here: no cell, but a table
    yield from _plain(value)


def _plain(value: Any) -> Iterator[tuple[tuple[str, ...], object]]:
    stack: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while stack:
        keys, each = stack.pop()
        if type(each).__module__ == "numpy":
            each = each.item()
        if type(each) is dict:
            inner = [(key, each[key]) for key in reversed(each) if type(key) is str]
            stack.extend(((*keys, key), item) for key, item in inner)
        elif each is None or type(each) in (bool, int, float, str):
            yield keys, each


def _config_cells(entry: Entry) -> Iterator[tuple[_Path, object]]:
    for task, config in entry.config.items():
        for steps, value in leaf_steps(config):
            shown = encode(value) if isinstance(value, Opaque) else value
            yield ("config", (task, *steps)), shown


def _value_cells(entry: Entry, store: Readable) -> Iterator[tuple[_Path, object]]:
    for artifact in entry.artifacts:
        for keys, value in plain_values(store, entry.address, artifact):
            yield ("value", (artifact.name, *keys)), value


def _identity(entry: Entry) -> Row:
    return {
        "id": str(entry.address),
        "task": entry.address.task,
        "key": entry.address.key,
        "state": entry.state.value,
    }


def _moment(time: float) -> datetime | None:
    """A time with its zone; None of one that no calendar has."""
    try:
        return datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _times(entry: Entry) -> Row:
    ended = None if entry.ended is None else _moment(entry.ended)
    times = {
        "duration_s": entry.duration_s,
        "ended": ended,
        "run": entry.run,
        "cached": entry.is_cached,
    }
    return {name: value for name, value in times.items() if value is not None}


def _names(paths: Sequence[_Path]) -> dict[_Path, str]:
    """A name for each path: `Train.lr`; where two would share it, dots in keys are quoted."""
    taken = {each.name for each in (*_IDENTITY, *_TIMES)}
    plain = {path: ".".join(map(str, path[1])) for path in paths}
    owners: dict[tuple[Kind, str], int] = {}
    for path, name in plain.items():
        owners[path[0], name] = owners.get((path[0], name), 0) + 1
    names = {}
    for path, name in plain.items():
        if owners[path[0], name] > 1:
            name = ".".join(map(_quoted, path[1]))
        while name in taken:
            name = f"artifact.{name}" if path[0] == "value" else f"config.{name}"
        taken.add(name)
        names[path] = name
    return names


def _quoted(step: object) -> str:
    is_plain = type(step) is str and step.isidentifier()
    return str(step) if is_plain or type(step) is not str else json.dumps(step, ensure_ascii=False)


def _is_same(one: object, other: object) -> bool:
    """Whether two values are one and the same, types included; NaN is NaN."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if type(one) in (int, str, bool):
        return one == other
    try:
        return encode(one) == encode(other)
    except Unencodable:  # a value of the user's that was read from a record
        return repr(one) == repr(other)
