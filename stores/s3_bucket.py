"""The objects below a prefix of an S3 bucket: written under conditions, read, listed, dropped."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, BinaryIO, Final, TypeVar

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from stores.errors import StoreError
from stores.lazy_dataclass import dataclass
from stores.s3_client import PARALLEL, S3Client
from stores.s3_errors import is_absent, is_condition, is_denied, is_not_served

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  # an item

PART_BYTES: Final = 8 << 20
"""Larger values are uploaded in parts of this size, and read so many bytes at a time."""

_DELETED_AT_ONCE: Final = 1_000

_TRANSFER: Final = TransferConfig(
    multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was read.

    Attributes:
        body: Its bytes, or the first of them.
        etag: Changes whenever its bytes do.
        size: Of the whole object.
        age_s: Seconds since it was written, by the clock of the server, to the second.
    """

    body: bytes
    etag: str
    size: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing tells it; see `Stored`."""

    name: str
    etag: str
    size: int
    age_s: float


class S3Bucket:
    """The objects of one store; all names are relative to its prefix.

    Args:
        client: Asks the server.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def put(self, name: str, body: bytes) -> None:
        """Write an object, whatever was there."""
        self._client.ask(lambda client: client.put_object(**self._at(name), Body=body))

    def create(self, name: str, body: bytes) -> str | None:
        """Write an object that is not there yet; its ETag, or None if there is one."""
        return self._put_if(name, body, IfNoneMatch="*")

    def replace(self, name: str, body: bytes, etag: str) -> str | None:
        """Write an object that is there with this ETag; its new one, or None if it is another."""
        return self._put_if(name, body, IfMatch=etag)

    def get(self, name: str, first_bytes: int | None = None) -> Stored | None:
        """An object, or at least its first bytes; None if there is none."""
        if first_bytes is None:
            return self._got(name)
        return self._got(name, Range=f"bytes=0-{first_bytes - 1}")

    def part(self, name: str, start: int, size: int) -> bytes | None:
        """Some bytes of an object; None if there is none."""
        found = self._got(name, Range=f"bytes={start}-{start + size - 1}")
        return None if found is None else found.body

    def listing(self, *beginnings: str) -> list[Listed]:
        """All objects whose names begin like one of these; 1,000 come with each answer."""
        return [each for some in self.at_once(self._listed, beginnings) for each in some]

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects, a thousand at a time; those that are gone are no error."""
        for start in range(0, len(names), _DELETED_AT_ONCE):
            keys = [
                {"Key": self._client.key_of(each)}
                for each in names[start : start + _DELETED_AT_ONCE]
            ]
            wanted = {"Objects": keys, "Quiet": True}

            def ask(client: Any, wanted: object = wanted) -> dict[str, Any]:
                answer: dict[str, Any] = client.delete_objects(
                    Bucket=self._client.bucket, Delete=wanted
                )
                return answer

            answer = self._client.ask(ask)
            if failed := answer.get("Errors"):
                raise StoreError(
                    f"{self._client.name}: an object cannot be deleted ({failed[0]['Code']})"
                )

    def upload(self, name: str, source: BinaryIO) -> None:
        """Write an object, a large one in parts; it is there when all of them are."""

        def ask(client: Any) -> None:
            source.seek(0)
            client.upload_fileobj(
                _KeptOpen(source), self._client.bucket, self._client.key_of(name), Config=_TRANSFER
            )

        self._client.ask(ask)

    def uploads(self, beginning: str) -> list[tuple[str, str]]:
        """Name and number of the uploads in parts that have not ended, as far as one may look."""

        def ask(client: Any) -> list[tuple[str, str]]:
            pages = client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._client.bucket, Prefix=self._client.key_of(beginning)
            )
            try:
                found = [each for page in pages for each in page.get("Uploads", ())]
            except ClientError as error:
                if is_denied(error) or is_not_served(error):
                    return []
                raise
            return [(self._client.name_of(each["Key"]), each["UploadId"]) for each in found]

        return self._client.ask(ask)

    def abort(self, name: str, upload: str) -> None:
        """Drop the parts of an upload; one that has ended is no error."""

        def ask(client: Any) -> None:
            try:
                client.abort_multipart_upload(**self._at(name), UploadId=upload)
            except ClientError as error:
                if not is_absent(error):
                    raise

        self._client.ask(ask)

    def at_once(self, ask: Callable[[I], T], items: Iterable[I]) -> Iterator[T]:
        """The answers for several items, in their order; some are asked at the same time."""
        several = list(items)
        if len(several) < 2:
            yield from map(ask, several)
            return
        with ThreadPoolExecutor(min(PARALLEL, len(several))) as pool:
            yield from pool.map(ask, several)

    def _put_if(self, name: str, body: bytes, **condition: str) -> str | None:
        def ask(client: Any) -> str | None:
            try:
                found = client.put_object(**self._at(name), Body=body, **condition)
            except ClientError as error:
                if is_condition(error):
                    return None
                raise
            return str(found["ETag"])

        return self._client.ask(ask)

    def _got(self, name: str, **how: str) -> Stored | None:
        def ask(client: Any) -> Stored | None:
            try:
                found = client.get_object(**self._at(name), **how)
            except ClientError as error:
                if is_absent(error):
                    return None
                if error.response.get("Error", {}).get("Code") == "InvalidRange":
                    return Stored(b"", "", 0, 0.0)
                raise
            size = int(found.get("ContentRange", "/0").rpartition("/")[2])
            body = found["Body"].read()
            age_s = _age_s(found["LastModified"], _now(found))
            return Stored(body, found["ETag"], size or len(body), age_s)

        return self._client.ask(ask)

    def _listed(self, beginning: str) -> list[Listed]:
        def ask(client: Any) -> list[Listed]:
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=self._client.bucket, Prefix=self._client.key_of(beginning)
            )
            return [
                Listed(
                    self._client.name_of(each["Key"]),
                    each["ETag"],
                    each["Size"],
                    _age_s(each["LastModified"], now),
                )
                for page in pages
                for now in (_now(page),)
                for each in page.get("Contents", ())
            ]

        return self._client.ask(ask)

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._client.bucket, "Key": self._client.key_of(name)}


class _KeptOpen:
    """A stream that a transfer does not close: it may be sent once more."""

    def __init__(self, stream: BinaryIO) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        pass


def _now(answer: dict[str, Any]) -> datetime:
    """The clock of the server, as its answer tells it."""
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    date = headers.get("date") or email.utils.formatdate(time.time(), usegmt=True)
    return email.utils.parsedate_to_datetime(date)


def _age_s(written: datetime, now: datetime) -> float:
    return (now - written.replace(microsecond=0)).total_seconds()
