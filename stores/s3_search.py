"""Which records of an S3 store are there, and which may fit a query?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from stores.lease import Owner
from stores.parameters import beginning, choices
from stores.query import Condition, Query
from stores.record import Address
from stores.row import Told
from stores.s3_bucket import S3Bucket
from stores.s3_index import Row, S3Index
from stores.s3_rows import Head, S3Rows

_TEXTS_AT_ONCE: Final = 200
"""So many records are read before the first of them is given."""


class S3Search:
    """The records of one project.

    Args:
        bucket: Where they lie.
        index: What their objects say.
        rows: The objects.
        look: What was seen of all keys; None looks again for each question.
    """

    def __init__(
        self,
        bucket: S3Bucket,
        index: S3Index,
        rows: S3Rows,
        look: Mapping[str, Row] | None = None,
    ) -> None:
        self._bucket, self._index, self._rows, self._look = bucket, index, rows, look

    def at_one_look(self) -> S3Search:
        """A search for several questions, of which all see what is there now."""
        return S3Search(self._bucket, self._index, self._rows, self._index.all())

    def addresses(self, task: str | None) -> Iterator[Address]:
        """All addresses, or those of one task."""
        return (head.address for head in self._heads() if task in (None, head.task))

    def pulse(self) -> object:
        """Another one when an object was written or removed."""
        return frozenset(self._index.etags().items())

    def marks(self) -> Iterator[tuple[Address, object]]:
        """All addresses, with the ETags of their objects."""
        etags = self._index.etags()
        return ((address, etags.get(address.key)) for address in self.addresses(None))

    def leases(self) -> list[tuple[Address, Owner]]:
        """All leases that have not expired."""
        rows = self._seen().values()
        heads = [row.head for row in rows if not self._rows.has_expired(row.age_s)]
        return [(head.address, head.holder) for head in heads if head and head.token]

    def tasks(self) -> list[str]:
        """The names of all tasks that have records, sorted."""
        return sorted({head.task for head in self._heads()})

    def task_of(self, keys: Sequence[str]) -> dict[str, str]:
        """The task of each key that has an object."""
        heads = {key: row.head for key, row in self._index.some(keys).items()}
        return {key: head.task for key, head in heads.items() if head is not None}

    def told(self, keys: Sequence[str]) -> Iterator[Told]:
        """What those keys that have a record say of it."""
        for key, row in self._index.some(keys).items():
            head = row.head
            if head is None or head.state:
                yield Told(key, None if head is None else head.status, row.record_bytes)

    def texts(self, task: str, query: Query) -> Iterator[tuple[str, str]]:
        """Key and record of those of a task that may fit a query, sorted by key."""
        heads = list(self._heads())
        tasks = {head.task for head in heads}
        wanted = [choices(each, tasks.__contains__) for each in query.conditions]
        params = [frozenset(each) for each in wanted if each is not None]
        fitting = [head for head in heads if head.task == task and _fits(head, query)]
        keys = sorted(
            head.key for head in fitting if not any(each.isdisjoint(head.params) for each in params)
        )
        for start in range(0, len(keys), _TEXTS_AT_ONCE):
            some = keys[start : start + _TEXTS_AT_ONCE]
            texts = self._bucket.at_once(self._rows.record_text, some)
            yield from (
                (key, text) for key, text in zip(some, texts, strict=True) if text is not None
            )

    def knows(self, condition: Condition) -> bool:
        """Whether some record has a parameter at the path of a condition."""
        begins = beginning(condition)
        return any(each.startswith(begins) for head in self._heads() for each in head.params)

    def _heads(self) -> Iterator[Head]:
        """The heads of all records."""
        for row in self._seen().values():
            head = row.head
            if head is not None and head.state:
                yield head

    def _seen(self) -> Mapping[str, Row]:
        return self._index.all() if self._look is None else self._look


def _fits(head: Head, query: Query) -> bool:
    if not query.may_be_at(head.address):
        return False
    if query.states is not None and head.state not in {each.value for each in query.states}:
        return False
    if query.since is None and query.until is None:
        return True
    if head.ended is None:  # its beginning counts, which the record tells
        return True
    return (query.since is None or head.ended >= query.since) and (
        query.until is None or head.ended < query.until
    )
