"""A store in a MongoDB, shared by many processes and hosts."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, ClassVar, Self

from stores.database import INLINE_LIMIT_BYTES, DatabaseStore
from stores.lease import Owner
from stores.listing import Listing
from stores.mongo_database import MongoDatabase
from stores.mongo_listing import MongoListing
from stores.mongo_pieces import MongoPieces
from stores.mongo_rows import LARGE_TEXT, MongoRows
from stores.mongo_search import MongoSearch
from stores.patience import PATIENCE_S
from stores.query import Query
from stores.record import Address, Record
from stores.row import Claim, Row, Told


class MongoDBStore(DatabaseStore):
    """Keeps one document per key and large values in GridFS; any number of processes may use it.

    Args:
        db: Name of the database; None takes that of the URI.
        collection_name: Of the documents; `flowlib` by default.
        host: A URI such as `mongodb://user:password@host:27017/database`, or a host name;
            `localhost` if None.
        project: Records, queries and deletions see only those of this project.
        lease_s: Seconds after which silent work on another host is taken over; 60 if not given.
        inline_limit: Bytes up to which an artifact is part of the record.
        allow_pickle: Whether pickles are loaded. Who can write to the store can then run code.
        patience_s: So long to wait for a server that has gone away.

    Raises:
        StoreError: the URI is none, or no database is named.
        RecordTooNew: at the first question, if the documents are those of a newer flowlib.
    """

    can_page: ClassVar[bool] = True

    def __init__(
        self,
        db: str | None = None,
        collection_name: str | None = None,
        host: str | None = None,
        *,
        project: str = "",
        lease_s: float | None = None,
        inline_limit: int = INLINE_LIMIT_BYTES,
        allow_pickle: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        super().__init__(
            lease_s=lease_s, inline_limit=inline_limit, allow_pickle=allow_pickle, project=project
        )
        collection = collection_name or "flowlib"
        self._place = (db, collection_name, host)
        self._database = MongoDatabase(host, db, collection, patience_s)
        self._rows = MongoRows(self._database, project, self.lease_times)
        self._search = MongoSearch(self._database, project)
        self._listing = MongoListing(self._database, project)
        self._pieces = MongoPieces(self._database, f"{collection}.pieces")
        self._collection = collection

    def __repr__(self) -> str:
        project = f", project={self.project!r}" if self.project else ""
        return f"MongoDBStore({self._database.name!r}, {self._collection!r}{project})"

    @property
    def shown_uri(self) -> str:
        project = f", project {self.project}" if self.project else ""
        return f"{self._database.name}, collection {self._collection}{project}"

    def beside(self, name: str) -> Self:
        return type(self)(*self._place, **self._options_beside(name))

    def close(self) -> None:
        self._database.close()

    def _claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> Claim:
        claim, piece = self._rows.claim(address, owner, token, at_least, instead_of)
        if piece is None or not claim.is_ours:
            return claim
        return replace(claim, record=self._record_text(address.key))

    def _commit(self, address: Address, token: str, row: Row) -> bool:
        piece = None
        records = self._id_of_records(address.key)
        if len(row.record) >= LARGE_TEXT:
            piece = f"{row.parsed.latest.number}/{token}"
            self._pieces.put(records, piece, io.BytesIO(row.record.encode()))
        is_committed = self._rows.commit(address, token, row, piece)
        if piece is not None or row.parsed.latest.number > 1:
            kept = piece if is_committed else self._rows.record_text(address.key)[1]
            old = [name for name in self._pieces.names(records) if name != kept]
            self._pieces.drop(records, old)
        return is_committed

    def _release(self, address: Address, token: str) -> None:
        self._rows.release(address, token)

    def _renew(self, keys: Sequence[str], host: str) -> None:
        self._rows.renew(keys, host)

    def _clear(self, address: Address, token: str) -> bool:
        is_cleared = self._rows.clear(address, token)
        if is_cleared:
            records = self._id_of_records(address.key)
            self._pieces.drop(records, self._pieces.names(records))
        return is_cleared

    def _record_text(self, key: str) -> str | None:
        text, piece = self._rows.record_text(key)
        if piece is None:
            return text
        with self._pieces.open(self._id_of_records(key), piece) as stream:
            return stream.read().decode()

    def _told_of(self, keys: Sequence[str]) -> Iterable[Told]:
        return self._rows.told(keys)

    def _addresses(self, task: str | None) -> Iterator[Address]:
        return self._search.addresses(task)

    def candidates(self, query: Query) -> Iterator[Record]:
        """Those that the index finds; all, if it knows no such parameter: then `sieve` tells."""
        if not all(self._search.knows(each) for each in query.conditions):
            query = replace(query, conditions=())
        return super().candidates(query)

    def _pulse(self) -> object:
        return self._search.pulse()

    def _marks(self) -> Iterator[tuple[Address, object]]:
        return self._search.marks()

    def _listed(self, wanted: Listing) -> tuple[list[tuple[Address, str | None]], int]:
        return self._listing.listed(wanted)

    def _tasks(self) -> list[str]:
        return self._search.tasks()

    def _texts(self, task: str, query: Query) -> Iterator[tuple[str, str]]:
        for key, text in self._search.texts(task, query):
            found = self._record_text(key) if text is None else text
            if found is not None:
                yield key, found

    def _leases(self) -> list[tuple[Address, Owner]]:
        return self._search.leases()

    def all_pieces(self) -> Iterator[tuple[Address, str, int]]:
        begins = self._rows.id_of("")
        found = []
        for id_, size in self._pieces.all(begins):
            key, _, name = id_[len(begins) :].partition("/")
            if not key.endswith("#record") and ":" not in key:
                found.append((key, name, size))
        tasks = self._search.task_of([key for key, _, _ in found])
        there = [(Address(tasks[k], k), name, size) for k, name, size in found if k in tasks]
        return iter(sorted(there))

    def _piece_sizes(self, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
        ids = {self._rows.id_of(key): key for key in keys}
        found = self._pieces.sizes(list(ids))
        return {(ids[id_], name): size for (id_, name), size in found.items()}

    def _piece_names(self, key: str) -> list[str]:
        return self._pieces.names(self._rows.id_of(key))

    def put_pieces(self, key: str, name: str, source: BinaryIO, size: int) -> None:
        self._pieces.put(self._rows.id_of(key), name, source)

    def open_pieces(self, key: str, name: str) -> BinaryIO:
        return self._pieces.open(self._rows.id_of(key), name)

    def drop_pieces(self, key: str, names: Sequence[str]) -> None:
        self._pieces.drop(self._rows.id_of(key), names)

    def _id_of_records(self, key: str) -> str:
        """What records that are too large for a document are filed under."""
        return f"{self._rows.id_of(key)}#record"
