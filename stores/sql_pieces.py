"""Large values in a SQL store: rows of a megabyte each, which count when all are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stores.chunked import chunked_stream
from stores.sql_database import Database, in_keys
from stores.sql_schema import chunks, pieces, records
from stores.transfer import CHUNK_BYTES

_PER_COMMIT: Final = 8
"""So many chunks are written by one transaction: SQLite lets nobody else write meanwhile."""

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
        """Write a value."""
        where = {"project": self._project, "key": key, "name": name}
        batch = self._next(source, where, 0)
        is_whole = size <= _PER_COMMIT * CHUNK_BYTES
        head = self._insert(pieces).values(**where, size=size if is_whole else _INCOMPLETE)
        self._database.write(lambda c: self._put(c, batch, head.on_conflict_do_nothing()))
        if is_whole:
            return
        number = len(batch)
        while batch := self._next(source, where, number):
            number += len(batch)
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

        def fetch(number: int) -> bytes:
            wanted = select(chunks.c.data).where(
                self._is(chunks, key, name), chunks.c.number == number
            )
            found = self._database.read(lambda c: c.execute(wanted).scalar_one_or_none())
            if found is None:
                raise EOFError(f"piece {number} is gone")
            return bytes(found)

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

    def _next(
        self, source: BinaryIO, where: dict[str, str], number: int
    ) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        while len(rows) < _PER_COMMIT and (data := source.read(CHUNK_BYTES)):
            rows.append({**where, "number": number + len(rows), "data": data})
        return rows

    def _put(
        self,
        connection: Connection,
        rows: list[dict[str, object]],
        head: sqlite.Insert | postgresql.Insert | None = None,
    ) -> None:
        if head is not None:
            connection.execute(head)
        if rows:
            connection.execute(self._insert(chunks).on_conflict_do_nothing(), rows)

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        return sqlite.insert(table) if self._database.is_sqlite else postgresql.insert(table)

    def _is(self, table: Table, key: str, name: str) -> ColumnElement[bool]:
        column = table.c
        return and_(column.project == self._project, column.key == key, column.name == name)
