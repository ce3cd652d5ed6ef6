"""
What of a file store belongs to no attempt that counts or runs? Traces of killed processes.

Also checkpoints: those of finished keys, and those from which the next attempt would go on.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from stores.attempt_store import Lease
from stores.disk import folder_size, remove_tree
from stores.errors import LeaseHeld, LeaseLost, RecordTooNew
from stores.file_layout import CHECKPOINT, LEASES, Layout, encoded
from stores.file_lease import read_owner
from stores.lease import LeaseTimes, Owner
from stores.leftover import Leftover
from stores.record import Address, Record, TaskState

Acquire = Callable[[Address, Owner], tuple[Lease, Record | None]]
Release = Callable[[Lease], None]


class FileLeftovers:
    """Finds and drops what killed processes have left in one store.

    Args:
        layout: Where what lies.
        times: When a silent owner on another host counts as dead.
        read: Reads a record.
    """

    def __init__(
        self, layout: Layout, times: LeaseTimes, read: Callable[[Address], Record | None]
    ) -> None:
        self._layout = layout
        self._times = times
        self._read = read

    def find(self) -> Iterator[Leftover]:
        """Folders of attempts that nobody can commit or read, checkpoints, leases of the dead."""
        for folder in self._layout.task_folders():
            task = _decoded(folder)
            for key in _folders(folder) if task is not None else ():
                address = Address(task or "", _decoded(key) or "")
                if self._layout.key_folder(address) == f"{folder}/{key}":
                    yield from self._in_folder(address)
        for address, number, path in self._leases():
            if not self._is_live(path):
                with contextlib.suppress(OSError):
                    yield Leftover(address, number, os.stat(path).st_size)

    def drop(self, leftovers: Iterable[Leftover], acquire: Acquire, release: Release) -> int:
        """Drop some, each under the lease of its key; how many bytes that were.

        What is being computed is left as it is.
        """
        freed = 0
        wanted = {(each.address, each.attempt): each for each in leftovers}
        for address in dict.fromkeys(address for address, _ in wanted):
            before = {each.attempt: each.size_bytes for each in self._in_folder(address)}
            try:
                lease, _ = acquire(address, Owner.of_this_process())  # drops those after the record
            except (LeaseHeld, LeaseLost, RecordTooNew):
                continue
            try:
                folder = self._layout.key_folder(address)
                for each in list(self._in_folder(address, is_held=True)):
                    if not _is_of_use(each, wanted.get((address, each.attempt))):
                        remove_tree(f"{folder}/{each.attempt or CHECKPOINT}")
                with contextlib.suppress(OSError):
                    os.rmdir(folder)  # only if nothing is left in it
            finally:
                release(lease)  # drops what a dead one has left under the same number
            after = {each.attempt for each in self._in_folder(address)}
            freed += sum(size for number, size in before.items() if number not in after)
        return freed

    def keys_in_work(self) -> list[Address]:
        """The keys that somebody computes who may be alive."""
        found = {address for address, _, path in self._leases() if self._is_live(path)}
        return sorted(found)

    def _in_folder(self, address: Address, *, is_held: bool = False) -> Iterator[Leftover]:
        """The attempts in the folder of a key that are not in use.

        The folder is listed first, the leases are looked at next, the record last: an attempt
        that is committed meanwhile is seen as one or the other.

        Args:
            address: The key.
            is_held: Whether the lease is ours.
        """
        folder = self._layout.key_folder(address)
        names = _folders(folder)
        numbers = [int(name) for name in names if Layout.is_number(name)]
        stem = self._layout.lease(address)
        numbers = [each for each in numbers if not self._is_live(f"{stem}.{each}")]
        try:
            record = self._read(address) if numbers or CHECKPOINT in names else None
        except RecordTooNew:
            return
        if record is None and os.path.exists(self._layout.record(address)):
            return  # a damaged record: the names of the folders tell which numbers are used
        if CHECKPOINT in names and (is_held or not self._is_in_work(address)):
            yield from _checkpoint(Path(folder, CHECKPOINT), address, record)
        used = frozenset() if record is None else record.attempts_in_use
        for number in sorted(set(numbers) - used):
            with contextlib.suppress(OSError):
                yield Leftover(address, number, folder_size(Path(folder, str(number))))

    def _is_in_work(self, address: Address) -> bool:
        folder, _, name = self._layout.lease(address).rpartition("/")
        suffixes = [each.removeprefix(f"{name}.") for each in _names(folder)]
        numbers = [each for each in suffixes if Layout.is_number(each)]
        return any(self._is_live(f"{folder}/{name}.{each}") for each in numbers)

    def _leases(self) -> Iterator[tuple[Address, int, str]]:
        """Every lease file, with the key and the number that its name tells."""
        base = f"{self._layout.base}/{LEASES}"
        for task_folder in _folders(base):
            task = _decoded(task_folder)
            for name in _names(f"{base}/{task_folder}"):
                key, _, number = name.rpartition(".")
                decoded = _decoded(key)
                if task is not None and decoded and Layout.is_number(number):
                    yield Address(task, decoded), int(number), f"{base}/{task_folder}/{name}"

    def _is_live(self, path: str) -> bool:
        """Whether a lease is there and its owner may be alive."""
        try:
            renewed = os.stat(path).st_mtime
        except OSError:
            return False
        owner = read_owner(path)
        is_alive = None if owner is None else owner.is_alive()
        return time.time() - renewed <= self._times.lease_s if is_alive is None else is_alive


def _checkpoint(folder: Path, address: Address, record: Record | None) -> Iterator[Leftover]:
    is_over = record is not None and record.latest.state is TaskState.FINISHED
    with contextlib.suppress(OSError):
        changed = max(each.lstat().st_mtime for each in (folder, *folder.rglob("*")))
        idle_s = None if is_over else time.time() - changed
        yield Leftover(address, 0, folder_size(folder), idle_s)


def _is_of_use(now: Leftover, wanted: Leftover | None) -> bool:
    """Whether a checkpoint stays: nobody wants to drop it, or it was changed since."""
    if now.attempt or now.idle_s is None:
        return False
    return wanted is None or wanted.idle_s is None or now.idle_s < wanted.idle_s


def _decoded(path: str) -> str | None:
    """The name that a file or folder stands for; None if it was cut or is written otherwise."""
    name = path.rpartition("/")[2]
    text = unquote(name, errors="surrogatepass")
    same = {encoded(text), encoded(text, ignores_case=True), encoded(text).replace(".", "%2E")}
    return text if name in same else None


def _folders(path: str) -> list[str]:
    return [name for name in _names(path) if os.path.isdir(f"{path}/{name}")]


def _names(path: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError:
        return []
