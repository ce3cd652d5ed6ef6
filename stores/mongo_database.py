"""Connections to a MongoDB: one client per process, asked again when the server is away."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pymongo
from pymongo.collection import Collection
from pymongo.database import Database as PymongoDatabase
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from stores.errors import RecordTooNew, StoreError
from stores.patience import Patience

T = TypeVar("T")
Document = dict[str, Any]

VERSION: Final = 1
"""Of the documents. Newer ones are refused."""

_SELECTION_MS: Final = 2_000
"""So long one question waits for a server; `Patience` asks again."""

_PASSING_CODES: Final = frozenset({91, 112, 189, 262, 11600, 11602, 10107, 13435, 13436})
"""Shutdown, write conflict, step-down, not primary: the server says to try again."""


class MongoDatabase:
    """One database of a MongoDB.

    Args:
        host: A URI, or a host name; `localhost` if None.
        name: Of the database; the URI's if None.
        collection: Of the records.
        patience_s: How long to wait for a server that has gone away.

    Raises:
        StoreError: the URI is none, or no database is named.
    """

    def __init__(
        self, host: str | None, name: str | None, collection: str, patience_s: float
    ) -> None:
        self._host = host or "mongodb://localhost"
        if "://" not in self._host:
            self._host = f"mongodb://{self._host}"
        self._name = name or _database_in(self._host)
        self._collection = collection
        self.name = f"{redacted(self._host)}/{self._name}"
        self._patience = Patience(self.name, _is_passing, patience_s)
        self._clients: dict[int, pymongo.MongoClient[Document]] = {}
        self._is_prepared = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_clients": {}}

    def ask(self, question: Callable[[Collection[Document]], T]) -> T:
        """What a question to the collection of the records finds or does.

        It may be asked twice when the first answer was lost.

        Raises:
            StoreError: the server refuses it, or is away for too long.
        """
        return self.ask_all(lambda database: question(self._records_of(database)))

    def ask_all(self, question: Callable[[PymongoDatabase[Document]], T]) -> T:
        """What a question to the database finds or does; see `ask`."""

        def ask() -> T:
            database = self._database()
            if not self._is_prepared:
                self._prepare(database)
            return question(database)

        try:
            return self._patience.ask(ask)
        except PyMongoError as error:
            said = redacted(str(error)).partition(", Timeout:")[0]
            raise StoreError(f"{self.name}: {type(error).__name__}: {said}") from error

    def close(self) -> None:
        """Close the client; the next question makes another one."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _records_of(self, database: PymongoDatabase[Document]) -> Collection[Document]:
        return database[self._collection]

    def _database(self) -> PymongoDatabase[Document]:
        pid = os.getpid()
        client = self._clients.get(pid)
        if client is None:
            self._clients.clear()  # the parent's; its sockets are not ours
            client = self._clients[pid] = pymongo.MongoClient(
                self._host, serverSelectionTimeoutMS=_SELECTION_MS, retryWrites=True
            )
        return client.get_database(
            self._name,
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
            read_preference=pymongo.ReadPreference.PRIMARY,
        )

    def _prepare(self, database: PymongoDatabase[Document]) -> None:
        facts = database[f"{self._collection}.facts"]
        found = facts.find_one({"_id": "version"})
        if found is None:
            database[self._collection].create_indexes(INDEXES)
            database[f"{self._collection}.pieces.files"].create_index("metadata.key")
            facts.update_one({"_id": "version"}, {"$setOnInsert": {"value": VERSION}}, upsert=True)
        elif found["value"] > VERSION:
            raise RecordTooNew(
                f"{self.name} has documents of version {found['value']}, this flowlib knows up to "
                f"{VERSION}: use the flowlib that made them, or a newer one"
            )
        self._is_prepared = True


INDEXES: Final = [
    pymongo.IndexModel([("project", 1), (field, 1), ("_id", 1)], name=f"by_{field}")
    for field in ("task", "state", "ended", "params")
] + [pymongo.IndexModel([("lease.expires", 1)], name="by_lease", sparse=True)]
"""Every query that is offered has one."""


def redacted(text: str) -> str:
    """A text in which the password of a URI is hidden, and its options are gone."""
    hidden = re.sub(r"(\w+://[^:/@\s]*):[^\s]*@", r"\1:***@", text)
    return re.sub(r"(\w+://[^/\s]*)/\S*", r"\1", hidden)


def _database_in(uri: str) -> str:
    try:
        found = pymongo.uri_parser.parse_uri(uri, validate=False)["database"]
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise StoreError(f"{redacted(uri)} is no address of a MongoDB: {error}") from None
    if not found:
        raise StoreError(
            f"{redacted(uri)} names no database: write mongodb://host:port/database, or give db="
        )
    return str(found)


def _is_passing(error: Exception) -> bool:
    """Whether the server is away or asks to try again."""
    if isinstance(error, AutoReconnect):
        return True
    if not isinstance(error, OperationFailure):
        return False
    return error.code in _PASSING_CODES or error.has_error_label("RetryableWriteError")
