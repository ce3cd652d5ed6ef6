"""The row of each key in a SQL store: claims, commits, renewals, one atomic statement each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    and_,
    case,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from stores.lease import LeaseTimes, Owner
from stores.record import Address
from stores.row import Claim, Row, storable
from stores.sql_database import Database, in_keys
from stores.sql_schema import records

_FREE = {"token": None, "owner": None, "host": None, "expires": None}


class SqlRows:
    """The rows of one project.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
        times: When a lease that nobody renews is free.
    """

    def __init__(self, database: Database, project: str, times: LeaseTimes) -> None:
        self._database, self._project, self._times = database, project, times

    def claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> Claim:
        """Take a lease if it is free, expired, or `instead_of` is its token."""
        column, now = records.c, self._now
        statement = self._claiming(address, owner, token, at_least, instead_of)
        held = select(column.owner, column.token).where(self._is(address.key))
        if self._database.is_sqlite:  # where one writes at a time, look before
            live = held.where(column.expires >= now, column.token.not_in([token, instead_of]))
            other = self._database.read(lambda connection: connection.execute(live).one_or_none())
            if other is not None:
                return Claim(False, 0, holder(other.owner), other.token)

        def ask(connection: Connection) -> Claim | None:
            found = connection.execute(statement).one_or_none()
            if found is not None:
                return Claim(True, found.fence, owner, token, found.record)
            other = connection.execute(held).one_or_none()
            if other is None or other.token is None:  # it was given up meanwhile
                return None
            return Claim(False, 0, holder(other.owner), other.token)

        while (answer := self._database.write(ask)) is None:
            continue
        return answer

    def _claiming(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> ReturningInsert[Any]:
        """The statement that takes a lease, and gives a row if it did."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        column = records.c
        now = self._now
        lease = {
            "token": token,
            "owner": json.dumps(owner.to_list()),
            "host": owner.host,
            "expires": now + self._times.lease_s,
        }
        next_ = case((column.fence >= at_least, column.fence + 1), else_=at_least)
        taken = case((column.token == token, column.fence), else_=next_)
        return (
            insert(records)
            .values(
                project=self._project,
                key=address.key,
                task=storable(address.task),
                fence=at_least,
                **lease,
            )
            .on_conflict_do_update(
                index_elements=["project", "key"],
                set_={**lease, "fence": taken},
                where=or_(self._is_free(), column.token.in_([token, instead_of])),
            )
            .returning(column.fence, column.record)
        )

    def commit(self, address: Address, token: str, row: Row) -> bool:
        """Put a record in force; False if the lease has another token by now."""
        record = row.parsed
        counts = record.finished or record.latest
        values = {
            **_FREE,
            "committed": token,
            "task": storable(address.task),
            "state": record.state.value,
            "started": counts.started,
            "ended": counts.ended,
            "status": row.status,
            "record": row.record,
        }

        def ask(connection: Connection) -> bool:
            if self._change(connection, address.key, token, values):
                return True
            mine = select(records.c.committed).where(self._is(address.key))
            return connection.execute(mine).scalar_one_or_none() == token  # a lost answer

        return self._database.write(ask)

    def release(self, address: Address, token: str) -> None:
        """Free a lease; the row goes if it never held anything."""
        unused = and_(
            self._is(address.key),
            records.c.token == token,
            records.c.record.is_(None),
            records.c.fence == 1,
        )

        def ask(connection: Connection) -> None:
            if not connection.execute(delete(records).where(unused)).rowcount:
                self._change(connection, address.key, token, _FREE)

        self._database.write(ask)

    def renew(self, keys: Sequence[str], host: str) -> None:
        """Move the expiry of the leases that processes of `host` have."""
        column = records.c
        statement = (
            update(records)
            .where(column.project == self._project, self._among(keys), column.host == host)
            .values(expires=self._now + self._times.lease_s)
        )
        self._database.write(lambda connection: connection.execute(statement))

    def clear(self, address: Address, token: str) -> bool:
        """Remove a record and free its lease; the number of the last attempt stays."""
        empty = {**_FREE, "state": None, "status": None, "record": None, "committed": token}

        def ask(connection: Connection) -> bool:
            if self._change(connection, address.key, token, empty):
                return True
            mine = select(records.c.committed).where(self._is(address.key))
            return connection.execute(mine).scalar_one_or_none() == token

        return self._database.write(ask)

    def record_text(self, key: str) -> str | None:
        """The record of a key."""
        statement = select(records.c.record).where(self._is(key))
        return self._database.read(lambda c: c.execute(statement).scalar_one_or_none())

    def status_texts(self, keys: Sequence[str]) -> list[tuple[str, str]]:
        """Key and status of those keys that have a record."""
        column = records.c
        statement = select(column.key, column.status).where(
            column.project == self._project, self._among(keys), column.record.is_not(None)
        )
        found = self._database.read(lambda c: c.execute(statement).all())
        return [(row.key, row.status) for row in found]

    def _change(self, connection: Connection, key: str, token: str, values: dict[str, Any]) -> bool:
        statement = update(records).where(self._is(key), records.c.token == token).values(values)
        return connection.execute(statement).rowcount == 1

    def _is_free(self) -> ColumnElement[bool]:
        """Whether anybody may take a lease; one without a time would be held for ever."""
        column = records.c
        return or_(column.token.is_(None), column.expires.is_(None), column.expires < self._now)

    @property
    def _now(self) -> ColumnElement[float]:
        return clock(is_sqlite=self._database.is_sqlite)

    def _is(self, key: str) -> ColumnElement[bool]:
        return and_(records.c.project == self._project, records.c.key == key)

    def _among(self, keys: Sequence[str]) -> ColumnElement[bool]:
        return in_keys(records.c.key, keys, is_sqlite=self._database.is_sqlite)


def holder(owner: str | None) -> Owner:
    """Who has a lease; of one that is damaged nobody can tell, so it lasts until it expires."""
    try:
        return Owner.from_list(json.loads(owner or ""))
    except (ValueError, TypeError):
        return Owner("an unknown host", "", 0, 0)


def clock(*, is_sqlite: bool) -> ColumnElement[float]:
    """The clock of the database, in seconds since 1970."""
    if is_sqlite:
        return (func.julianday("now", type_=Float) - 2440587.5) * 86400.0
    return cast(func.extract("epoch", func.clock_timestamp()), Float)
