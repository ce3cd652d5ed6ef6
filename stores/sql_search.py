"""Which rows of a SQL store are there, and which may fit a query?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select

from stores.lease import Owner
from stores.query import Query
from stores.record import Address
from stores.row import holder, readable, storable
from stores.sql_database import Database, in_keys
from stores.sql_schema import records
from stores.sql_statements import clock

_AT_ONCE: Final = 10_000
"""So many addresses are listed by one question."""

_MARKS_AT_ONCE: Final = 2_000
"""The same of marks: more at once take more memory than all that is kept of them."""

_TEXTS_AT_ONCE: Final = 500
"""So many records are read by one question."""


class SqlSearch:
    """The rows of one project.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
    """

    def __init__(self, database: Database, project: str) -> None:
        self._database, self._project = database, project

    def addresses(self, task: str | None) -> Iterator[Address]:
        """All addresses, or those of one task, some thousands at a time."""
        column = records.c
        after = ("", "")
        while True:
            task_and_key = and_(column.task == after[0], column.key > after[1])
            statement = (
                select(column.task, column.key)
                .where(column.project == self._project, column.record.is_not(None))
                .where(or_(column.task > after[0], task_and_key))
                .order_by(column.task, column.key)
                .limit(_AT_ONCE)
            )
            if task is not None:
                statement = statement.where(column.task == storable(task))
            found = self._database.read(lambda c, s=statement: c.execute(s).all())  # type: ignore[misc]
            yield from (Address(readable(row.task), row.key) for row in found)
            if len(found) < _AT_ONCE:
                return
            after = (found[-1].task, found[-1].key)

    def leases(self) -> list[tuple[Address, Owner]]:
        """All leases that have not expired."""
        column, now = records.c, clock(is_sqlite=self._database.is_sqlite)
        wanted = select(column.task, column.key, column.owner).where(
            column.project == self._project, column.token.is_not(None), column.expires >= now
        )
        found = self._database.read(lambda connection: connection.execute(wanted).all())
        return [(Address(readable(row.task), row.key), holder(row.owner)) for row in found]

    def pulse(self) -> object:
        """How many records there are, and when the attempt ended that did so last."""
        column = records.c
        of_project = column.project == self._project
        count = select(func.count()).where(of_project, column.state.is_not(None))
        last = select(func.max(column.ended)).where(of_project)
        return self._database.read(
            lambda c: (c.execute(count).scalar_one(), c.execute(last).scalar_one())
        )

    def marks(self) -> Iterator[tuple[Address, object]]:
        """The addresses of all records with the tokens of their last commits."""
        column, after = records.c, ""
        wanted = select(column.task, column.key, column.committed).where(
            column.project == self._project, column.record.is_not(None)
        )
        while True:
            page = wanted.where(column.key > after).order_by(column.key).limit(_MARKS_AT_ONCE)
            found = self._database.read(lambda c, page=page: c.execute(page).all())  # type: ignore[misc]
            yield from ((Address(readable(r.task), r.key), r.committed) for r in found)
            if len(found) < _MARKS_AT_ONCE:
                return
            after = found[-1].key

    def tasks(self) -> list[str]:
        """The names of all tasks that have records, sorted."""
        column = records.c
        wanted = (
            select(column.task)
            .distinct()
            .where(column.project == self._project, column.record.is_not(None))
        )
        found = self._database.read(lambda connection: connection.execute(wanted).all())
        return sorted(readable(row.task) for row in found)

    def texts(self, task: str, query: Query) -> Iterator[tuple[str, str]]:
        """Key and record of those of a task that may fit a query, some hundreds at a time."""
        column, after = records.c, ""
        wanted = select(column.key, column.record).where(
            column.project == self._project,
            column.task == storable(task),
            *self._conditions(query),
        )
        while True:
            page = wanted.where(column.key > after).order_by(column.key).limit(_TEXTS_AT_ONCE)
            found = self._database.read(lambda c, page=page: c.execute(page).all())  # type: ignore[misc]
            yield from ((row.key, row.record) for row in found)
            if len(found) < _TEXTS_AT_ONCE:
                return
            after = found[-1].key

    def _conditions(self, query: Query) -> Iterator[ColumnElement[bool]]:
        column = records.c
        yield column.record.is_not(None)
        if query.states is not None:
            yield column.state.in_([state.value for state in query.states])
        moment = func.coalesce(column.ended, column.started)  # as `sieve.ended_at`
        if query.since is not None:
            yield moment >= query.since
        if query.until is not None:
            yield moment < query.until
        if query.addresses is not None:
            keys = [each.key for each in query.addresses]
            yield in_keys(column.key, keys, is_sqlite=self._database.is_sqlite)
