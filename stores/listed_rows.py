"""
What has a list to know of thousands of records to find a page at once? A table in a temporary file.

It is SQLite's own temporary database: no other process sees it, it is gone with the process, and of
it no more than one or two megabytes are in memory. Python gives other threads their turn with every
answer of SQLite, and waits for its own again; so thousands of rows are one question, not thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from stores.index_entry import ListedParts
from stores.listing import Listing
from stores.record import Address
from stores.row import readable, storable

_CACHE_KB: Final = 1_024
_PARTS: Final = 6
_AT_ONCE: Final = 999 // _PARTS
"""Rows of one statement; it has a parameter for each of their parts, and 999 are allowed."""

_MADE: Final = (
    f"PRAGMA cache_size = -{_CACHE_KB}",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    """CREATE TABLE listed (
        task TEXT, key TEXT, inode INTEGER, stamp TEXT, state TEXT,
        started REAL, ended REAL, moment REAL AS (COALESCE(ended, started))
    )""",
)
_INDEXES: Final = {
    "by_place": "CREATE INDEX IF NOT EXISTS by_place ON listed (task)",
    "by_key": "CREATE UNIQUE INDEX IF NOT EXISTS by_key ON listed (task, key)",
    "by_moment": "CREATE INDEX IF NOT EXISTS by_moment ON listed (moment)",
    "by_state": "CREATE INDEX IF NOT EXISTS by_state ON listed (state, moment)",
    "by_task": "CREATE INDEX IF NOT EXISTS by_task ON listed (task, moment)",
}
"""Made when they are asked for: quicker of many rows than kept while these come."""

_PUT: Final = """
    INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (task, key) DO UPDATE SET
        inode = excluded.inode, stamp = excluded.stamp,
        state = excluded.state, started = excluded.started, ended = excluded.ended"""
_INODES: Final = """
    SELECT GROUP_CONCAT(key, CHAR(0)), GROUP_CONCAT(inode), MAX(place) FROM (
        SELECT key, inode, rowid AS place FROM listed WHERE task = ? AND rowid > ?
        ORDER BY rowid LIMIT 10000
    )"""
_TIME: Final = "CAST(SUBSTR({0}.stamp, INSTR({0}.stamp, ',') + 1) AS INTEGER)"
_NEWER: Final = f" WHERE {_TIME.format('excluded')} >= {_TIME.format('listed')}"
_VALUES: Final = {
    "when": ("moment",),
    "id": ("task", "key"),
    "state": ("state",),
    "time": ("ended - started",),
}


class Place(NamedTuple):
    """Where a record lies, and which file that was.

    Attributes:
        address: Of the record.
        file: Inode and stamp of its file.
    """

    address: Address
    file: tuple[int, str]


class ListedRows:
    """The table. Records that cannot be read have no state and are on no page.

    Raises:
        sqlite3.Error: there is no room for it; so do all methods.
    """

    def __init__(self) -> None:
        import sqlite3  # few runs list records

        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for statement in _MADE:
            self._database.execute(statement)

    def fill(self, task: str, listed: Iterable[ListedParts]) -> None:
        """Take many that are not known, and each key once."""
        name, rows = _stored(task), iter(listed)
        self._database.execute("BEGIN")
        try:
            while some := list(islice(rows, _AT_ONCE)):
                self._database.execute(*_filling(name, some))
        finally:
            self._database.execute("COMMIT")

    def add(self, task: str, listed: Iterable[ListedParts]) -> int:
        """Take what is newer than what is known; how many there were."""
        return self._put(_PUT + _NEWER, task, listed)

    def put(self, task: str, listed: ListedParts) -> None:
        """Take what is known for certain."""
        self._put(_PUT, task, [listed])

    def _put(self, statement: str, task: str, listed: Iterable[ListedParts]) -> int:
        rows, before = [_row(task, each) for each in listed], self._database.total_changes
        if not rows:
            return 0
        self._need("by_key")
        self._database.execute("BEGIN")
        try:
            self._database.executemany(statement, rows)
        finally:
            self._database.execute("COMMIT")
        return self._database.total_changes - before

    def _need(self, index: str) -> None:
        self._database.execute(_INDEXES[index])

    def drop(self, task: str, keys: Iterable[str]) -> None:
        """Forget records that are gone."""
        gone = [(_stored(task), _stored(key)) for key in keys]
        if gone:
            self._need("by_key")
            self._database.executemany("DELETE FROM listed WHERE task = ? AND key = ?", gone)

    def inodes(self, task: str) -> Iterator[tuple[str, int]]:
        """The keys of a task that are known, with the inodes of their files.

        Meanwhile nothing may be changed.
        """
        self._need("by_place")
        last = 0
        while True:
            [keys, inodes, last] = self._database.execute(_INODES, [_stored(task), last]).fetchone()
            if keys is None:
                return
            # no name that is stored holds a NUL
            yield from zip(map(_read, keys.split("\0")), map(int, inodes.split(",")), strict=True)

    def drop_task(self, task: str) -> None:
        """Forget all records of a task."""
        self._need("by_place")
        self._database.execute("DELETE FROM listed WHERE task = ?", [_stored(task)])

    def page(self, wanted: Listing) -> tuple[list[Place], int]:
        """The places of the records of a page, and how many fit."""
        self._need(_index_for(wanted))
        fits, given = _fitting(wanted)
        [total] = self._database.execute(
            f"SELECT COUNT(*) FROM listed WHERE {fits}", given
        ).fetchone()  # noqa: S608  # words of ours
        turn = "DESC" if wanted.is_down else "ASC"
        order = [f"{each} {turn} NULLS LAST" for each in _VALUES[wanted.order]]
        if wanted.order != "id":
            order += ["task", "key"]
        found = self._database.execute(
            f"SELECT task, key, inode, stamp FROM listed WHERE {fits} "  # noqa: S608  # as above
            f"ORDER BY {', '.join(order)} LIMIT ? OFFSET ?",
            [*given, wanted.limit, wanted.offset],
        )
        return [Place(Address(_read(row[0]), _read(row[1])), row[2:]) for row in found], total

    def close(self) -> None:
        """Give its room back."""
        self._database.close()


def _filling(task: str, rows: Sequence[ListedParts]) -> tuple[str, list[object]]:
    """The statement that takes some rows, and its parameters."""
    one = "(?1" + ", ?" * _PARTS + ")"
    if not all(row[0].isalnum() for row in rows):
        rows = [(_stored(row[0]), *row[1:]) for row in rows]
    values: list[object] = [task, *chain.from_iterable(rows)]
    return f"INSERT INTO listed VALUES {', '.join([one] * len(rows))}", values  # noqa: S608  # as below


def _row(task: str, listed: ListedParts) -> tuple[object, ...]:
    return _stored(task), _stored(listed[0]), *listed[1:]


def _index_for(wanted: Listing) -> str:
    """What finds a page quickly."""
    if wanted.order == "id":
        return "by_key"
    if wanted.task is not None:
        return "by_task"
    return "by_moment" if wanted.states is None else "by_state"


def _stored(name: str) -> str:
    return name if name.isalnum() else storable(name)


def _read(name: str) -> str:
    return readable(name) if "%" in name else name


def _fitting(wanted: Listing) -> tuple[str, list[Any]]:
    """What a row has to fulfil, with the values that it names."""
    fits, given = ["state IS NOT NULL"], []
    if wanted.task is not None:
        fits.append("task = ?")
        given.append(_stored(wanted.task))
    if wanted.states is not None:
        states = sorted(each.value for each in wanted.states)
        fits.append(f"state IN ({', '.join('?' * len(states))})")
        given += states
    return " AND ".join(fits), given
