"""
What do all stores in a database have in common? A row per key, and pieces of large values.

A row holds the number of the last attempt (the fence), the lease of the process that computes the
key now, and the record as text. It is never deleted once a number was used, so numbers only grow.
Everything that decides (claim, renewal, commit) is one atomic statement that compares the token
of the lease, by the clock of the database.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

from stores import matching
from stores.attempt_store import Lease, SaveOptions
from stores.database_leftovers import drop_unnamed_pieces, files_of, unnamed_pieces
from stores.database_questions import DatabaseQuestions
from stores.database_values import DatabaseValues
from stores.errors import LeaseHeld, LeaseLost, RecordDamaged, RecordTooNew
from stores.file_types import registered_types
from stores.files import TypeInfo
from stores.index_entry import TOLD, status_told, told_of
from stores.lease import LeaseTimes, Owner
from stores.leftover import Leftover
from stores.query import Query
from stores.record import Address, Artifact, Record, Status
from stores.row import Claim, Hold, Row, Told
from stores.summary import Summary, summary_in, summary_of

_log = logging.getLogger("stores")

INLINE_LIMIT_BYTES: Final = 16_384
"""Artifacts up to this size live in the record."""

_PULSE: Final = "pulse"
_TRUSTED_S: Final = 10.0
"""For so long an equal pulse means that nothing was written. It misses a copy of an old record in
place of an older one, and a removal together with a commit that ended before."""

MANY_KEYS: Final = 50_000
"""So many keys are looked up by one question."""


class DatabaseStore(DatabaseQuestions):
    """Derive from it and implement the questions to one kind of database.

    Args:
        lease_s: Seconds after which silent work on another host is taken over; 60 if not given.
        inline_limit: Bytes up to which an artifact is part of the record.
        allow_pickle: Whether pickles are loaded. Who can write to the store can then run code.
        project: Records, queries and deletions see only those of this project.
    """

    def __init__(
        self, *, lease_s: float | None, inline_limit: int, allow_pickle: bool, project: str
    ) -> None:
        self.type_registry: dict[str, TypeInfo] = registered_types()
        self.lease_times = LeaseTimes(lease_s)
        self.project = project
        self._values = DatabaseValues(
            self, self.type_registry, inline_limit=inline_limit, allow_pickle=allow_pickle
        )

    def _options_beside(self, name: str) -> dict[str, Any]:
        """What a store beside this one has in common with it; its records are a project."""
        return {"project": f"{self.project}#{name}", "allow_pickle": self._values.allow_pickle}

    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        claim = self._claimed(address, owner, at_least)
        try:
            record = None if claim.record is None else self._parsed(address, claim.record)
        except RecordTooNew:
            self._release(address, claim.token)
            raise
        lease = Lease(address, claim.number, owner, Hold(claim.token))
        before = 0 if record is None else record.latest.number
        if claim.number > before + 1:  # attempts that nobody can commit any more
            self._drop_unnamed(address, record, claim.number)
        return lease, record

    def _claimed(self, address: Address, owner: Owner, at_least: int) -> Claim:
        """Take the lease of a key, also from a dead process of this host."""
        token, instead_of = uuid.uuid4().hex, ""
        while True:
            claim = self._claim(address, owner, token, at_least, instead_of)
            if claim.is_ours:
                return claim
            if claim.owner.is_alive() is not False:
                raise LeaseHeld(f"{address} is being computed by {claim.owner}")
            instead_of = claim.token

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        text = record.to_json()
        row = Row(text, status_text(record, text), record)
        if not self._commit(lease.address, lease.handle.token, row):
            self._drop_own(lease)
            raise LeaseLost(
                f"{lease.address}: attempt {lease.attempt} was taken over by another process, so "
                f"its results do not count"
            )
        if lease.attempt > 1:
            self._drop_unnamed(lease.address, record, lease.attempt)

    def release_attempt(self, lease: Lease) -> None:
        self._drop_own(lease)
        self._release(lease.address, lease.handle.token)

    def renew(self, addresses: Iterable[Address]) -> None:
        keys = [each.key for each in addresses]
        if keys:
            self._renew(keys, Owner.of_this_process().host)

    def remove(self, address: Address) -> bool:
        if self._record_text(address.key) is None:
            return False
        claim = self._claimed(address, Owner.of_this_process(), 1)
        if claim.record is None:  # another process has just removed it
            self._release(address, claim.token)
            return False
        if not self._clear(address, claim.token):
            raise LeaseLost(f"{address} was taken over while it was being removed")
        self.drop_pieces(address.key, self._piece_names(address.key))
        return True

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        wanted = {each.key: each for each in addresses}
        keys = list(wanted)
        found: dict[str, Status] = {}
        for start in range(0, len(keys), MANY_KEYS):
            some = keys[start : start + MANY_KEYS]
            with_pieces = []
            for told in self._told_of(some):
                status, has_pieces = self._told(wanted[told.key], told)
                if status is not None:
                    found[told.key] = status
                if has_pieces:
                    with_pieces.append(told.key)
            if with_pieces:
                sizes = self._piece_sizes(with_pieces)
                found.update((key, _checked(key, found[key], sizes)) for key in with_pieces)
        return found

    def _told(self, address: Address, told: Told) -> tuple[Status | None, bool]:
        """A status, and whether large values belong to it.

        A damaged one, and one of a record that has another length by now, is read of the record.
        """
        try:
            facts = json.loads(told.status or "")
            lengths = facts[TOLD:]  # none in stores of the first days
            if not lengths or told.record_bytes in (None, lengths[0]):
                return status_told(facts[:TOLD]), bool(facts[TOLD - 1])
        except (ValueError, TypeError, KeyError, LookupError):
            pass
        try:
            record = self.record(address)
        except RecordTooNew as error:
            _log.warning("%s", error)
            return None, False
        return None if record is None else Status.of(record), record is not None

    def record(self, address: Address) -> Record | None:
        text = self._record_text(address.key)
        return None if text is None else self._parsed(address, text)

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        return self._addresses(task)

    def marks(self, seen: dict[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None]]:
        now, pulse = time.monotonic(), self._pulse()
        before = seen.get(_PULSE)
        if isinstance(before, tuple) and before[0] == pulse and now - before[1] < _TRUSTED_S:
            yield from ((task, None) for task in self._tasks())
            return
        found: dict[str, dict[str, object]] = {}
        for address, mark in self._marks():
            found.setdefault(address.task, {})[address.key] = hash(mark)  # a third of the token
        yield from found.items()
        seen[_PULSE] = (pulse, now)  # not before all was taken: the next look would see nothing

    def summaries(self, task: str | None = None, *, is_long: bool = False) -> Iterator[Summary]:
        for name in self._tasks() if task is None else [task]:
            for key, text in self._texts(name, Query(name)):
                found = summary_in(text, is_long=is_long)
                if found is not None:
                    yield found
                elif (record := self._readable(Address(name, key), text)) is not None:
                    yield summary_of(record)

    def candidates(self, query: Query) -> Iterator[Record]:
        tasks = [query.only_task] if query.only_task is not None else self._tasks()
        for task in tasks:
            for key, text in self._texts(task, query):
                address = Address(task, key)
                if query.may_be_at(address):
                    record = self._readable(address, text)
                    if record is not None:
                        yield record

    def keys_in_work(self) -> list[Address]:
        return [address for address, owner in self._leases() if owner.is_alive() is not False]

    def leftovers(self) -> Iterator[Leftover]:
        return unnamed_pieces(self)

    def drop_leftovers(self, leftovers: Iterable[Leftover]) -> int:
        return drop_unnamed_pieces(self, leftovers)

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        return self._values.write(lease, value, name, how)

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        return self._values.take(lease, artifact, stream)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        if artifact.file is not None:
            self.drop_pieces(lease.address.key, [artifact.file])

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        artifact = matching.whole(artifact, lambda: self.record(address))
        return self._values.load(address, artifact, lazy=lazy, options=options)

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        artifact = matching.whole(artifact, lambda: self.record(address))
        return self._values.stream(address, artifact)

    def _drop_own(self, lease: Lease) -> None:
        """Delete what this attempt has written."""
        if lease.handle.has_pieces:
            names = self._piece_names(lease.address.key)
            own = f"{lease.attempt}/{lease.handle.token}"
            self.drop_pieces(lease.address.key, [each for each in names if each.startswith(own)])

    def _drop_unnamed(self, address: Address, record: Record | None, up_to: int) -> None:
        """Delete what attempts up to this number have written and the record does not name.

        A later attempt may be at work already.
        """
        named = files_of(record)
        unnamed = [name for name in self._piece_names(address.key) if name not in named]
        old = [name for name in unnamed if int(name.partition("/")[0]) <= up_to]
        self.drop_pieces(address.key, old)

    def _readable(self, address: Address, text: str) -> Record | None:
        """A record among others; one that is damaged or too new is left out."""
        try:
            return self._parsed(address, text)
        except RecordTooNew as error:
            _log.warning("%s", error)
            return None

    def _parsed(self, address: Address, text: str) -> Record | None:
        try:
            return Record.from_json(text, f"the record of {address} in {self!r}")
        except RecordDamaged as error:
            _log.warning("%s; it counts as not there, and the next success heals it", error)
            return None


def _checked(key: str, status: Status, sizes: Mapping[tuple[str, str], int]) -> Status:
    """A status that tells which large values are gone or are not complete."""
    missing, damaged = [], []
    for artifact in status.artifacts:
        if artifact.file is not None:
            size = sizes.get((key, artifact.file))
            if size is None:
                missing.append(artifact.name)
            elif size != artifact.size_bytes:
                damaged.append(artifact.name)
    return replace(status, missing=tuple(missing), damaged=tuple(damaged))


def status_text(record: Record, text: str) -> str:
    """What `statuses` needs of a record, and how long its text is, as JSON."""
    return json.dumps([*told_of(record), len(text.encode())], separators=(",", ":"))
