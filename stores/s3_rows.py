"""
The object of each key in an S3 store: claims, commits, renewals, one conditional write each.

The first line of `records/<key>` is a `Head`: the number of the last attempt, the lease, and what
listings tell of the record. The record follows. Every change replaces the whole object if its ETag
is still the one that was read, so of several writers one wins. A lease is as old as its object.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from stores.errors import RecordTooNew
from stores.lazy_dataclass import dataclass
from stores.lease import LeaseTimes, Owner
from stores.parameters import parameters_of
from stores.record import Address
from stores.row import Claim, Row
from stores.s3_bucket import S3Bucket
from stores.s3_marker import VERSION


@dataclass(frozen=True, slots=True)
class Head:
    """What an object says of its key before the record.

    Attributes:
        task: Its task.
        key: The key itself.
        fence: Number of the last attempt.
        token: Of the lease; empty if there is none.
        owner: Who has the lease, as `Owner.to_list` tells it.
        committed: The token of the last commit.
        state: Of the record; empty if there is none.
        ended: When the attempt that counts did.
        params: What its config can be found by.
        status: What `statuses` needs of the record, as JSON.
    """

    task: str
    key: str
    fence: int = 0
    token: str = ""
    owner: tuple[Any, ...] = ()
    committed: str = ""
    state: str = ""
    ended: float | None = None
    params: tuple[str, ...] = ()
    status: str = ""

    @property
    def address(self) -> Address:
        """What it is about."""
        return Address(self.task, self.key)

    @property
    def holder(self) -> Owner:
        """Who has the lease; of one that is damaged nobody can tell."""
        try:
            return Owner.from_list(list(self.owner))
        except (ValueError, TypeError):
            return Owner("an unknown host", "", 0, 0)

    def without_lease(self) -> Head:
        """The same, free for everybody."""
        return replace(self, token="", owner=())

    def without_record(self, committed: str) -> Head:
        """The same without lease and record, after a commit under this token."""
        return Head(self.task, self.key, self.fence, committed=committed)

    def to_line(self) -> bytes:
        """For an object."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"version": VERSION, **told}, separators=(",", ":")).encode()

    @classmethod
    def from_line(cls, line: bytes) -> Head:
        """Read what `to_line` made.

        Raises:
            ValueError: it is something else.
            RecordTooNew: it was written by a newer flowlib.
        """
        found = json.loads(line)
        try:
            if found.pop("version") > VERSION:
                raise RecordTooNew("an object of this store was written by a newer flowlib")
            head = cls(**found)
            return replace(head, owner=tuple(head.owner), params=tuple(head.params))
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"no head of a record: {error!r}") from None


@dataclass(frozen=True, slots=True)
class _Read:
    """An object as it was read or written last: its ETag, head and record."""

    etag: str
    head: Head
    record: bytes
    age_s: float = 0.0


class S3Rows:
    """The objects of one project.

    Args:
        bucket: Where they lie.
        folder: The beginning of their names.
        lease_times: When leases end.
        note: Is told key, ETag and first line of what was written and is in nobody's work.
    """

    def __init__(
        self,
        bucket: S3Bucket,
        folder: str,
        lease_times: LeaseTimes,
        note: Callable[[str, str, bytes], None],
    ) -> None:
        self._bucket, self._folder = bucket, f"{folder}records/"
        self._lease_times, self._note = lease_times, note
        self._held: dict[str, _Read] = {}  # by token: what this process has claimed

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_held": {}}

    def claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> Claim:
        """Take a lease if it is free, expired, or `instead_of` is its token."""
        fresh = Head(address.task, address.key, at_least, token, tuple(owner.to_list()))
        etag = self._bucket.create(self._name(address.key), fresh.to_line() + b"\n")
        while etag is None:
            found = self._read(address)
            if found is None:  # it has gone meanwhile
                etag = self._bucket.create(self._name(address.key), fresh.to_line() + b"\n")
                continue
            head = found.head
            if head.token == token:  # the answer was lost
                return self._ours(token, owner, found)
            if head.token not in ("", instead_of) and not self.has_expired(found.age_s):
                return Claim(False, 0, head.holder, head.token)
            fence = max(head.fence + 1, at_least)
            taken = replace(head, fence=fence, token=token, owner=fresh.owner)
            etag = self._write(found.etag, taken, found.record)
            if etag is not None:
                return self._ours(token, owner, _Read(etag, taken, found.record))
        return self._ours(token, owner, _Read(etag, fresh, b""))

    def commit(self, address: Address, token: str, row: Row) -> bool:
        """Put a record in force; False if the lease has another token by now."""
        counts = row.parsed.finished or row.parsed.latest
        state = row.parsed.state.value
        params = tuple(parameters_of(row.parsed.identity.config))

        def change(head: Head) -> Head:
            return Head(
                task=head.task,
                key=head.key,
                fence=head.fence,
                committed=token,
                state=state,
                ended=counts.ended,
                params=params,
                status=row.status,
            )

        return self._change(address, token, change, row.record.encode())

    def clear(self, address: Address, token: str) -> bool:
        """Remove a record and free its lease; the number of the last attempt stays."""

        return self._change(address, token, lambda head: head.without_record(token), b"")

    def release(self, address: Address, token: str) -> None:
        """Free a lease."""
        self._change(address, token, Head.without_lease)

    def renew(self, keys: Sequence[str], host: str) -> None:
        """Write the leases that processes of `host` have once more, so that they are new."""

        def renew_one(key: str) -> None:
            name = self._name(key)
            stored = self._bucket.get(name)
            if stored is None:
                return
            try:
                head = Head.from_line(stored.body.partition(b"\n")[0])
            except (ValueError, RecordTooNew):
                return
            if head.token and head.holder.host == host:
                self._bucket.replace(name, stored.body, stored.etag)

        for _ in self._bucket.at_once(renew_one, keys):
            pass

    def record_text(self, key: str) -> str | None:
        """The record of a key."""
        stored = self._bucket.get(self._name(key))
        if stored is None:
            return None
        return stored.body.partition(b"\n")[2].decode("utf-8", "replace") or None

    def has_expired(self, age_s: float) -> bool:
        """Whether a lease of this age is free; ages are rounded by up to a second."""
        return age_s - 1 >= self._lease_times.lease_s

    def _ours(self, token: str, owner: Owner, found: _Read) -> Claim:
        self._held[token] = found
        record = found.record.decode("utf-8", "replace") or None
        return Claim(True, found.head.fence, owner, token, record)

    def _change(
        self,
        address: Address,
        token: str,
        change: Callable[[Head], Head],
        record: bytes | None = None,
    ) -> bool:
        """Replace an object whose lease has this token; True if that was done, now or before."""
        found = self._held.pop(token, None)
        while True:
            if found is None:
                found = self._read(address)
            if found is None or found.head.token != token:
                return found is not None and found.head.committed == token  # a lost answer
            new = found.record if record is None else record
            head = change(found.head)
            etag = self._write(found.etag, head, new)
            if etag is not None:
                self._note(head.key, etag, head.to_line())
                return True
            found = None  # renewed, or taken over

    def _read(self, address: Address) -> _Read | None:
        """An object; one that is damaged counts as one that holds nothing."""
        stored = self._bucket.get(self._name(address.key))
        if stored is None:
            return None
        line, _, record = stored.body.partition(b"\n")
        try:
            return _Read(stored.etag, Head.from_line(line), record, stored.age_s)
        except ValueError:
            return _Read(stored.etag, Head(address.task, address.key), b"", stored.age_s)

    def _write(self, etag: str, head: Head, record: bytes) -> str | None:
        body = head.to_line() + b"\n" + record
        return self._bucket.replace(self._name(head.key), body, etag)

    def _name(self, key: str) -> str:
        return self._folder + key
