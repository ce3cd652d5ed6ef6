"""How does a process use a store that only another one reaches? It asks that one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, ClassVar

from stores import (
    Address,
    Artifact,
    LeaseLost,
    Owner,
    Record,
    ResultsStore,
    Status,
    StoreError,
)
from stores.attempt_store import Lease, SaveOptions
from stores.encoding import codec_for, codec_of, dumped, inline_artifact, loaded_inline
from stores.promises import StoredPromise
from stores.transfer import is_archive, loaded_stream

Ask = Callable[..., Any]
"""Calls a method of a `StoreKeeper` by its name, wherever that stands; errors of the store are
raised."""


class StoreKeeper:
    """Stands where the store is, and does what others ask of it.

    What goes in and out can be pickled. Leases stay here, since stores keep things in them that
    cannot travel.

    Args:
        store: It.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self._leases: dict[str, Lease] = {}

    def statuses(self, addresses: list[Address]) -> dict[str, Status]:
        """As that of the store."""
        return self._store.statuses(addresses)

    def record(self, address: Address) -> Record | None:
        """As that of the store."""
        return self._store.record(address)

    def addresses(self, task: str | None) -> list[Address]:
        """As that of the store."""
        return list(self._store.addresses(task))

    def acquire(self, address: Address, owner: Owner, at_least: int) -> tuple[Lease, Record | None]:
        """As that of the store."""
        lease, previous = self._store.acquire(address, owner, at_least)
        lost = self._leases.get(address.key)
        self._leases[address.key] = lease
        if lost is not None and lost.attempt != lease.attempt:  # its owner was lost, too
            with suppress(StoreError, OSError):
                self._store.release_attempt(lost)
        return replace(lease, handle=None), previous

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        """As that of the store."""
        own = self._own(lease)
        del self._leases[lease.address.key]  # an attempt is over, also when this fails
        self._store.commit_attempt(own, record, previous)

    def release_attempt(self, lease: Lease) -> None:
        """As that of the store."""
        try:
            self._store.release_attempt(self._own(lease))
        except LeaseLost:
            return
        self._leases.pop(lease.address.key, None)

    def renew(self, addresses: list[Address]) -> None:
        """As that of the store."""
        self._store.renew(addresses)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        """As that of the store."""
        self._store.drop_artifact(self._own(lease), artifact)

    def take_artifact(self, lease: Lease, artifact: Artifact, data: bytes) -> Artifact:
        """As that of the store, for the bytes themselves."""
        return self._store.take_artifact(self._own(lease), artifact, io.BytesIO(data))

    def portable(self, artifact: Artifact) -> Artifact:
        """As that of the store."""
        return self._store.portable(artifact)

    def read(self, address: Address, artifact: Artifact) -> tuple[Artifact, bytes]:
        """An artifact as it travels, and its bytes."""
        portable, stream = self._store.portable_stream(address, artifact)
        with stream:
            return portable, stream.read()

    def remove(self, address: Address) -> bool:
        """As that of the store."""
        return self._store.remove(address)

    def keys_in_work(self) -> list[Address]:
        """As that of the store."""
        return self._store.keys_in_work()

    def _own(self, lease: Lease) -> Lease:
        own = self._leases.get(lease.address.key)
        if own is None or (own.attempt, own.owner) != (lease.attempt, lease.owner):
            raise LeaseLost(f"{lease.address} was taken over: attempt {lease.attempt} is void")
        return own


class AskedStore(ResultsStore):
    """A store that is somewhere else. Values are encoded and decoded here, and travel as bytes.

    It keeps no files: `run_dir` and `open` have no place that both sides see. Who has started
    the work renews its leases.

    Args:
        name: What the store is called in messages.
        ask: Asks its keeper.
        loads_pickles: Whether the store does.
    """

    reachable_from_workers: ClassVar[bool] = False

    def __init__(self, name: str, ask: Ask, *, loads_pickles: bool = True) -> None:
        self._name, self._ask, self._loads_pickles = name, ask, loads_pickles

    def __repr__(self) -> str:
        return self._name

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        wanted = list(addresses)
        found: dict[str, Status] = self._ask("statuses", wanted) if wanted else {}
        return found

    def record(self, address: Address) -> Record | None:
        found: Record | None = self._ask("record", address)
        return found

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        found: list[Address] = self._ask("addresses", task)
        return iter(found)

    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        lease, previous = self._ask("acquire", address, owner, at_least)
        return lease, previous

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        self._ask("commit_attempt", lease, record, previous)

    def release_attempt(self, lease: Lease) -> None:
        self._ask("release_attempt", lease)

    def renew(self, addresses: Iterable[Address]) -> None:
        self._ask("renew", list(addresses))

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        type_, codec = codec_for(value, how.type_)
        data = dumped(codec, value, lease.address, name, how.codec_options or {})
        load = dict(how.load_kwargs or {})
        if is_archive(codec):
            bare = Artifact(name, type_, codec.version, encoding="tar", load_kwargs=load)
            return self._taken(lease, replace(bare, size_bytes=len(data)), data)
        return self._taken(lease, inline_artifact(name, type_, codec, data, load), data)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        self._ask("drop_artifact", lease, artifact)

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        if lazy:
            return StoredPromise(self, address, artifact, options)
        codec = codec_of(address, artifact, allow_pickle=self._loads_pickles)
        if artifact.inline is not None:
            return loaded_inline(address, artifact, codec, options)
        portable, stream = self.portable_stream(address, artifact)
        return loaded_stream(address, portable, codec, stream, options)

    def portable_stream(self, address: Address, artifact: Artifact) -> tuple[Artifact, BinaryIO]:
        portable, data = self._ask("read", address, artifact)
        return portable, io.BytesIO(data)

    def portable(self, artifact: Artifact) -> Artifact:
        found: Artifact = self._ask("portable", artifact)
        return found

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        return self.portable_stream(address, artifact)[1]

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        return self._taken(lease, artifact, stream.read())

    def remove(self, address: Address) -> bool:
        is_gone: bool = self._ask("remove", address)
        return is_gone

    def keys_in_work(self) -> list[Address]:
        found: list[Address] = self._ask("keys_in_work")
        return found

    def _taken(self, lease: Lease, artifact: Artifact, data: bytes) -> Artifact:
        taken: Artifact = self._ask("take_artifact", lease, replace(artifact, inline=None), data)
        return taken
