"""Large values in an S3 store: an object each, which is there when it is complete."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

from stores.chunked import chunked_stream
from stores.s3_bucket import PART_BYTES, S3Bucket

_FEW_KEYS: Final = 32
"""Up to so many keys are listed one by one, several at the same time."""


class S3Pieces:
    """The large values of one project, in `values/<key>/<attempt>/<token>.<number>`.

    Args:
        bucket: Where they lie.
        folder: The beginning of their names.
    """

    def __init__(self, bucket: S3Bucket, folder: str) -> None:
        self._bucket, self._folder = bucket, f"{folder}values/"

    def put(self, key: str, name: str, source: BinaryIO, size: int) -> None:
        """Write a value."""
        if size <= PART_BYTES:
            self._bucket.put(self._name(key, name), source.read())
        else:
            self._bucket.upload(self._name(key, name), source)

    def open(self, key: str, name: str) -> BinaryIO:
        """A seekable stream of a value.

        Raises:
            FileNotFoundError: there is none.
        """
        path = self._name(key, name)
        first = self._bucket.get(path, PART_BYTES)
        if first is None:
            raise FileNotFoundError(name)
        if first.size <= len(first.body):
            return io.BytesIO(first.body)

        at_hand = [first.body]

        def fetch(number: int) -> list[bytes]:
            if number == 0 and at_hand:
                return [at_hand.pop()]
            found = self._bucket.part(path, number * PART_BYTES, PART_BYTES)
            return [] if found is None else [found]

        return chunked_stream(fetch, first.size, PART_BYTES)

    def drop(self, key: str, names: Sequence[str]) -> None:
        """Delete values, complete or not."""
        if not names:
            return
        paths = [self._name(key, name) for name in names]
        self._bucket.delete(paths)
        for path, upload in self._bucket.uploads(self._name(key, "")):
            if path in paths:
                self._bucket.abort(path, upload)

    def sizes(self, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """The sizes of all complete values of some keys, by key and name."""
        wanted = set(keys)
        if len(wanted) <= _FEW_KEYS:
            beginnings = sorted(self._name(key, "") for key in wanted)
        else:
            beginnings = sorted({self._folder + key[:1] for key in wanted})
        found = ((self._parts(each.name), each.size) for each in self._bucket.listing(*beginnings))
        return {parts: size for parts, size in found if parts[0] in wanted}

    def names(self, key: str) -> list[str]:
        """The names of all values of a key, also of those that were never completed."""
        path = self._name(key, "")
        complete = [each.name for each in self._bucket.listing(path)]
        return sorted({each[len(path) :] for each in complete} | set(self._uploads(path)))

    def all(self) -> list[tuple[str, str, int]]:
        """Key, name and size of all values; the size of an incomplete one is -1."""
        sizes = {self._parts(path): -1 for path, _ in self._bucket.uploads(self._folder)}
        sizes |= {self._parts(each.name): each.size for each in self._bucket.listing(self._folder)}
        return sorted((key, name, size) for (key, name), size in sizes.items())

    def _uploads(self, path: str) -> list[str]:
        return [name[len(path) :] for name, _ in self._bucket.uploads(path)]

    def _parts(self, path: str) -> tuple[str, str]:
        key, _, name = path[len(self._folder) :].partition("/")
        return key, name

    def _name(self, key: str, name: str) -> str:
        return f"{self._folder}{key}/{name}"
