"""
What do the objects of an S3 store say of their records, without opening thousands of them?

A listing tells the ETag of every object, 1,000 with each answer. Heads are remembered by ETag, in
this process and in `index/<character>`, an object for all keys that begin with it. Who had to open
many heads writes that object anew. It can be lost, and what it says of another ETag does not count.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from stores.errors import RecordTooNew, StoreError
from stores.lazy_dataclass import dataclass
from stores.s3_bucket import Listed, S3Bucket
from stores.s3_rows import Head

_log = logging.getLogger("stores")

_HEAD_BYTES: Final = 8 << 10
"""So many bytes are read of an object to find its head."""

_FEW_KEYS: Final = 64
"""Up to so many keys are looked at one by one, several at the same time."""

_MOST_NOTED: Final = 20_000
"""What a process writes is remembered up to here: most never ask for it."""

_MANY_HEADS: Final = 50
"""So many unknown heads of one beginning are worth a look into the index, or a new one."""


@dataclass(frozen=True, slots=True)
class Row:
    """An object as it is known without its record.

    Attributes:
        line: Its first line.
        record_bytes: How long what follows is.
        age_s: Seconds since it was written.
    """

    line: bytes
    record_bytes: int
    age_s: float

    @property
    def head(self) -> Head | None:
        """What it says; None if it is damaged or too new."""
        try:
            return Head.from_line(self.line)
        except RecordTooNew as error:
            _log.warning("%s", error)
        except ValueError:
            pass
        return None


class S3Index:
    """The heads of the objects of one project.

    Args:
        bucket: Where they lie.
        folder: The beginning of their names.
    """

    def __init__(self, bucket: S3Bucket, folder: str) -> None:
        self._bucket, self._folder = bucket, folder
        self._known: dict[str, tuple[str, bytes]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": {}}

    def note(self, key: str, etag: str, line: bytes) -> None:
        """Remember what this process has just written."""
        if len(self._known) < _MOST_NOTED:
            self._known[key] = (etag, line)

    def all(self) -> dict[str, Row]:
        """What there is of all keys."""
        return self._rows(self._bucket.listing(self._records))

    def etags(self) -> dict[str, str]:
        """What is another after each write of a key, of all keys; nothing is opened."""
        skipped = len(self._records)
        return {each.name[skipped:]: each.etag for each in self._bucket.listing(self._records)}

    def some(self, keys: Sequence[str]) -> dict[str, Row]:
        """What there is of some keys."""
        if len(keys) <= _FEW_KEYS:
            opened = self._opened(keys)
            return {key: row for key, (_, row) in opened.items()}
        wanted = set(keys)
        beginnings = sorted({self._records + key[:1] for key in keys})
        listed = self._bucket.listing(*beginnings)
        skipped = len(self._records)
        return self._rows([each for each in listed if each.name[skipped:] in wanted])

    def _rows(self, listed: Iterable[Listed]) -> dict[str, Row]:
        skipped = len(self._records)
        found = {each.name[skipped:]: each for each in listed}
        unknown = self._unknown(found)
        for beginning, keys in _by_beginning(unknown).items():
            if len(keys) >= _MANY_HEADS:
                self._read_index(beginning, found)
        unknown = self._unknown(found)
        opened = self._opened(unknown)
        self._known.update((key, (etag, row.line)) for key, (etag, row) in opened.items())
        for beginning, keys in _by_beginning(unknown).items():
            if len(keys) >= _MANY_HEADS:
                self._write_index(beginning)
        rows = {key: row for key, (_, row) in opened.items()}
        for key, each in found.items():
            etag, line = self._known.get(key, ("", b""))
            if etag == each.etag and key not in rows:
                rows[key] = Row(line, each.size - len(line) - 1, each.age_s)
        return rows

    def _unknown(self, found: Mapping[str, Listed]) -> list[str]:
        known = self._known
        return [key for key, each in found.items() if known.get(key, ("",))[0] != each.etag]

    def _opened(self, keys: Collection[str]) -> dict[str, tuple[str, Row]]:
        """ETag and head of some objects, read one by one, several at the same time."""
        found = zip(keys, self._bucket.at_once(self._open, keys), strict=True)
        return {key: opened for key, opened in found if opened is not None}

    def _open(self, key: str) -> tuple[str, Row] | None:
        stored = self._bucket.get(self._records + key, _HEAD_BYTES)
        if stored is not None and b"\n" not in stored.body and stored.size > len(stored.body):
            stored = self._bucket.get(self._records + key)
        if stored is None:
            return None
        line = stored.body.partition(b"\n")[0]
        return stored.etag, Row(line, stored.size - len(line) - 1, stored.age_s)

    def _read_index(self, beginning: str, found: Mapping[str, Listed]) -> None:
        stored = self._bucket.get(f"{self._folder}index/{beginning}")
        for line in [] if stored is None else stored.body.splitlines():
            key, _, rest = line.partition(b" ")
            etag, _, head = rest.partition(b" ")
            there = found.get(key.decode("utf-8", "replace"))
            if there is not None and there.etag == etag.decode("utf-8", "replace"):
                self._known[there.name[len(self._records) :]] = (there.etag, head)

    def _write_index(self, beginning: str) -> None:
        lines = [
            b" ".join((key.encode(), etag.encode(), head))
            for key, (etag, head) in list(self._known.items())
            if key[:1] == beginning
        ]
        with contextlib.suppress(StoreError):  # who may only read looks at each head
            self._bucket.put(f"{self._folder}index/{beginning}", b"\n".join(lines))

    @property
    def _records(self) -> str:
        return f"{self._folder}records/"


def _by_beginning(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(key[:1], []).append(key)
    return found
