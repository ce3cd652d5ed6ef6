"""A store that is only read: any other store, without the ways to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Self

from stores.attempt_store import Lease, SaveOptions
from stores.errors import StoreUnwritable
from stores.files import File
from stores.lease import Owner
from stores.leftover import Leftover
from stores.listing import Listing, Page
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Address, Artifact, Record, Status
from stores.store import ResultsStore
from stores.summary import Summary
from stores.uri import open_store
from stores.values import Promise


class ReadOnlyStore(ResultsStore):
    """Shows the records of another store; whatever would change it is an error.

    Args:
        store: The other store: itself, its URI, or its mapping.
    """

    def __init__(self, store: ResultsStore | str | Mapping[str, Any]) -> None:
        self._store = store if isinstance(store, ResultsStore) else open_store(store)

    def __repr__(self) -> str:
        return f"ReadOnlyStore({self._store!r})"

    @property
    def reachable_from_workers(self) -> bool:  # type: ignore[override]  # as the other store is
        """Whether other processes see what it holds."""
        return self._store.reachable_from_workers

    @property
    def supports_files(self) -> bool:  # type: ignore[override]  # as the other store does
        """Whether its artifacts can be opened as files."""
        return self._store.supports_files

    @property
    def can_page(self) -> bool:  # type: ignore[override]  # as the other store can
        """Whether it finds one page without looking at all records."""
        return self._store.can_page

    # -- reading -------------------------------------------------------------------------

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        return self._store.statuses(addresses)

    def record(self, address: Address) -> Record | None:
        return self._store.record(address)

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        return self._store.addresses(task)

    def summaries(self, task: str | None = None, *, is_long: bool = False) -> Iterator[Summary]:
        return self._store.summaries(task, is_long=is_long)

    def page(self, wanted: Listing) -> Page:
        return self._store.page(wanted)

    def marks(self, seen: dict[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None]]:
        return self._store.marks(seen)

    def candidates(self, query: Query) -> Iterator[Record]:
        return self._store.candidates(query)

    def get(self, address: Address, name: str, *, lazy: bool = False, **options: Any) -> Any:
        return self._store.get(address, name, lazy=lazy, **options)

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        return self._store.load_artifact(address, attempt, artifact, lazy=lazy, **options)

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        return self._store.artifact_stream(address, artifact)

    def portable(self, artifact: Artifact) -> Artifact:
        return self._store.portable(artifact)

    def portable_stream(self, address: Address, artifact: Artifact) -> tuple[Artifact, BinaryIO]:
        return self._store.portable_stream(address, artifact)

    def record_folder(self, address: Address) -> Path | None:
        return self._store.record_folder(address)

    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File:
        if not set(mode or "r") <= set("rbt"):
            self._refuse(f"opening {getattr(promise, 'name', 'a value')!r} with mode {mode!r}")
        return self._store.open_promise(promise, mode, **open_kwargs)

    def leftovers(self) -> Iterator[Leftover]:
        return self._store.leftovers()

    def keys_in_work(self) -> list[Address]:
        return self._store.keys_in_work()

    def beside(self, name: str) -> Self:
        return type(self)(self._store.beside(name))

    def shelves(self) -> Sequence[StorePrimitives]:
        return self._store.shelves()

    def close(self) -> None:
        self._store.close()

    # -- writing -------------------------------------------------------------------------

    def acquire(self, address: Address, owner: Owner, at_least: int = 1) -> NoReturn:
        self._refuse(f"computing or saving {address}")

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> NoReturn:
        self._refuse(f"computing or saving {lease.address}")

    def release_attempt(self, lease: Lease) -> None:
        """There is none."""

    def renew(self, addresses: Iterable[Address]) -> None:
        """There is none."""

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> NoReturn:
        self._refuse(f"saving {lease.address}/{name}")

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> NoReturn:
        self._refuse(f"saving {lease.address}/{artifact.name}")

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> NoReturn:
        self._refuse(f"deleting {lease.address}/{artifact.name}")

    def attempt_folder(self, lease: Lease) -> NoReturn:
        self._refuse(f"computing or saving {lease.address}")

    def checkpoint_folder(self, lease: Lease) -> NoReturn:
        self._refuse(f"computing {lease.address}")

    def shared_folder(self, task: str) -> NoReturn:
        self._refuse(f"the shared folder of {task}")

    def open_in_attempt(
        self,
        lease: Lease,
        name: str,
        known: Artifact | None,
        mode: str,
        type_: str | None,
        sub_dir: str | None,
        **open_kwargs: Any,
    ) -> NoReturn:
        self._refuse(f"saving {lease.address}/{name}")

    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> NoReturn:
        self._refuse(f"saving {lease.address}/{name}")

    def lease_folder(self, address: Address) -> None:
        """There is none, as there are no leases."""

    def without_files(self, what: str) -> str:
        return self._store.without_files(what)

    def remove(self, address: Address) -> NoReturn:
        self._refuse(f"deleting {address}")

    def drop_leftovers(self, leftovers: Iterable[Leftover]) -> int:
        if list(leftovers):
            self._refuse("deleting leftovers")
        return 0

    def adopt(self, record: Record, blobs: Mapping[str, bytes]) -> NoReturn:
        self._refuse(f"computing or saving {record.address}")

    def _refuse(self, what: str) -> NoReturn:
        raise StoreUnwritable(f"{self!r} is only read, so {what} does not work there")
