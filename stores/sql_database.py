"""Connections to a SQL database: made anew in every process, asked again when it is away."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ARRAY,
    URL,
    ColumnElement,
    Connection,
    Engine,
    String,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from stores.errors import StoreError, StoreUnwritable, unwritable
from stores.file_layout import make_folder
from stores.patience import Patience
from stores.sql_address import on_network
from stores.sql_schema import is_current, prepare

T = TypeVar("T")

_BUSY_S: Final = 60.0
"""So long a writer of SQLite waits for the others."""

_BUSY_PAUSE_S: Final = (0.0005, 0.004)
"""Between two looks, drawn at random: SQLite's own waiting grows to 0.1 s and starves some."""

_FOREVER: Final = re.compile(
    r"authentication|no password|does not exist|no pg_hba|not permitted to log in|"
    r"permission denied|invalid \w+ (value|number|option)|invalid (integer|connection|URI)",
    re.IGNORECASE,
)
"""Answers to a connection that waiting does not change."""

_CONNECT_S: Final = 10
"""So long a server may take to answer at all: by itself the driver waits for two minutes."""

BINARY: Final = "flowlib_binary"
"""An option of statements: PostgreSQL answers in bytes, which as text would be twice as long."""

_FORBIDDEN: Final = frozenset({"42501", "25006", "53100"})
"""What PostgreSQL calls a missing right, a server that is only read, and a full disk."""


class Database:
    """One database, for any number of threads and forked processes.

    Args:
        url: Its address, as `parsed_url` gives it.
        fsync: Whether SQLite waits for the disk at every commit.
        patience_s: How long to wait for a server that has gone away.
    """

    def __init__(self, url: URL, *, fsync: bool, patience_s: float) -> None:
        self.url, self._fsync = url, fsync
        self.is_sqlite = url.get_backend_name() == "sqlite"
        shown = url.difference_update_query(["sslpassword"])
        self.name = shown.render_as_string(hide_password=True)
        self._patience = Patience(self.name, _is_passing, patience_s)
        self._engines: dict[int, Engine] = {}
        self._is_prepared = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engines": {}}

    def read(self, question: Callable[[Connection], T]) -> T:
        """What `question` finds in one view of the database."""
        return self._asked(question, is_write=False)

    def write(self, question: Callable[[Connection], T]) -> T:
        """What `question` returns, after what it wrote was committed.

        It may be asked twice when the first answer was lost.
        """
        return self._asked(question, is_write=True)

    def close(self) -> None:
        """Close all connections; the next question opens new ones."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    def _asked(self, question: Callable[[Connection], T], *, is_write: bool) -> T:
        def ask() -> T:
            if self.is_sqlite and not (path := Path(str(self.url.database))).exists():
                self.close()  # connections to a file that was deleted would write into nothing
                self._is_prepared = False
                if not is_write:
                    return self._of_nothing(question)
                make_folder(str(path.parent))
            engine = self._engine()
            if not self._is_prepared:
                self._prepare(engine)
            with _begun(engine, is_write=is_write) as connection:
                return question(connection)

        return self._translated(_when_free(ask) if self.is_sqlite else ask)

    def _prepare(self, engine: Engine) -> None:
        with _begun(engine, is_write=False) as connection:
            is_ready = is_current(connection)
        if not is_ready:
            with _begun(engine, is_write=True) as connection:
                prepare(connection, self.name)
        self._is_prepared = True

    def _of_nothing(self, question: Callable[[Connection], T]) -> T:
        """What is found in a file that is not there, without making it."""
        engine = create_engine("sqlite://")
        try:
            with engine.begin() as connection:
                prepare(connection, self.name)
                return question(connection)
        finally:
            engine.dispose()

    def _translated(self, ask: Callable[[], T]) -> T:
        try:
            return self._patience.ask(ask)
        except SQLAlchemyError as error:
            raise self._store_error(error) from error

    def _engine(self) -> Engine:
        pid = os.getpid()
        engine = self._engines.get(pid)
        if engine is None:
            for inherited in self._engines.values():
                inherited.dispose(close=False)  # its connections belong to the parent
            self._engines.clear()
            engine = self._engines[pid] = self._made()
        return engine

    def _made(self) -> Engine:
        try:
            if not self.is_sqlite:
                more = {"hide_parameters": True, "pool_pre_ping": False, "pool_size": 4}
                engine = create_engine(self.url, **more, connect_args=self._connecting())
                event.listen(engine, "before_cursor_execute", _choose_format)
                return engine
            engine = create_engine(self.url, hide_parameters=True, connect_args={"timeout": 0})
        except NoSuchModuleError as error:
            raise StoreError(f"{self.name}: {error}") from None
        except ImportError as error:
            raise StoreError(
                f"{self.name} needs a package that is not here ({error}): "
                f"pip install 'flowlib-runner[{'sql' if self.is_sqlite else 'postgresql'}]'"
            ) from None
        event.listen(engine, "connect", self._set_up)
        event.listen(engine, "begin", _begin)
        return engine

    def _connecting(self) -> dict[str, Any]:
        """How to connect: the address and the usual variable of PostgreSQL say more."""
        is_postgresql = "psycopg" in self.url.get_driver_name()
        is_given = "connect_timeout" in self.url.query or "PGCONNECT_TIMEOUT" in os.environ
        return {"connect_timeout": _CONNECT_S} if is_postgresql and not is_given else {}

    def _set_up(self, connection: Any, _: object) -> None:
        """SQLite: transactions begin when we say so, readers do not block writers."""
        connection.isolation_level = None
        cursor = connection.cursor()
        mode = "DELETE" if on_network(str(self.url.database)) else "WAL"
        cursor.execute(f"PRAGMA journal_mode={mode}")
        cursor.execute(f"PRAGMA synchronous={'FULL' if self._fsync else 'NORMAL'}")
        cursor.close()

    def _store_error(self, error: SQLAlchemyError) -> StoreError:
        said = str(getattr(error, "orig", None) or error)
        number = _errno_of(said)
        if number is not None:
            found = unwritable(OSError(number, said), self.name)
            if found is not None:
                return found
        if "unable to open database file" in said:
            return StoreUnwritable(f"{self.name}: its folder is not there or cannot be written to")
        if getattr(getattr(error, "orig", None), "sqlstate", None) in _FORBIDDEN:
            return StoreUnwritable(f"{self.name}: {said.splitlines()[0]}")
        if "not a database" in said or "malformed" in said:
            return StoreError(f"{self.name} is no SQLite database, or a damaged one ({said})")
        return StoreError(f"{self.name}: {type(error).__name__}: {said.splitlines()[0]}")


def _when_free(ask: Callable[[], T]) -> Callable[[], T]:
    """A question to SQLite that waits for its turn: others write for milliseconds only."""

    def wait() -> T:
        limit = time.monotonic() + _BUSY_S
        while True:
            try:
                return ask()
            except (DBAPIError, sqlite3.OperationalError) as error:
                if not _is_busy(error) or time.monotonic() > limit:
                    raise
            time.sleep(random.uniform(*_BUSY_PAUSE_S))  # noqa: S311  # not for secrets

    return wait


def _is_busy(error: Exception) -> bool:
    return "is locked" in str(error)


@contextmanager
def _begun(engine: Engine, *, is_write: bool) -> Iterator[Connection]:
    """A transaction; SQLite's has the right to write from its beginning if it is to."""
    with engine.connect() as connection:
        connection = connection.execution_options(flowlib_write=is_write)
        with connection.begin():
            yield connection


def _begin(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("flowlib_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _choose_format(*said: Any) -> None:
    """Called with connection, cursor, statement, parameters, context."""
    cursor, context = said[1], said[4]
    if context is not None and context.execution_options.get(BINARY):
        cursor.format = 1


def _is_passing(error: Exception) -> bool:
    """Whether a database is away, busy or has given up a transaction that may be tried again."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    said, state = str(error.orig), getattr(error.orig, "sqlstate", None)
    if _is_busy(error):
        return True
    if state is not None:
        return str(state)[:2] in ("08", "40") or state in ("57P01", "57P02", "57P03", "53300")
    is_connection = type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
    is_postgres = type(error.orig).__module__.startswith("psycopg")
    return is_postgres and is_connection and not _FOREVER.search(said)


def _errno_of(said: str) -> int | None:
    known = {"database or disk is full": errno.ENOSPC, "readonly database": errno.EACCES}
    return next((number for words, number in known.items() if words in said), None)


def in_keys(
    column: ColumnElement[str], keys: Sequence[str], *, is_sqlite: bool
) -> ColumnElement[bool]:
    """Whether a column is among many keys, which travel as one parameter."""
    if is_sqlite:
        listed = func.json_each(json.dumps(list(keys))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(keys), ARRAY(String)))
