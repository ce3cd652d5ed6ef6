"""A store in a bucket of Amazon S3, or of a server that speaks its protocol."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, Self

from stores.database import INLINE_LIMIT_BYTES, DatabaseStore
from stores.file_layout import encoded
from stores.lease import Owner
from stores.patience import PATIENCE_S
from stores.query import Query
from stores.record import Address, Record
from stores.row import Claim, Row, Told
from stores.s3_bucket import S3Bucket
from stores.s3_client import S3Client
from stores.s3_index import S3Index
from stores.s3_pieces import S3Pieces
from stores.s3_rows import S3Rows
from stores.s3_search import S3Search


class S3Store(DatabaseStore):
    """Keeps one object per key and one per large value; any number of processes may use it.

    The credentials are those that boto3 finds: in the environment, in a profile, of the machine.

    Args:
        url: `s3://bucket/prefix`; the bucket has to be there.
        project: Records, queries and deletions see only those of this project.
        endpoint_url: Of a server that is not Amazon's, such as `http://127.0.0.1:9000`; the
            environment says so, too, by AWS_ENDPOINT_URL_S3.
        lease_s: Seconds after which silent work on another host is taken over; 60 if not given.
        inline_limit: Bytes up to which an artifact is part of the record.
        allow_pickle: Whether pickles are loaded. Who can write to the store can then run code.
        patience_s: So long to wait for a server that has gone away.

    Raises:
        StoreError: the URL is none or holds credentials; or, at the first question, the server
            has no conditional writes.
        RecordTooNew: at the first question, if the objects are those of a newer flowlib.
    """

    def __init__(
        self,
        url: str,
        project: str = "",
        endpoint_url: str | None = None,
        *,
        lease_s: float | None = None,
        inline_limit: int = INLINE_LIMIT_BYTES,
        allow_pickle: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        super().__init__(
            lease_s=lease_s, inline_limit=inline_limit, allow_pickle=allow_pickle, project=project
        )
        self._place = (url, endpoint_url)
        self._client = S3Client(url, endpoint_url, patience_s)
        self._bucket = S3Bucket(self._client)
        folder = f"projects/{encoded(project)}/" if project else ""
        self._index = S3Index(self._bucket, folder)
        self._rows = S3Rows(self._bucket, folder, self.lease_times, self._index.note)
        self._search = S3Search(self._bucket, self._index, self._rows)
        self._pieces = S3Pieces(self._bucket, folder)

    def __repr__(self) -> str:
        project = f", project={self.project!r}" if self.project else ""
        return f"S3Store({self._client.name!r}{project})"

    @property
    def shown_uri(self) -> str:
        return self._client.name + (f", project {self.project}" if self.project else "")

    def beside(self, name: str) -> Self:
        url, endpoint_url = self._place
        return type(self)(url, endpoint_url=endpoint_url, **self._options_beside(name))

    def close(self) -> None:
        self._client.close()

    def candidates(self, query: Query) -> Iterator[Record]:
        """Those that the heads tell; all, if none has such a parameter: then `sieve` tells."""
        looking = copy.copy(self)
        looking._search = self._search.at_one_look()
        if not all(looking._search.knows(each) for each in query.conditions):
            query = replace(query, conditions=())
        return super(S3Store, looking).candidates(query)

    def _claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> Claim:
        return self._rows.claim(address, owner, token, at_least, instead_of)

    def _commit(self, address: Address, token: str, row: Row) -> bool:
        return self._rows.commit(address, token, row)

    def _release(self, address: Address, token: str) -> None:
        self._rows.release(address, token)

    def _renew(self, keys: Sequence[str], host: str) -> None:
        self._rows.renew(keys, host)

    def _clear(self, address: Address, token: str) -> bool:
        return self._rows.clear(address, token)

    def _record_text(self, key: str) -> str | None:
        return self._rows.record_text(key)

    def _told_of(self, keys: Sequence[str]) -> Iterable[Told]:
        return self._search.told(keys)

    def _addresses(self, task: str | None) -> Iterator[Address]:
        return self._search.addresses(task)

    def _tasks(self) -> list[str]:
        return self._search.tasks()

    def _texts(self, task: str, query: Query) -> Iterator[tuple[str, str]]:
        return self._search.texts(task, query)

    def _pulse(self) -> object:
        return self._search.pulse()

    def _marks(self) -> Iterator[tuple[Address, object]]:
        return self._search.marks()

    def _leases(self) -> list[tuple[Address, Owner]]:
        return self._search.leases()

    def all_pieces(self) -> Iterator[tuple[Address, str, int]]:
        found = self._pieces.all()
        tasks = self._search.task_of(sorted({key for key, _, _ in found}))
        there = [(Address(tasks[k], k), name, size) for k, name, size in found if k in tasks]
        return iter(sorted(there))

    def _piece_sizes(self, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return self._pieces.sizes(keys)

    def _piece_names(self, key: str) -> list[str]:
        return self._pieces.names(key)

    def put_pieces(self, key: str, name: str, source: BinaryIO, size: int) -> None:
        self._pieces.put(key, name, source, size)

    def open_pieces(self, key: str, name: str) -> BinaryIO:
        return self._pieces.open(key, name)

    def drop_pieces(self, key: str, names: Sequence[str]) -> None:
        self._pieces.drop(key, names)
