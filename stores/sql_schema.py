"""The tables of a SQL store, their version, and how older ones become newer ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)

from stores.errors import RecordTooNew

VERSION: Final = 1
"""Of the tables. A store with older ones is brought up to date when it is opened."""

_LOCK: Final = 0x666C6F77
"""Of PostgreSQL: only one process makes tables."""

metadata = MetaData()

_WORD: Final = String().with_variant(String(collation="C"), "postgresql")
"""Sorted by characters, as Python and SQLite sort, whatever the language of the database."""

facts = Table(
    "flowlib_facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

records = Table(
    "flowlib_records",
    metadata,
    Column("project", _WORD, nullable=False),
    Column("key", _WORD, nullable=False),
    Column("task", _WORD, nullable=False),
    # the lease; the fence is the number of the last attempt, and stays when all else goes
    Column("fence", Integer, nullable=False),
    Column("token", String),
    Column("owner", String),
    Column("host", String),
    Column("expires", Float),
    Column("committed", String),
    # the record, and what it is found by
    Column("state", String),
    Column("started", Float),
    Column("ended", Float),
    Column("status", Text),
    Column("record", Text),
    PrimaryKeyConstraint("project", "key"),
)
Index("flowlib_records_task", records.c.project, records.c.task, records.c.key)
Index("flowlib_records_state", records.c.project, records.c.state)
Index("flowlib_records_ended", records.c.project, records.c.ended)

pieces = Table(
    "flowlib_pieces",
    metadata,
    Column("project", _WORD, nullable=False),
    Column("key", _WORD, nullable=False),
    Column("name", _WORD, nullable=False),
    Column("size", BigInteger, nullable=False),  # -1 until all chunks are there
    PrimaryKeyConstraint("project", "key", "name"),
)

chunks = Table(
    "flowlib_chunks",
    metadata,
    Column("project", _WORD, nullable=False),
    Column("key", _WORD, nullable=False),
    Column("name", _WORD, nullable=False),
    Column("number", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("project", "key", "name", "number"),
)

Migration = Callable[[Connection], None]

MIGRATIONS: Final[Mapping[int, Migration]] = {}
"""By the version they start from: what brings the tables to the next version."""


def prepare(
    connection: Connection,
    where: str,
    *,
    version: int = VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> None:
    """Make the tables, or bring older ones up to date; in one transaction of the caller.

    Raises:
        RecordTooNew: they are those of a newer flowlib.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if not inspect(connection).has_table(facts.name):
        metadata.create_all(connection)
        if connection.dialect.name == "postgresql":  # what is compressed already
            connection.execute(text("ALTER TABLE flowlib_chunks ALTER data SET STORAGE EXTERNAL"))
        connection.execute(facts.insert().values(name="version", value=str(version)))
        return
    found = _version(connection)
    if found > version:
        raise RecordTooNew(
            f"{where} has tables of version {found}, this flowlib knows up to {version}: use the "
            f"flowlib that made them, or a newer one"
        )
    for each in range(found, version):
        migrations[each](connection)
    if found < version:
        connection.execute(
            facts.update().where(facts.c.name == "version").values(value=str(version))
        )


def is_current(connection: Connection, version: int = VERSION) -> bool:
    """Whether the tables are there and of this version."""
    return inspect(connection).has_table(facts.name) and _version(connection) == version


def _version(connection: Connection) -> int:
    return int(
        connection.execute(select(facts.c.value).where(facts.c.name == "version")).scalar_one()
    )
