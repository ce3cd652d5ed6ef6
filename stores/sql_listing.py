"""Which rows of a SQL store stand on one page of a list? Found by indexes, not by reading all."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from stores.listing import Listing
from stores.record import Address
from stores.row import readable, storable
from stores.sql_database import Database, in_keys
from stores.sql_schema import records


class SqlListing:
    """The rows of one project, page by page.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
    """

    def __init__(self, database: Database, project: str) -> None:
        self._database, self._project = database, project

    def listed(self, wanted: Listing) -> tuple[list[tuple[Address, str | None]], int]:
        """Addresses and records of one page, and how many there are on all."""
        column, mine = records.c, self._fitting(wanted)
        total = select(func.count()).where(*mine, _is_there(wanted))

        def ask(connection: Connection) -> tuple[list[tuple[Address, str | None]], int]:
            count = connection.execute(total).scalar_one()
            if wanted.order == "when":
                page = self._by_time(connection, wanted, mine)
            else:
                page = self._by_values(connection, wanted, mine)
            keys = [row.key for row in page]
            among = in_keys(column.key, keys, is_sqlite=self._database.is_sqlite)
            texts = select(column.key, column.record).where(column.project == self._project, among)
            found = {row.key: row.record for row in connection.execute(texts)}
            return [
                (Address(readable(row.task), row.key), found.get(row.key)) for row in page
            ], count

        return self._database.read(ask)

    def _fitting(self, wanted: Listing) -> Sequence[ColumnElement[bool]]:
        column = records.c
        found = [column.project == self._project]
        if wanted.task is not None:
            found.append(column.task == storable(wanted.task))
        if wanted.states is not None:
            found.append(column.state.in_(sorted(each.value for each in wanted.states)))
        return found

    def _by_values(
        self, connection: Connection, wanted: Listing, mine: Sequence[ColumnElement[bool]]
    ) -> Sequence[Any]:
        """By what each row tells by itself; what takes no index is found without the records."""
        column = records.c
        page = select(column.task, column.key).where(*mine, column.record.is_not(None))
        if wanted.order == "id":
            page = page.order_by(_turned(column.task, wanted), _turned(column.key, wanted))
        else:
            lasted = column.ended - column.started
            value = column.state if wanted.order == "state" else lasted
            order = [value.is_(None), _turned(value, wanted), column.task, column.key]
            page = page.order_by(*order)
        return connection.execute(page.limit(wanted.limit).offset(wanted.offset)).all()

    def _by_time(
        self, connection: Connection, wanted: Listing, mine: Sequence[ColumnElement[bool]]
    ) -> Sequence[Any]:
        """Those that have ended, and the few of which only the beginning is known, as one order.

        Two questions, as an index knows the end of an attempt and not both. What has no record has
        no times either; a word about its state would lead SQLite to the wrong index.
        """
        column = records.c
        ended = _ordered(column.ended, wanted).where(*mine, column.ended.is_not(None))
        begun = _ordered(column.started, wanted).where(
            *mine, column.ended.is_(None), column.started.is_not(None)
        )
        unknown = (
            select(column.task, column.key)
            .where(*mine, column.ended.is_(None), column.started.is_(None))
            .where(column.record.is_not(None))
            .order_by(column.task, column.key)
        )
        others = connection.execute(begun.limit(wanted.end)).all()
        if not others:
            page = ended.limit(wanted.limit).offset(wanted.offset)
            found = list(connection.execute(page).all())
        else:
            first = connection.execute(ended.limit(wanted.end)).all()
            sign = -1 if wanted.is_down else 1
            both = heapq.merge(first, others, key=lambda row: (sign * row.at, row.task, row.key))
            found = list(both)[wanted.offset : wanted.end]
        if len(found) == wanted.limit:
            return found
        count = select(func.count()).where(
            *mine, column.ended.is_not(None) | column.started.is_not(None)
        )
        before = connection.execute(count).scalar_one()
        start = max(0, wanted.offset - before)
        rest = unknown.limit(wanted.limit - len(found)).offset(start)
        return [*found, *connection.execute(rest).all()]


def _is_there(wanted: Listing) -> ColumnElement[bool]:
    """Whether a row has a record; of all rows an index tells it."""
    column = records.c
    return (column.state if wanted.task is None else column.record).is_not(None)


def _ordered(at: ColumnElement[Any], wanted: Listing) -> Select[Any]:
    column = records.c
    return select(column.task, column.key, at.label("at")).order_by(
        _turned(at, wanted), column.task, column.key
    )


def _turned(value: ColumnElement[Any], wanted: Listing) -> ColumnElement[Any]:
    return value.desc() if wanted.is_down else value.asc()
