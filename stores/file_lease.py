"""
Who computes a key of a file store? The process that holds the lease of the next attempt.

A lease is a file `<key>.<attempt>`, created with O_EXCL. It begins with its owner and never loses
that: the record is written behind it, and renaming the file to `<key>.json` is the commit.

    none -> held -> committed   rename(lease, record): ENOENT means that it was taken over
              |---> released    unlink
              |---> taken over  create `<key>.<attempt + 1>`, mark the older one, unlink it

A mark `<key>.<attempt>.over` says that this number is used up without a record. Marks are made
before the unlink that they explain, and removed when a later attempt is committed, so that the
number to try is found without listing anything: the first after the record's that has no mark.

The unlink of the older lease is the fence: a paused owner that wakes up finds nothing to rename.
Whoever passes a mark unlinks the lease of its number, in case the maker of the mark was killed
before it did. Who has created a lease looks at its mark and then at the record once more: both may
have changed since it first looked, and a commit removes marks when its record is there. So a key
without a record is not asked for marks before: its first number hardly ever has one. Numbers of
removed records are marked, too.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable
from typing import Final

from stores.disk import above_streams, is_there
from stores.errors import LeaseHeld, LeaseLost
from stores.file_layout import Layout, as_store_error, make_folder
from stores.held_lease import HeldLease, KeyPaths
from stores.lease import LeaseTimes, Owner
from stores.record import Address, Record

_EMPTY_GRACE_S: Final = 2.0
"""A lease without an owner is just being written, or its writer was killed."""

_MARKS_KEPT: Final = 10
"""For so many numbers before its own a commit removes marks, which may be left by the killed."""

ReadRecord = Callable[[Address], Record | None]


class FileLeases:
    """The leases of one store.

    Args:
        layout: Where they lie.
        times: When a lease of another host that nobody renews is taken over.
    """

    def __init__(self, layout: Layout, times: LeaseTimes) -> None:
        self._layout = layout
        self._times = times

    def acquire(
        self, address: Address, owner: Owner, read: ReadRecord, at_least: int = 1
    ) -> tuple[HeldLease, Record | None]:
        """Take the lease of a key, numbered `at_least` or higher, and read its record under it.

        Raises:
            LeaseHeld: another live process has it.
            StoreUnwritable: the lease cannot be written.
        """
        key, is_hasty = self._layout.paths(address), True
        stem = key.lease
        while True:
            _, used = self._look(address, key, read)
            is_hasty = is_hasty and not used
            first = 1 if is_hasty else _unmarked(stem, used + 1)
            made = self._create_next(stem, first, address, owner, is_hasty=is_hasty)
            is_hasty = False
            if made is None:
                continue
            number, descriptor = made
            try:
                for older in range(first, number):
                    _end(f"{stem}.{older}")
                if number < at_least:  # all numbers up to that one, and this one, are used up
                    self.bury(address, at_least - 1)
                is_over = is_there(f"{stem}.{number}.over")
                now, used_now = self._look(address, key, read)
                if used_now < number and not is_over:
                    marks = range(used + 1, number)
                    return HeldLease(number, f"{stem}.{number}", descriptor, marks, key), now
            except BaseException:  # nobody could take the key while this process lives
                _give_up(descriptor, f"{stem}.{number}")
                raise
            _give_up(descriptor, f"{stem}.{number}")

    def commit(self, lease: HeldLease, address: Address) -> os.stat_result:
        """Rename a lease, behind whose owner the record was written, to the record.

        Returns:
            What the file is that has become the record.

        Raises:
            LeaseLost: it was taken over.
        """
        target = lease.key.record
        # The name may belong to another process by now that is about to give it up again.
        found = lease.found_in_place()
        if found is None:
            raise LeaseLost(_lost(address, lease.number))
        try:
            try:
                os.rename(lease.path, target)
            except FileNotFoundError:
                if not lease.is_in_place():
                    raise
                make_folder(os.path.dirname(target))  # somebody has removed it
                os.rename(lease.path, target)
        except FileNotFoundError:
            if not _is_file_of(target, lease.descriptor):  # a lost answer of a file server
                raise LeaseLost(_lost(address, lease.number)) from None
        for older in range(max(1, lease.number - _MARKS_KEPT), lease.number):
            _unlink(f"{lease.key.lease}.{older}.over")
        return found

    def is_committed(self, lease: HeldLease) -> bool:
        """Whether the file of a lease is the record by now."""
        return _is_file_of(lease.key.record, lease.descriptor)

    def release(self, lease: HeldLease) -> None:
        """Give a lease up; harmless when it is lost.

        Its number may be used again: whoever gives up writes nothing any more.
        """
        if lease.is_in_place():
            _unlink(lease.path)

    def renew(self, address: Address, read: ReadRecord) -> None:
        """Show that the owner of a key is at work."""
        key = self._layout.paths(address)
        stem = key.lease
        number = _unmarked(stem, self._look(address, key, read)[1] + 1)
        with contextlib.suppress(OSError):
            while True:
                os.utime(f"{stem}.{number}")
                number += 1

    def bury(self, address: Address, number: int) -> None:
        """Mark all numbers up to this one as used up: their record is about to be removed."""
        stem = self._layout.lease(address)
        for each in range(1, number + 1):
            _mark(f"{stem}.{each}")

    def _look(self, address: Address, key: KeyPaths, read: ReadRecord) -> tuple[Record | None, int]:
        """The record, and the last number that was used up by one: 0 where there is none yet.

        Of a damaged record the folders of its attempts tell the number.
        """
        if not is_there(key.record):
            return None, 0
        record = read(address)
        if record is not None:
            return record, record.latest.number
        names = []
        with contextlib.suppress(OSError):
            names = os.listdir(key.folder)
        return None, max([1, *(int(name) for name in names if Layout.is_number(name))])

    def _create_next(
        self, stem: str, first: int, address: Address, owner: Owner, *, is_hasty: bool
    ) -> tuple[int, int] | None:
        """Create the lease of the first number that has none; those before belong to the dead.

        None if one of them has ended meanwhile, or if there is one although `first` was guessed:
        then one has to look again.

        Raises:
            LeaseHeld: one of them belongs to a live process.
        """
        number = first
        while (descriptor := self._create(f"{stem}.{number}", owner)) is None:
            if is_hasty:
                return None
            try:
                self._refuse_live(f"{stem}.{number}", address)
            except FileNotFoundError:
                return None
            number += 1
        return number, descriptor

    def _refuse_live(self, path: str, address: Address) -> None:
        owner = read_owner(path)
        if owner is not None:
            is_alive = owner.is_alive()
            if is_alive or (is_alive is None and self._age(path) <= self._times.lease_s):
                raise LeaseHeld(f"{address} is being computed by {owner}")
        elif self._age(path) < _EMPTY_GRACE_S:
            raise LeaseHeld(f"{address} is just being taken by another process")

    def _age(self, path: str) -> float:
        """Seconds since a lease was renewed, by the clock of the file system."""
        renewed = os.stat(path).st_mtime
        clock = f"{os.path.dirname(path)}/../.clock"
        try:
            with open(clock, "a"):
                os.utime(clock)
            now = os.stat(clock).st_mtime
        except OSError:
            now = time.time()
        return now - renewed

    def _create(self, path: str, owner: Owner) -> int | None:
        try:
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
            except FileNotFoundError:
                make_folder(os.path.dirname(path))
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        except FileExistsError:
            return None
        except OSError as error:
            raise as_store_error(error, path) from error
        try:
            descriptor = above_streams(descriptor)
            os.write(descriptor, _head(owner))
        except OSError as error:
            _give_up(descriptor, path)
            raise as_store_error(error, path) from error
        return descriptor


def read_owner(path: str) -> Owner | None:
    """Who a lease belongs to; None if it cannot be told."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
        parts = json.JSONDecoder().raw_decode(head.decode("utf-8", "replace"), len('{"lease":'))[0]
        return Owner.from_list(parts)
    except (OSError, ValueError, TypeError, IndexError):
        return None


@functools.lru_cache(maxsize=8)
def _head(owner: Owner) -> bytes:
    return f'{{"lease":{json.dumps(owner.to_list())}'.encode()


def _unmarked(stem: str, number: int) -> int:
    """The first number from this on without a mark; leases of marked ones end."""
    while is_there(f"{stem}.{number}.over"):
        _unlink(f"{stem}.{number}")
        number += 1
    return number


def _end(lease: str) -> None:
    """Mark a number as used up, then take its lease away."""
    _mark(lease)
    _unlink(lease)


def _mark(lease: str) -> None:
    try:
        os.close(os.open(f"{lease}.over", os.O_CREAT | os.O_WRONLY, 0o644))
    except OSError as error:
        raise as_store_error(error, f"{lease}.over") from error


def _lost(address: Address, number: int) -> str:
    return (
        f"{address}: attempt {number} was taken over by another process, so its results do not "
        f"count"
    )


def _is_file_of(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def _give_up(descriptor: int, path: str) -> None:
    os.close(descriptor)
    _unlink(path)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
