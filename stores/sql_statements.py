"""What is asked about the row of a key? Built once, for building takes longer than asking."""

from __future__ import annotations

import functools
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Float,
    LargeBinary,
    Select,
    Update,
    and_,
    bindparam,
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

from stores.lazy_dataclass import dataclass
from stores.sql_schema import records

FREE: Final = ("token", "owner", "host", "expires")
"""The columns of the lease: NULL while nobody has it."""

SETTLED: Final = ("committed", "task", "state", "started", "ended", "status", "record")
"""The columns that a commit or a removal writes."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Those for one kind of database; their parameters begin with `a_`.

    Attributes:
        claim: Takes a lease, and gives a row if it did.
        held: Who has the lease.
        live: The same, if it is a lease that cannot be taken.
        settle: Writes the columns of `SETTLED` and frees the lease, if that has a token.
        committed: The token of the last one that did.
        release: Frees the lease, if it has a token.
        forget: Deletes a row that never held anything but that lease.
        record: The record.
    """

    claim: ReturningInsert[Any]
    held: Select[Any]
    live: Select[Any]
    settle: Update
    committed: Select[Any]
    release: Update
    forget: Delete
    record: Select[Any]


@functools.lru_cache(maxsize=2)
def statements(*, is_sqlite: bool) -> Statements:
    """The statements for SQLite or PostgreSQL."""
    column, now = records.c, clock(is_sqlite=is_sqlite)
    is_key = and_(column.project == a("project"), column.key == a("key"))
    is_mine = and_(is_key, column.token == a("token"))
    held = select(column.owner, column.token).where(is_key)
    takeable = or_(column.token == a("token"), column.token == a("instead_of"))
    free: dict[str, Any] = dict.fromkeys(FREE)
    unused = and_(is_mine, column.record.is_(None), column.fence == 1)
    return Statements(
        claim=_claim(takeable, now, is_sqlite=is_sqlite),
        held=held,
        live=held.where(column.expires >= now, ~takeable),
        settle=update(records).where(is_mine).values(**free, **{each: a(each) for each in SETTLED}),
        committed=select(column.committed).where(is_key),
        release=update(records).where(is_mine).values(**free),
        forget=delete(records).where(unused),
        record=select(column.record).where(is_key),
    )


def _claim(
    takeable: ColumnElement[bool], now: ColumnElement[float], *, is_sqlite: bool
) -> ReturningInsert[Any]:
    insert = sqlite.insert if is_sqlite else postgresql.insert
    column, at_least = records.c, a("at_least")
    lease = {"token": a("token"), "owner": a("owner"), "host": a("host")}
    expires = now + a("lease_s")
    next_ = case((column.fence >= at_least, column.fence + 1), else_=at_least)
    # one without a time would be held for ever
    is_free = or_(column.token.is_(None), column.expires.is_(None), column.expires < now)
    place = {"project": a("project"), "key": a("key"), "task": a("task")}
    return (
        insert(records)
        .values(**place, fence=at_least, **lease, expires=expires)
        .on_conflict_do_update(
            index_elements=["project", "key"],
            set_={
                **lease,
                "expires": expires,
                "fence": case((column.token == a("token"), column.fence), else_=next_),
            },
            where=or_(is_free, takeable),
        )
        .returning(column.fence, column.record)
    )


def a(name: str) -> BindParameter[Any]:
    """A parameter; SQLAlchemy keeps the names of the columns for itself."""
    return bindparam(f"a_{name}", type_=_TYPES.get(name))


_TYPES: Final = {
    **{each.name: each.type for each in records.c},
    "instead_of": records.c.token.type,
    "at_least": records.c.fence.type,
    "lease_s": Float(),
}


def clock(*, is_sqlite: bool) -> ColumnElement[float]:
    """The clock of the database, in seconds since 1970."""
    if is_sqlite:
        return (func.julianday("now", type_=Float) - 2440587.5) * 86400.0
    return cast(func.extract("epoch", func.clock_timestamp()), Float)


def record_bytes(*, is_sqlite: bool) -> ColumnElement[int]:
    """How many bytes the text of a record has; PostgreSQL knows without reading it."""
    if is_sqlite:
        return func.length(cast(records.c.record, LargeBinary))
    return func.octet_length(records.c.record)
