"""The row of each key in a SQL store: claims, commits, renewals, one atomic statement each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from stores.lease import LeaseTimes, Owner
from stores.record import Address
from stores.row import Claim, Row, Told, holder, storable
from stores.sql_database import Database, in_keys
from stores.sql_schema import records
from stores.sql_statements import SETTLED, Statements, clock, record_bytes, statements


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
        known = self._statements
        taken = {
            **self._of(address.key, token),
            "a_task": storable(address.task),
            "a_owner": json.dumps(owner.to_list()),
            "a_host": owner.host,
            "a_at_least": at_least,
            "a_instead_of": instead_of,
            "a_lease_s": self._times.lease_s,
        }
        if self._database.is_sqlite:  # where one writes at a time, look before
            other = self._database.read(lambda c: c.execute(known.live, taken).one_or_none())
            if other is not None:
                return Claim(False, 0, holder(other.owner), other.token)

        def ask(connection: Connection) -> Claim | None:
            found = connection.execute(known.claim, taken).one_or_none()
            if found is not None:
                return Claim(True, found.fence, owner, token, found.record)
            other = connection.execute(known.held, self._of(address.key)).one_or_none()
            if other is None or other.token is None:  # it was given up meanwhile
                return None
            return Claim(False, 0, holder(other.owner), other.token)

        while (answer := self._database.write(ask)) is None:
            continue
        return answer

    def commit(self, address: Address, token: str, row: Row) -> bool:
        """Put a record in force; False if the lease has another token by now."""
        record = row.parsed
        counts = record.finished or record.latest
        return self._settle(
            address,
            token,
            state=record.state.value,
            started=counts.started,
            ended=counts.ended,
            status=row.status,
            record=row.record,
        )

    def clear(self, address: Address, token: str) -> bool:
        """Remove a record and free its lease; the number of the last attempt stays."""
        return self._settle(address, token)

    def _settle(self, address: Address, token: str, **values: object) -> bool:
        """Write what is given, and NULL for the rest."""
        known, mine = self._statements, self._of(address.key, token)
        fixed = {"committed": token, "task": storable(address.task)}
        written = {f"a_{each}": {**fixed, **values}.get(each) for each in SETTLED}

        def ask(connection: Connection) -> bool:
            if connection.execute(known.settle, {**mine, **written}).rowcount == 1:
                return True
            last = connection.execute(known.committed, self._of(address.key)).scalar_one_or_none()
            return last == token  # a lost answer

        return self._database.write(ask)

    def release(self, address: Address, token: str) -> None:
        """Free a lease; the row goes if it never held anything."""
        known, mine = self._statements, self._of(address.key, token)

        def ask(connection: Connection) -> None:
            if not connection.execute(known.forget, mine).rowcount:
                connection.execute(known.release, mine)

        self._database.write(ask)

    def renew(self, keys: Sequence[str], host: str) -> None:
        """Move the expiry of the leases that processes of `host` have."""
        column, is_sqlite = records.c, self._database.is_sqlite
        among = in_keys(column.key, keys, is_sqlite=is_sqlite)
        statement = (
            update(records)
            .where(column.project == self._project, among, column.host == host)
            .values(expires=clock(is_sqlite=is_sqlite) + self._times.lease_s)
        )
        self._database.write(lambda connection: connection.execute(statement))

    def record_text(self, key: str) -> str | None:
        """The record of a key."""
        wanted, mine = self._statements.record, self._of(key)
        return self._database.read(lambda c: c.execute(wanted, mine).scalar_one_or_none())

    def told(self, keys: Sequence[str]) -> list[Told]:
        """What those keys that have a record say of it."""
        column, is_sqlite = records.c, self._database.is_sqlite
        among = in_keys(column.key, keys, is_sqlite=is_sqlite)
        statement = select(column.key, column.status, record_bytes(is_sqlite=is_sqlite)).where(
            column.project == self._project, among, column.record.is_not(None)
        )
        found = self._database.read(lambda c: c.execute(statement).all())
        return [Told(*row) for row in found]

    @property
    def _statements(self) -> Statements:
        return statements(is_sqlite=self._database.is_sqlite)

    def _of(self, key: str, token: str | None = None) -> dict[str, Any]:
        found = {"a_project": self._project, "a_key": key}
        return found if token is None else {**found, "a_token": token}
