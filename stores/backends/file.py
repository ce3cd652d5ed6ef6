"""A store in a folder, shared by many processes: a file per record, files for large artifacts."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from stores.attempt import Lease, SaveOptions
from stores.errors import (
    ArtifactDamaged,
    RecordDamaged,
    StoreError,
)
from stores.file_artifacts import (
    FileArtifacts,
    InlinePromise,
    registered_types,
    remove_tree,
)
from stores.file_index import FileIndex, IndexEntry, entry_of, status_of
from stores.file_layout import (
    SUFFIX,
    Layout,
    as_store_error,
    check_marker,
    make_folder,
    write_marker,
)
from stores.file_lease import FileLeases
from stores.files import File, FilePromise, TypeInfo
from stores.lease import LEASE_S, Owner
from stores.record import Address, Artifact, Record, Status
from stores.store import ResultsStore
from stores.values import Promise

_log = logging.getLogger("stores")

INLINE_LIMIT_BYTES = 8192
"""Artifacts up to this size live in the record."""


class LocalFileStore(ResultsStore):
    """Keeps results in a folder; any number of processes may use it at once.

    To add types, derive from it and put a `TypeInfo` into `self.type_registry`.

    Args:
        base_dir: The folder; made when something is written to it.
        fsync: Whether a result survives a loss of power, and not only of every process, once
            it is reported as finished.
        lease_s: Seconds after which the work of a silent process on another host is taken over.
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
        fsync: bool = True,
        lease_s: float = LEASE_S,
        inline_limit: int = INLINE_LIMIT_BYTES,
        allow_pickle: bool = True,
    ) -> None:
        self.base_dir = os.path.abspath(os.fspath(base_dir))
        self.type_registry: dict[str, TypeInfo] = registered_types()
        self.run_info: object = None
        self._options = {
            "fsync": fsync,
            "lease_s": lease_s,
            "inline_limit": inline_limit,
            "allow_pickle": allow_pickle,
        }
        self._open()

    def __repr__(self) -> str:
        return f"LocalFileStore({self.base_dir!r})"

    def __getstate__(self) -> dict[str, Any]:
        hidden = ("_layout", "_leases", "_index", "_artifacts", "_descriptors", "_made")
        return {name: value for name, value in self.__dict__.items() if name not in hidden}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:
        """Make what is not pickled."""
        check_marker(self.base_dir)
        options = self._options
        self._layout = Layout(self.base_dir)
        self._leases = FileLeases(self._layout, float(options["lease_s"]))
        self._index = FileIndex(self._layout)
        self._artifacts = FileArtifacts(
            self._layout,
            self.type_registry,
            inline_limit=int(options["inline_limit"]),
            fsync=bool(options["fsync"]),
            allow_pickle=bool(options["allow_pickle"]),
        )
        self._descriptors: dict[tuple[str, int], int] = {}
        self._made: set[str] = set()

    # -- reading -------------------------------------------------------------------------

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        by_task: dict[str, list[Address]] = {}
        for address in addresses:
            by_task.setdefault(address.task, []).append(address)
        found: dict[str, Status] = {}
        for task, wanted in by_task.items():
            if len(wanted) == 1:
                self._look_at_one(wanted[0], found)
            else:
                self._look_at_many(task, wanted, found)
        return found

    def record(self, address: Address) -> Record | None:
        path = self._layout.record(address)
        try:
            with open(path, encoding="utf-8") as file:
                return Record.from_json(file.read(), path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (RecordDamaged, UnicodeDecodeError) as error:
            _log.warning("%s; it counts as not there, and the next success heals it", error)
            return None

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        folders = self._layout.task_folders() if task is None else [self._layout.task_folder(task)]
        for folder in folders:
            for key in _listed_keys(folder):
                if task is not None:
                    yield Address(task, key)
                    continue
                record = self._record_at(f"{folder}/{key}{SUFFIX}")
                if record is not None:
                    yield record.address

    def record_folder(self, address: Address) -> Path | None:
        record = self.record(address)
        if record is None:
            return None
        counts = record.finished or record.latest
        return Path(self._layout.key_folder(address)) / str(counts.number)

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

    def acquire(self, address: Address, owner: Owner) -> tuple[Lease, Record | None]:
        if self.base_dir not in self._made:
            write_marker(self.base_dir)
            self._made.add(self.base_dir)
        folder = self._layout.task_folder(address.task)
        if folder not in self._made:
            make_folder(folder)
            self._made.add(folder)
        number, descriptor, record = self._leases.acquire(address, owner, self.record)
        self._descriptors[address.key, number] = descriptor
        return Lease(address, number, owner), record

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        address = lease.address
        descriptor = self._descriptors.pop((address.key, lease.attempt))
        path = self._layout.record(address)
        try:
            # the lease begins with its owner; the record goes on behind it
            data = f",{record.to_json()[1:]}\n".encode()
            try:
                size_bytes = os.lseek(descriptor, 0, os.SEEK_CUR) + len(data)
                _write_all(descriptor, data)
                if self._options["fsync"]:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if lease.attempt > 1:
                self._index.doubt(address.task, address.key, lease.attempt)
            self._leases.commit(address, lease.attempt, path)
        except OSError as error:
            self._leases.release(address, lease.attempt)
            raise as_store_error(error, path) from error
        self._index.add(record, size_bytes)
        if previous is not None:
            self._artifacts.drop_unnamed(record, previous)

    def release_attempt(self, lease: Lease) -> None:
        descriptor = self._descriptors.pop((lease.address.key, lease.attempt), None)
        if descriptor is not None:
            os.close(descriptor)
        self._artifacts.drop_attempt(lease.address, lease.attempt)
        self._leases.release(lease.address, lease.attempt)

    def renew(self, addresses: Iterable[Address]) -> None:
        for address in addresses:
            self._leases.renew(address, self.record)

    def lease_folder(self, address: Address) -> str | None:
        return self._layout.leases(address.task)

    def remove(self, address: Address) -> bool:
        if not os.path.exists(self._layout.record(address)):
            return False
        lease, _ = self.acquire(address, Owner.of_this_process())
        try:
            self._leases.bury(address, lease.attempt)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._layout.record(address))
            remove_tree(self._layout.key_folder(address))
        finally:
            self.release_attempt(lease)
        return True

    # -- artifacts -----------------------------------------------------------------------

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        return self._artifacts.write(lease.address, lease.attempt, value, name, how)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        self._artifacts.drop(lease.address, artifact)

    def attempt_folder(self, lease: Lease) -> Path:
        return self._artifacts.folder(lease.address, lease.attempt)

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
        return self._artifacts.open(
            lease.address, lease.attempt, name, known, mode, type_, sub_dir, open_kwargs
        )

    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> Artifact:
        return self._artifacts.adopt(lease.address, name, path, type_)

    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File:
        if isinstance(promise, InlinePromise) and not isinstance(promise, FilePromise):
            return promise.open(mode)
        if not isinstance(promise, FilePromise):
            raise StoreError(
                f"a {type(promise).__name__} has no file of its own to open: load() gives its value"
            )
        promise = FilePromise(
            promise.name,
            promise.path,
            promise.save_fn,
            promise.load_fn,
            promise.open_fn,
            mode or promise.mode,
            promise.load_kwargs,
            **{**promise.open_kwargs, **open_kwargs},
        )
        try:
            return File.from_promise(promise)
        except FileNotFoundError as error:
            raise ArtifactDamaged(
                f"{promise.path} is gone: {promise.name} cannot be read"
            ) from error

    def close(self) -> None:
        self._index.close()

    # -- inside --------------------------------------------------------------------------

    def _look_at_one(self, address: Address, found: dict[str, Status]) -> None:
        """One key is cheaper to open than to list."""
        with contextlib.suppress(StoreError):
            record = self.record(address)
            if record is not None:
                found[address.key] = self._artifacts.checked(address, Status.of(record))

    def _look_at_many(self, task: str, wanted: list[Address], found: dict[str, Status]) -> None:
        folder = self._layout.task_folder(task)
        listed = _listed_keys(folder)
        index = self._index.read(task) if listed else {}
        for address in wanted:
            key = address.key
            if key not in listed:
                continue
            entry = index.get(key)
            if entry is None or not _has_size(f"{folder}/{key}{SUFFIX}", entry[-1]):
                entry = self._indexed_again(address)
                if entry is None:
                    continue
            try:
                found[key] = self._artifacts.checked(address, status_of(entry))
            except (KeyError, TypeError, ValueError):
                self._look_at_one(address, found)  # a damaged line of the index

    def _indexed_again(self, address: Address) -> IndexEntry | None:
        """Read a record that the index does not know, or whose file has changed since."""
        try:
            record = self.record(address)
            size_bytes = os.stat(self._layout.record(address)).st_size
        except (StoreError, OSError) as error:
            _log.warning("%s", error)
            return None
        if record is None:
            return None
        self._index.add(record, size_bytes)
        return entry_of(record, size_bytes)

    def _record_at(self, path: str) -> Record | None:
        try:
            with open(path, encoding="utf-8") as file:
                return Record.from_json(file.read(), path)
        except (OSError, StoreError, UnicodeDecodeError) as error:
            _log.warning("%s", error)
            return None


def _listed_keys(folder: str) -> set[str]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    cut = len(SUFFIX)
    return {name[:-cut] for name in names if name.endswith(SUFFIX)}


def _has_size(path: str, size_bytes: int) -> bool:
    try:
        return os.stat(path).st_size == size_bytes
    except OSError:
        return False


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
