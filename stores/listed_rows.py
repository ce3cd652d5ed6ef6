"""
What has a list to know of thousands of records to find a page at once? A table in a temporary file.

It is SQLite's own temporary database: no other process sees it, it is gone with the process, and of
it no more than a few megabytes are in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from stores.index_entry import Listed
from stores.listing import Listing
from stores.record import Address
from stores.row import readable, storable

_CACHE_KB: Final = 4_096
_LARGEST: Final = (1 << 63) - 1
"""The largest number of SQLite; some file systems give larger ones to files."""

_MADE: Final = (
    f"PRAGMA cache_size = -{_CACHE_KB}",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    """CREATE TABLE listed (
        task TEXT, key TEXT, inode INTEGER, size INTEGER, time_ns INTEGER, state TEXT,
        started REAL, ended REAL, moment REAL AS (COALESCE(ended, started)) STORED
    )""",
    "CREATE UNIQUE INDEX by_key ON listed (task, key)",
)
_ORDERED: Final = (
    "CREATE INDEX by_moment ON listed (moment)",
    "CREATE INDEX by_state ON listed (state, moment)",
    "CREATE INDEX by_task ON listed (task, moment)",
)
"""Made for the first page: an order is quicker made of many rows than kept while they come."""

_PUT: Final = """
    INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (task, key) DO UPDATE SET
        inode = excluded.inode, size = excluded.size, time_ns = excluded.time_ns,
        state = excluded.state, started = excluded.started, ended = excluded.ended"""
_NEWER: Final = " WHERE excluded.time_ns >= listed.time_ns"
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
        file: Inode, size and time of its file.
    """

    address: Address
    file: tuple[int, int, int]


class ListedRows:
    """The table. Records that cannot be read have no state and are on no page.

    Raises:
        sqlite3.Error: there is no room for it; so do all methods.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._is_ordered = False
        for statement in _MADE:
            self._database.execute(statement)

    def add(self, task: str, listed: Iterable[Listed]) -> int:
        """Take what is newer than what is known; how many there were."""
        return self._put(_PUT + _NEWER, task, listed)

    def put(self, task: str, listed: Listed) -> None:
        """Take what is known for certain."""
        self._put(_PUT, task, [listed])

    def _put(self, statement: str, task: str, listed: Iterable[Listed]) -> int:
        name, before = _stored(task), self._database.total_changes
        rows = ((name, _stored(e[0]), narrow(e[1]), *e[2:]) for e in listed)
        self._database.execute("BEGIN")
        try:
            self._database.executemany(statement, rows)
        finally:
            self._database.execute("COMMIT")
        return self._database.total_changes - before

    def drop(self, task: str, keys: Iterable[str]) -> None:
        """Forget records that are gone."""
        gone = [(_stored(task), _stored(key)) for key in keys]
        self._database.executemany("DELETE FROM listed WHERE task = ? AND key = ?", gone)

    def inodes(self, task: str) -> Mapping[str, int]:
        """The keys of a task that are known, with the inodes of their files."""
        found = self._database.execute(
            "SELECT key, inode FROM listed WHERE task = ?", [_stored(task)]
        )
        return {_read(key): inode for key, inode in found}

    def drop_task(self, task: str) -> None:
        """Forget all records of a task."""
        self._database.execute("DELETE FROM listed WHERE task = ?", [_stored(task)])

    def page(self, wanted: Listing) -> tuple[list[Place], int]:
        """The places of the records of a page, and how many fit."""
        if not self._is_ordered:
            for statement in _ORDERED:
                self._database.execute(statement)
            self._is_ordered = True
        fits, given = _fitting(wanted)
        [total] = self._database.execute(
            f"SELECT COUNT(*) FROM listed WHERE {fits}", given
        ).fetchone()  # noqa: S608  # words of ours
        turn = "DESC" if wanted.is_down else "ASC"
        order = [f"{each} {turn} NULLS LAST" for each in _VALUES[wanted.order]]
        if wanted.order != "id":
            order += ["task", "key"]
        found = self._database.execute(
            f"SELECT task, key, inode, size, time_ns FROM listed WHERE {fits} "  # noqa: S608  # as above
            f"ORDER BY {', '.join(order)} LIMIT ? OFFSET ?",
            [*given, wanted.limit, wanted.offset],
        )
        return [Place(Address(_read(row[0]), _read(row[1])), row[2:]) for row in found], total

    def close(self) -> None:
        """Give its room back."""
        self._database.close()


def narrow(inode: int) -> int:
    """The number of a file as the table has it."""
    return inode & _LARGEST


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
