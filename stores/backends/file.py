"""A store in a folder, shared by many processes: a file per record, files for large artifacts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, Self

from stores import matching
from stores.attempt_store import Lease, SaveOptions
from stores.disk import remove_tree, unlinked
from stores.errors import LeaseLost
from stores.file_artifacts import FileArtifacts
from stores.file_commits import FileCommits
from stores.file_index import FileIndex
from stores.file_layout import (
    CHECKPOINT,
    RUNS,
    Layout,
    as_store_error,
    check_marker,
    common_folder,
    encoded,
)
from stores.file_lease import FileLeases
from stores.file_leftovers import FileLeftovers
from stores.file_listing import FileListing
from stores.file_promises import opened
from stores.file_records import FileRecords
from stores.file_streams import as_archive, file_stream, is_folder
from stores.file_types import registered_types
from stores.files import File, TypeInfo
from stores.held_lease import HeldLease
from stores.lease import LeaseTimes, Owner
from stores.leftover import Leftover
from stores.listing import Listing, Page
from stores.record import Address, Artifact, Record, Status
from stores.store import ResultsStore
from stores.summary import Summary
from stores.values import Promise

INLINE_LIMIT_BYTES = 8192
"""Artifacts up to this size live in the record."""


_NOT_PICKLED: Final = frozenset(
    "_layout _leases _index _artifacts _commits _records _listing _leftovers".split()
)


class LocalFileStore(ResultsStore):
    """Keeps results in a folder; any number of processes may use it at once.

    To add types, derive from it and put a `TypeInfo` into `self.type_registry`.

    Args:
        base_dir: The folder; made when something is written to it.
        project: Records, queries and deletions see only those of this project.
        fsync: Whether a result survives a loss of power, and not only of every process, once
            it is reported as finished.
        lease_s: Seconds after which silent work on another host is taken over; 60 if not given.
        inline_limit: Bytes up to which an artifact is part of the record.
        allow_pickle: Whether pickles are loaded. Who can write to the store can then run code.

    Raises:
        RecordTooNew: the folder is a store of a newer flowlib.
    """

    supports_files: ClassVar[bool] = True

    def __init__(
        self,
        base_dir: str | os.PathLike[str],
        *,
        project: str = "",
        fsync: bool = True,
        lease_s: float | None = None,
        inline_limit: int = INLINE_LIMIT_BYTES,
        allow_pickle: bool = True,
    ) -> None:
        folder = os.path.abspath(os.fspath(base_dir))
        self.base_dir = f"{folder}/.projects/{encoded(project)}" if project else folder
        self.runs_dir = Path(self.base_dir, RUNS)
        self.type_registry: dict[str, TypeInfo] = registered_types()
        self.run_info: object = None
        self.lease_times = LeaseTimes(lease_s)
        self._fsync, self._inline_limit, self._allow_pickle = fsync, inline_limit, allow_pickle
        self._open()

    def __repr__(self) -> str:
        return f"LocalFileStore({self.base_dir!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _NOT_PICKLED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:  # what is not pickled
        check_marker(self.base_dir)
        self._layout = Layout(self.base_dir)
        self._leases = FileLeases(self._layout, self.lease_times)
        self._index = FileIndex(self._layout)
        self._artifacts = FileArtifacts(
            self._layout,
            self.type_registry,
            inline_limit=self._inline_limit,
            fsync=self._fsync,
            allow_pickle=self._allow_pickle,
        )
        self._commits = FileCommits(self._leases, self._artifacts, fsync=self._fsync)
        self._records = FileRecords(self._layout, self._index, self._artifacts.checked)
        self._listing = FileListing(self._layout, self._records)
        self._leftovers = FileLeftovers(self._layout, self.lease_times, self._records.read)

    # -- reading -------------------------------------------------------------------------

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        return self._records.statuses(addresses)

    def record(self, address: Address) -> Record | None:
        return self._records.read(address)

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        return self._records.addresses(task)

    def summaries(self, task: str | None = None, *, is_long: bool = False) -> Iterator[Summary]:
        return self._records.summaries(task, is_long=is_long)

    def marks(self, seen: dict[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None]]:
        return self._records.marks(seen)

    @property
    def can_page(self) -> bool:  # type: ignore[override]  # as long as the index knows nearly all
        """Whether `page` opens little more than the records of the page."""
        return self._listing.is_quick

    def page(self, wanted: Listing) -> Page:
        return self._listing.page(wanted) or super().page(wanted)

    def get(self, address: Address, name: str, *, lazy: bool = False, **options: Any) -> Any:
        artifact = self._records.artifact(address, name)
        if artifact is None:
            return super().get(address, name, lazy=lazy, **options)
        return self._artifacts.load(address, artifact, lazy=lazy, options=options)

    def record_folder(self, address: Address) -> Path | None:
        record = self.record(address)
        used = None if record is None else record.finished or record.latest
        return None if used is None else Path(self._layout.key_folder(address), str(used.number))

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        if artifact.inline is None and artifact.file is None:
            # the index leaves out large inline values; the record has them
            return self.get(address, artifact.name, lazy=lazy, **options)
        return self._artifacts.load(address, artifact, lazy=lazy, options=options)

    # -- attempts ------------------------------------------------------------------------

    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        self._layout.prepare(address.task)
        held, record = self._leases.acquire(address, owner, self._records.read, at_least)
        for number in held.marks:  # nobody can commit them any more
            if record is None or number > record.latest.number:
                self._artifacts.drop_attempt(address, number)
        return Lease(address, held.number, owner, held), record

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        held: HeldLease = lease.handle
        try:
            text, found = self._commits.put_in_force(held, record, is_first=previous is None)
        except OSError as error:
            raise as_store_error(error, self._layout.record(lease.address)) from error
        finally:
            os.close(held.descriptor)
        self._index.add(record, found, text)
        self._artifacts.tidy(record, held.key)

    def release_attempt(self, lease: Lease) -> None:
        held: HeldLease = lease.handle
        self._artifacts.drop_attempt(lease.address, held.number)
        self._leases.release(held)
        os.close(held.descriptor)

    def renew(self, addresses: Iterable[Address]) -> None:
        for address in addresses:
            self._leases.renew(address, self._records.read)

    def lease_folder(self, address: Address) -> str:
        return self._layout.leases(address.task)

    def remove(self, address: Address) -> bool:
        if not os.path.exists(self._layout.record(address)):
            return False
        lease, _ = self.acquire(address, Owner.of_this_process())
        held: HeldLease = lease.handle
        try:
            self._leases.bury(address, held.number)
            if not held.is_in_place():
                raise LeaseLost(f"{address} was taken over meanwhile")
            is_there = unlinked(self._layout.record(address))
            remove_tree(self._layout.key_folder(address))
        finally:
            self.release_attempt(lease)
        return is_there

    # -- artifacts -----------------------------------------------------------------------

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        return self._artifacts.write(lease, value, name, how)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        self._artifacts.drop(lease.address, artifact)

    def attempt_folder(self, lease: Lease) -> Path:
        return self._artifacts.folder(lease.address, lease.attempt)

    def checkpoint_folder(self, lease: Lease) -> Path:
        return self._artifacts.folder(lease.address, CHECKPOINT)

    def shared_folder(self, task: str) -> Path:
        return common_folder(self._layout, task)

    def open_in_attempt(
        self,
        lease: Lease,
        name: str,
        known: Artifact | None,
        mode: str,
        type_: str | None,
        sub_dir: str | None,
        **open_kwargs: Any,
    ) -> tuple[Path, File]:
        how = SaveOptions(type_, sub_dir, mode, open_kwargs)
        return self._artifacts.open(lease, name, known, how)

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        artifact = matching.whole(artifact, lambda: self.record(address))
        return file_stream(self._layout, address, artifact)

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        return self._artifacts.take(lease, artifact, stream)

    def portable(self, artifact: Artifact) -> Artifact:
        return as_archive(artifact) if is_folder(artifact) else artifact

    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> Artifact:
        return self._artifacts.adopt(lease.address, name, path, type_)

    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File:
        return opened(promise, mode, open_kwargs)

    def leftovers(self) -> Iterator[Leftover]:
        return self._leftovers.find()

    def drop_leftovers(self, leftovers: Iterable[Leftover]) -> int:
        return self._leftovers.drop(leftovers, self.acquire, self.release_attempt)

    def keys_in_work(self) -> list[Address]:
        return self._leftovers.keys_in_work()

    def beside(self, name: str) -> Self:
        return type(self)(f"{self.base_dir}/.{name}", allow_pickle=self._allow_pickle)

    def close(self) -> None:
        self._index.close()
        self._listing.close()
