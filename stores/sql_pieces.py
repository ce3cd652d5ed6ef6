"""Large values in a SQL store: rows of a megabyte each, which count when all are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from stores.chunked import chunked_stream
from stores.sql_database import BINARY, Database, in_keys
from stores.sql_schema import chunks, pieces, records
from stores.transfer import CHUNK_BYTES

_PER_COMMIT: Final = 8
"""So many chunks are written by one transaction: SQLite lets nobody else write meanwhile."""

_PER_READ: Final = 8
"""So many are read by one question."""

_INCOMPLETE: Final = -1


class SqlPieces:
    """The large values of one project.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
    """

    def __init__(self, database: Database, project: str) -> None:
        self._database, self._project = database, project

    def put(self, key: str, name: str, source: BinaryIO, size: int) -> None:
        """Write a value: in one transaction, unless others would have to wait too long for it."""
        where = {"project": self._project, "key": key, "name": name}
        is_short = size <= _PER_COMMIT * CHUNK_BYTES
        head = self._insert(pieces).on_conflict_do_nothing()
        if is_short or not self._database.is_sqlite:

            def ask(connection: Connection) -> None:
                source.seek(0)  # it may be asked twice
                connection.execute(head.values(**where, size=size))
                for batch in self._batches(source, where):
                    self._put(connection, batch)

            self._database.write(ask)
            return
        self._database.write(lambda c: c.execute(head.values(**where, size=_INCOMPLETE)))
        for batch in self._batches(source, where):
            self._database.write(lambda c, rows=batch: self._put(c, rows))  # type: ignore[misc]
        done = update(pieces).where(self._is(pieces, key, name)).values(size=size)
        self._database.write(lambda connection: connection.execute(done))

    def open(self, key: str, name: str) -> BinaryIO:
        """A stream of a value.

        Raises:
            FileNotFoundError: there is none, or it is not complete.
        """
        size = self._database.read(
            lambda connection: connection.execute(
                select(pieces.c.size).where(self._is(pieces, key, name))
            ).scalar_one_or_none()
        )
        if size is None or size == _INCOMPLETE:
            raise FileNotFoundError(name)
        number = chunks.c.number
        among: ColumnElement[bool] = number.between(bindparam("first"), bindparam("last"))
        wanted = (
            select(number, chunks.c.data)
            .where(self._is(chunks, key, name), among)
            .order_by(number)
            .execution_options(**{BINARY: True})
        )

        def fetch(start: int) -> list[bytes]:
            asked = {"first": start, "last": start + _PER_READ - 1}
            found = self._database.read(lambda c: c.execute(wanted, asked).all())
            return [row.data for at, row in enumerate(found) if row.number == start + at]

        return chunked_stream(fetch, size, CHUNK_BYTES)

    def drop(self, key: str, names: Sequence[str]) -> None:
        """Delete values."""
        if not names:
            return

        def ask(connection: Connection) -> None:
            for table in (chunks, pieces):
                for name in names:
                    connection.execute(delete(table).where(self._is(table, key, name)))

        self._database.write(ask)

    def sizes(self, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """The sizes of all values of some keys, by key and name."""
        column = pieces.c
        among = in_keys(column.key, keys, is_sqlite=self._database.is_sqlite)
        wanted = select(column.key, column.name, column.size).where(
            column.project == self._project, among
        )
        found = self._database.read(lambda connection: connection.execute(wanted).all())
        return {(row.key, row.name): row.size for row in found}

    def all(self) -> list[tuple[str, str, str, int]]:
        """Task, key, name and size of all values."""
        column = pieces.c
        same = and_(records.c.project == column.project, records.c.key == column.key)
        wanted = (
            select(records.c.task, column.key, column.name, column.size)
            .join_from(pieces, records, same)
            .where(column.project == self._project)
        )
        found = self._database.read(lambda connection: connection.execute(wanted).all())
        return [(row.task, row.key, row.name, row.size) for row in found]

    def _batches(
        self, source: BinaryIO, where: Mapping[str, str]
    ) -> Iterator[list[dict[str, object]]]:
        """The rows of all chunks, some at a time."""
        number = 0
        while True:
            rows: list[dict[str, object]] = []
            while len(rows) < _PER_COMMIT and (data := source.read(CHUNK_BYTES)):
                rows.append({**where, "number": number + len(rows), "data": data})
            if not rows:
                return
            yield rows
            number += len(rows)

    def _put(self, connection: Connection, rows: list[dict[str, object]]) -> None:
        connection.execute(self._insert(chunks).on_conflict_do_nothing(), rows)

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        return sqlite.insert(table) if self._database.is_sqlite else postgresql.insert(table)

    def _is(self, table: Table, key: str, name: str) -> ColumnElement[bool]:
        column = table.c
        return and_(column.project == self._project, column.key == key, column.name == name)
