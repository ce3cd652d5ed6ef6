"""How do records go to another store? With their artifacts as bytes, checked on the way."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable
from typing import BinaryIO, cast

from stores.attempt import OpenAttempt
from stores.errors import ArtifactDamaged, LeaseHeld, LeaseLost, QueryError, StoreError
from stores.housekeeping.checked_stream import CheckedStream, check_folder
from stores.housekeeping.relations import sources_first
from stores.lazy_dataclass import dataclass
from stores.lease import Owner
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Address, Artifact, Record, Status, TaskState
from stores.sieve import fitting
from stores.text_shelf import carry, named_in

_log = logging.getLogger("stores")

_AT_ONCE = 1000
"""Keys that the other store is asked about in one look."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What became of the records that were to be copied, each in the order of copying.

    Attributes:
        copied: These were written.
        left: These were there already.
        busy: These are being computed there.
        damaged: These cannot be read whole, and why.
        size_bytes: Of all artifacts that were written.
    """

    copied: tuple[Address, ...]
    left: tuple[Address, ...]
    busy: tuple[Address, ...]
    damaged: tuple[tuple[Address, str], ...]
    size_bytes: int

    def __str__(self) -> str:
        counts = {
            "copied": self.copied,
            "there already": self.left,
            "being computed there": self.busy,
            "damaged": self.damaged,
        }
        told = [f"{len(each)} {word}" for word, each in counts.items() if each or word == "copied"]
        return f"{', '.join(told)} ({self.size_bytes:,} bytes)"


def copy(
    source: StorePrimitives,
    target: StorePrimitives,
    query: Query,
    *,
    upstream: bool,
    replace: bool,
) -> Transfer:
    """Copy the records that are meant.

    Raises:
        QueryError: both stores are the same one.
        StoreError: the other one cannot be written; what was copied until then is there.
    """
    if source is target:
        raise QueryError("a store cannot be copied to itself")
    addresses: Iterable[Address] = (record.address for record in fitting(source, query))
    if upstream:
        addresses = sources_first(addresses, source.record)
    courier = _Courier(source, target, replace=replace)
    rest = iter(addresses)
    while batch := list(itertools.islice(rest, _AT_ONCE)):
        courier.take(batch)
    return courier.result()


class _Courier:
    """Copies and remembers what became of each record."""

    def __init__(self, source: StorePrimitives, target: StorePrimitives, *, replace: bool) -> None:
        self._source = source
        self._target = target
        self._replace = replace
        self._copied: list[Address] = []
        self._left: list[Address] = []
        self._busy: list[Address] = []
        self._damaged: list[tuple[Address, str]] = []
        self._size_bytes = 0
        self._digests: set[str] = set()

    def result(self) -> Transfer:
        """What became of all; the texts that they name go last."""
        carry(self._source, self._target, self._digests)
        return Transfer(
            tuple(self._copied),
            tuple(self._left),
            tuple(self._busy),
            tuple(self._damaged),
            self._size_bytes,
        )

    def take(self, addresses: list[Address]) -> None:
        """Copy some records."""
        statuses = self._target.statuses(addresses)
        for address in addresses:
            record = self._source.record(address)
            if record is None:
                continue  # it was removed meanwhile
            self._digests |= named_in(record)
            status = statuses.get(address.key)
            if not self._replace and status is not None and is_there(record, status):
                self._left.append(address)
            else:
                self._carry(record, status)

    def _carry(self, record: Record, status: Status | None) -> None:
        address = record.address
        try:
            try:
                count = self._copy(record, status)
            except ArtifactDamaged:
                again = self._source.record(address)
                if again is None:
                    return
                if again.latest.number == record.latest.number:
                    raise
                count = self._copy(again, status)  # it was computed again meanwhile
        except (LeaseHeld, LeaseLost):
            self._busy.append(address)
        except ArtifactDamaged as error:
            _log.warning("not copied: %s", error)
            self._damaged.append((address, str(error)))
        else:
            self._size_bytes += count or 0
            (self._left if count is None else self._copied).append(address)

    def _copy(self, record: Record, status: Status | None) -> int | None:
        known = None if self._replace or status is None else status.attempt
        return copy_record(
            self._source, record.address, record, self._target, known, replace=self._replace
        )


def is_there(record: Record, status: Status) -> bool:
    """Whether another store needs nothing of a record, by what it knows of its key."""
    if status.missing or status.damaged:
        return False
    if status.state is TaskState.FINISHED:
        return True
    return record.finished is None and status.latest_attempt >= record.latest.number


def copy_record(
    source: StorePrimitives,
    at: Address,
    record: Record,
    target: StorePrimitives,
    known: int | None = None,
    *,
    replace: bool = False,
) -> int | None:
    """Write a record and its artifacts; the bytes it took, None if it has become needless.

    The attempt that counts is committed first, then a later one that failed or was saved.

    Args:
        source: Where its artifacts are.
        at: The record they belong to there.
        record: What is written.
        target: Where it is written.
        known: The attempt that the target had, if it is to be replaced.
        replace: Whether any attempt that the target has is to be replaced.

    Raises:
        ArtifactDamaged: an artifact is not what was saved; nothing of its attempt is written.
        LeaseHeld: the target is computing it.
    """
    attempts = [record.latest] if record.finished is None else [record.finished, record.latest]
    size_bytes = 0
    for attempt in {each.number: each for each in attempts}.values():
        lease, previous = target.acquire(
            record.address, Owner.of_this_process(), max(1, attempt.number)
        )
        written = OpenAttempt(target, lease, previous)
        try:
            is_first = attempt is attempts[0]
            counts = previous.finished if previous is not None else None
            if is_first and counts is not None and counts.number != known and not replace:
                written.abandon()  # somebody was quicker
                return None
            for artifact in attempt.artifacts:
                size_bytes += _copy_artifact(source, at, artifact, target, written)
            written.commit(record.identity, attempt)
        except BaseException:
            written.abandon()
            raise
    return size_bytes


def _copy_artifact(
    source: StorePrimitives,
    at: Address,
    artifact: Artifact,
    target: StorePrimitives,
    written: OpenAttempt,
) -> int:
    portable, stream = source.portable_stream(at, artifact)
    with stream:
        if portable != artifact:
            check_folder(at, artifact, stream)
        checked = CheckedStream(
            stream, at, portable, lambda: target.renew([written.address]), target.beat_s
        )
        try:
            taken = written.take(portable, cast(BinaryIO, checked))
        except StoreError:
            checked.check()  # is it the source that is damaged?
            raise
        checked.check()
        checked.check_taken(taken)
        return checked.count
