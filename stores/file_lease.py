"""
Who computes a key of a file store? The process whose lease has the highest number.

A lease is a file `<key>.<attempt>`, created with O_EXCL. It begins with its owner and never loses
that: the record is written behind it, and renaming the file to `<key>.json` is the commit.

    none -> held -> committed   rename(lease, record): ENOENT means that it was taken over
              |---> released    unlink
              |---> taken over  create `<key>.<attempt + 1>`, unlink the older one, look again

The unlink of the older lease is the fence: a paused owner that wakes up finds nothing to rename.
Who creates a lease looks at the record and the other leases once more afterwards, because both
may have changed since it first looked; its number must be new.
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

    def acquire(
        self, address: Address, owner: Owner, read: ReadRecord
    ) -> tuple[int, int, Record | None]:
        """Take the lease of a key: its number, its descriptor and the record in force.

        Raises:
            LeaseHeld: another live process has it.
            StoreUnwritable: the lease cannot be written.
        """
        folder = self._folder(address.task)
        while True:
            record = read(address)
            held = self._numbers(folder, address.key)
            self._refuse_live(folder, address, held)
            used = record.latest.number if record is not None else self._last_removed(address)
            number = 1 + max(used, *held, 0)
            descriptor = self._create(f"{folder}/{address.key}.{number}", owner)
            if descriptor is None:
                continue  # another process was quicker
            for older in held:
                _unlink(f"{folder}/{address.key}.{older}")
            now = read(address)
            others = set(self._numbers(folder, address.key)) - {number}
            if not others and (now is None or now.latest.number < number):
                return number, descriptor, now
            os.close(descriptor)
            _unlink(f"{folder}/{address.key}.{number}")

    def commit(self, address: Address, number: int, target: str) -> None:
        """Rename a lease to the record.

        Raises:
            LeaseLost: it was taken over.
        """
        try:
            os.rename(f"{self._layout.leases(address.task)}/{address.key}.{number}", target)
        except FileNotFoundError:
            raise LeaseLost(
                f"{address}: attempt {number} was taken over by another process, so its "
                f"results do not count"
            ) from None

    def release(self, address: Address, number: int) -> None:
        """Give a lease up; harmless when it is lost."""
        _unlink(f"{self._layout.leases(address.task)}/{address.key}.{number}")

    def renew(self, address: Address) -> None:
        """Show that the owner of a key is at work."""
        folder = self._layout.leases(address.task)
        for number in self._numbers(folder, address.key):
            with contextlib.suppress(OSError):
                os.utime(f"{folder}/{address.key}.{number}")

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

    def _refuse_live(self, folder: str, address: Address, held: list[int]) -> None:
        if not held:
            return
        path = f"{folder}/{address.key}.{max(held)}"
        owner = read_owner(path)
        if owner is not None:
            is_alive = owner.is_alive()
            if is_alive or (is_alive is None and not self._is_expired(folder, path)):
                raise LeaseHeld(f"{address} is being computed by {owner}")
        elif self._age(folder, path) < _EMPTY_GRACE_S:
            raise LeaseHeld(f"{address} is just being taken by another process")

    def _is_expired(self, folder: str, path: str) -> bool:
        return self._age(folder, path) > self._lease_s

    def _age(self, folder: str, path: str) -> float:
        """Seconds since a lease was renewed, by the clock of the file system."""
        try:
            renewed = os.stat(path).st_mtime
        except FileNotFoundError:
            return float("inf")
        probe = f"{folder}/.clock-{os.getpid()}"
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

    def _numbers(self, folder: str, key: str) -> list[int]:
        prefix = f"{key}."
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            return []
        numbers = [n[len(prefix) :] for n in names if n.startswith(prefix)]
        return sorted(int(number) for number in numbers if number.isdigit())

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
