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
Who has created a lease looks at the record and at its mark once more, because both may have
changed since it first looked.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Final

from stores.errors import LeaseHeld, LeaseLost
from stores.file_layout import Layout, as_store_error, make_folder
from stores.lease import Owner
from stores.record import Address, Record

_EMPTY_GRACE_S: Final = 2.0
"""A lease without an owner is one that is just being written, or whose writer was killed."""

ReadRecord = Callable[[Address], Record | None]


class FileLeases:
    """The leases of one store.

    Args:
        layout: Where they lie.
        lease_s: Seconds after which a lease of another host that nobody renews is taken over.
    """

    def __init__(self, layout: Layout, lease_s: float) -> None:
        self._layout = layout
        self._lease_s = lease_s
        self._made: set[str] = set()
        self._marked: dict[tuple[str, int], range] = {}

    def acquire(
        self, address: Address, owner: Owner, read: ReadRecord
    ) -> tuple[int, int, Record | None]:
        """Take the lease of a key: its number, its descriptor and the record in force.

        Raises:
            LeaseHeld: another live process has it.
            StoreUnwritable: the lease cannot be written.
        """
        stem = f"{self._folder(address.task)}/{address.key}"
        while True:
            first = number = self._next_number(address, stem, read(address))
            while (descriptor := self._create(f"{stem}.{number}", owner)) is None:
                if not os.path.exists(f"{stem}.{number}"):
                    break  # it has just ended: look again
                self._refuse_live(stem, number, address)
                number += 1
            if descriptor is None:
                continue
            for older in range(first, number):
                self._end(f"{stem}.{older}")
            now = read(address)
            latest = now.latest.number if now is not None else 0
            if latest < number and not os.path.exists(f"{stem}.{number}.over"):
                self._marked[address.key, number] = range(first, number)
                return number, descriptor, now
            os.close(descriptor)
            _unlink(f"{stem}.{number}")

    def commit(self, address: Address, number: int, target: str) -> None:
        """Rename a lease to the record.

        Raises:
            LeaseLost: it was taken over.
        """
        stem = f"{self._layout.leases(address.task)}/{address.key}"
        marked = self._marked.pop((address.key, number), range(0))
        try:
            os.rename(f"{stem}.{number}", target)
        except FileNotFoundError:
            raise LeaseLost(
                f"{address}: attempt {number} was taken over by another process, so its "
                f"results do not count"
            ) from None
        for older in marked:
            _unlink(f"{stem}.{older}.over")

    def release(self, address: Address, number: int) -> None:
        """Give a lease up; harmless when it is lost.

        Its number may be used again: whoever gives up writes nothing any more.
        """
        self._marked.pop((address.key, number), None)
        _unlink(f"{self._layout.leases(address.task)}/{address.key}.{number}")

    def renew(self, address: Address, read: ReadRecord) -> None:
        """Show that the owner of a key is at work."""
        stem = f"{self._layout.leases(address.task)}/{address.key}"
        number = self._next_number(address, stem, read(address))
        while os.path.exists(f"{stem}.{number}"):
            with contextlib.suppress(OSError):
                os.utime(f"{stem}.{number}")
            number += 1

    def _next_number(self, address: Address, stem: str, record: Record | None) -> int:
        """The first number after the record's that is not marked as used up."""
        number = 1 + (record.latest.number if record else self._last_removed(address))
        while os.path.exists(f"{stem}.{number}.over"):
            number += 1
        return number

    def _end(self, lease: str) -> None:
        """Mark a number as used up, then take its lease away."""
        try:
            os.close(os.open(f"{lease}.over", os.O_CREAT | os.O_WRONLY, 0o644))
        except OSError as error:
            raise as_store_error(error, f"{lease}.over") from error
        _unlink(lease)

    def bury(self, address: Address, number: int) -> None:
        """Remember the number of the last attempt of a record that is about to be removed."""
        path = self._layout.tombstone(address)
        make_folder(os.path.dirname(path))
        try:
            with open(f"{path}.{number}", "w", encoding="utf-8") as file:
                file.write(str(number))
            os.replace(f"{path}.{number}", path)
        except OSError as error:
            raise as_store_error(error, path) from error

    def _last_removed(self, address: Address) -> int:
        try:
            with open(self._layout.tombstone(address), encoding="utf-8") as file:
                return int(file.read())
        except (OSError, ValueError):
            return 0

    def _refuse_live(self, stem: str, number: int, address: Address) -> None:
        path = f"{stem}.{number}"
        owner = read_owner(path)
        if owner is not None:
            is_alive = owner.is_alive()
            if is_alive or (is_alive is None and self._age(path) <= self._lease_s):
                raise LeaseHeld(f"{address} is being computed by {owner}")
        elif self._age(path) < _EMPTY_GRACE_S:
            raise LeaseHeld(f"{address} is just being taken by another process")

    def _age(self, path: str) -> float:
        """Seconds since a lease was renewed, by the clock of the file system."""
        try:
            renewed = os.stat(path).st_mtime
        except FileNotFoundError:
            return 0.0  # it has just ended: whoever asked looks again
        probe = f"{os.path.dirname(path)}/.clock-{os.getpid()}"
        try:
            with open(probe, "w"):
                os.utime(probe)
            now = os.stat(probe).st_mtime
            _unlink(probe)
        except OSError:
            now = time.time()
        return now - renewed

    def _create(self, path: str, owner: Owner) -> int | None:
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        except FileExistsError:
            return None
        except OSError as error:
            raise as_store_error(error, path) from error
        try:
            os.write(descriptor, f'{{"lease":{json.dumps(owner.to_list())}'.encode())
        except OSError as error:
            os.close(descriptor)
            _unlink(path)
            raise as_store_error(error, path) from error
        return descriptor

    def _folder(self, task: str) -> str:
        folder = self._layout.leases(task)
        if folder not in self._made:
            make_folder(folder)
            self._made.add(folder)
        return folder


def read_owner(path: str) -> Owner | None:
    """Who a lease belongs to; None if it cannot be told."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
        parts = json.JSONDecoder().raw_decode(head.decode("utf-8", "replace"), len('{"lease":'))[0]
        return Owner.from_list(parts)
    except (OSError, ValueError, TypeError, IndexError):
        return None


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
