"""Which large values in a database does no record name, because who wrote them was killed?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Protocol

from stores.attempt_store import Lease
from stores.errors import LeaseHeld, LeaseLost, RecordTooNew
from stores.lease import Owner
from stores.leftover import Leftover
from stores.record import Address, Record


class Keeper(Protocol):
    """What is needed of a store; `DatabaseStore` documents it."""

    def record(self, address: Address) -> Record | None: ...
    def keys_in_work(self) -> list[Address]: ...
    def all_pieces(self) -> Iterator[tuple[Address, str, int]]: ...
    def drop_pieces(self, key: str, names: list[str]) -> None: ...
    def acquire(self, address: Address, owner: Owner) -> tuple[Lease, Record | None]: ...
    def release_attempt(self, lease: Lease) -> None: ...


def unnamed_pieces(store: Keeper) -> Iterator[Leftover]:
    """What no record names, of keys that nobody computes."""
    busy = {address.key for address in store.keys_in_work()}
    for address, found in groupby(store.all_pieces(), lambda piece: piece[0]):
        if address.key in busy:
            continue
        try:
            record = store.record(address)
        except RecordTooNew:
            continue
        named = files_of(record)
        for _, name, size in found:
            if name not in named:
                yield Leftover(address, _attempt_of(name), max(size, 0))


def drop_unnamed_pieces(store: Keeper, leftovers: Iterable[Leftover]) -> int:
    """Drop what no record names, under the lease of its key; how many bytes that were."""
    wanted = {(each.address, each.attempt) for each in leftovers}
    pieces: dict[Address, dict[str, int]] = {}
    for address, name, size in store.all_pieces():
        if (address, _attempt_of(name)) in wanted:
            pieces.setdefault(address, {})[name] = max(size, 0)
    freed = 0
    for address, found in pieces.items():
        try:
            lease, record = store.acquire(address, Owner.of_this_process())
        except (LeaseHeld, LeaseLost, RecordTooNew):
            continue
        try:
            named = files_of(record)
            unnamed = [name for name in found if name not in named]
            store.drop_pieces(address.key, unnamed)
            freed += sum(found[name] for name in unnamed)
        finally:
            store.release_attempt(lease)
    return freed


def files_of(record: Record | None) -> set[str]:
    """The names of all large values that a record names."""
    attempts = [] if record is None else [record.finished, record.latest]
    return {
        artifact.file
        for attempt in attempts
        if attempt is not None
        for artifact in attempt.artifacts
        if artifact.file is not None
    }


def _attempt_of(name: str) -> int:
    return int(name.partition("/")[0])
