"""Several stores as one: results are found in any of them, and written to the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Self

from stores.attempt_store import Lease, SaveOptions
from stores.errors import StoreError, StoreUnwritable
from stores.files import File
from stores.lease import Owner
from stores.leftover import Leftover
from stores.primitives import StorePrimitives
from stores.record import Address, Artifact, Record, Status, TaskState
from stores.store import ResultsStore
from stores.uri import open_store
from stores.values import Promise


class LayeredStore(ResultsStore):
    """A stack of stores. The first that has a result shows it; new ones go to the very first.

    Attempts in the first store have higher numbers than those below, so that a result that was
    forced anew counts as newer.

    Args:
        stores: The stores, from the first: themselves, their URIs, or their mappings.
        read_only: Whether nothing is deleted in those below the first: then what lies there
            cannot be deleted. Else it is deleted in all of them.

    Raises:
        StoreError: there is none.
    """

    def __init__(
        self,
        stores: Sequence[ResultsStore | str | Mapping[str, Any]],
        *,
        read_only: bool = True,
    ) -> None:
        if isinstance(stores, (str, ResultsStore, Mapping)) or not stores:
            raise StoreError(f"a layered store has a list of stores, not {stores!r}")
        self._members = [
            each if isinstance(each, ResultsStore) else open_store(each) for each in stores
        ]
        self._first, *self._rest = self._members
        self._is_read_only = read_only
        self.lease_times = self._first.lease_times

    def __repr__(self) -> str:
        return f"LayeredStore({self._members!r})"

    @property
    def reachable_from_workers(self) -> bool:  # type: ignore[override]  # as the first store
        """Whether other processes can write to the first store."""
        return self._first.reachable_from_workers

    @property
    def supports_files(self) -> bool:  # type: ignore[override]  # as the first store
        """Whether attempts in the first store have folders."""
        return self._first.supports_files

    @property
    def runs_dir(self) -> Path | None:  # type: ignore[override]  # as the first store
        """Where the first store keeps what runs leave behind."""
        return self._first.runs_dir

    # -- reading -------------------------------------------------------------------------

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        wanted = list(addresses)
        found: dict[str, Status] = {}
        for member in self._members:
            for key, status in member.statuses(wanted).items():
                above = found.get(key)
                if above is None:
                    found[key] = status
                elif status.state is TaskState.FINISHED:
                    latest, number = above.latest_state, above.latest_attempt
                    found[key] = replace(status, latest_state=latest, latest_attempt=number)
            wanted = [each for each in wanted if not _is_finished(found.get(each.key))]
            if not wanted:
                break
        return found

    def record(self, address: Address) -> Record | None:
        found: Record | None = None
        for member in self._members:
            record = member.record(address)
            if record is None:
                continue
            if found is None:
                found = record
            elif record.finished is not None:
                found = Record(record.identity, record.finished, found.latest)
            if found.finished is not None:
                break
        return found

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        seen: set[Address] = set()
        for member in self._members:
            for address in member.addresses(task):
                if address not in seen:
                    seen.add(address)
                    yield address

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        member = self._holder(address, artifact)
        return member.load_artifact(address, attempt, artifact, lazy=lazy, **options)

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        return self._holder(address, artifact).artifact_stream(address, artifact)

    def portable(self, artifact: Artifact) -> Artifact:
        return self._first.portable(artifact)

    def portable_stream(self, address: Address, artifact: Artifact) -> tuple[Artifact, BinaryIO]:
        return self._holder(address, artifact).portable_stream(address, artifact)

    def record_folder(self, address: Address) -> Path | None:
        for member in self._members:
            record = member.record(address)
            if record is not None and record.finished is not None:
                return member.record_folder(address)
        return self._first.record_folder(address)

    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File:
        return self._first.open_promise(promise, mode, **open_kwargs)

    # -- writing: to the first -----------------------------------------------------------

    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        below = [member.statuses([address]).get(address.key) for member in self._rest]
        used = [status.latest_attempt for status in below if status is not None]
        return self._first.acquire(address, owner, max([at_least, *(each + 1 for each in used)]))

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        self._first.commit_attempt(lease, record, previous)

    def release_attempt(self, lease: Lease) -> None:
        self._first.release_attempt(lease)

    def renew(self, addresses: Iterable[Address]) -> None:
        self._first.renew(addresses)

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        return self._first.write_artifact(lease, value, name, how)

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        return self._first.take_artifact(lease, artifact, stream)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        self._first.drop_artifact(lease, artifact)

    def adopt(self, record: Record, blobs: Mapping[str, bytes]) -> None:
        self._first.adopt(record, blobs)

    def attempt_folder(self, lease: Lease) -> Path:
        return self._first.attempt_folder(lease)

    def checkpoint_folder(self, lease: Lease) -> Path:
        return self._first.checkpoint_folder(lease)

    def shared_folder(self, task: str) -> Path:
        return self._first.shared_folder(task)

    def lease_folder(self, address: Address) -> str | None:
        return self._first.lease_folder(address)

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
        return self._first.open_in_attempt(lease, name, known, mode, type_, sub_dir, **open_kwargs)

    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> Artifact:
        return self._first.adopt_file(lease, name, path, type_)

    def without_files(self, what: str) -> str:
        return self._first.without_files(what)

    def remove(self, address: Address) -> bool:
        below = [each for each in self._rest if each.record(address) is not None]
        if below and self._is_read_only:
            raise StoreUnwritable(
                f"{address} lies in {below[0]!r}, which is only read here: delete it there, or "
                f"open the stack with read_only=False"
            )
        gone = [each.remove(address) for each in [self._first, *below]]
        return any(gone)

    def leftovers(self) -> Iterator[Leftover]:
        return self._first.leftovers()

    def drop_leftovers(self, leftovers: Iterable[Leftover]) -> int:
        return self._first.drop_leftovers(leftovers)

    def keys_in_work(self) -> list[Address]:
        return sorted({address for member in self._members for address in member.keys_in_work()})

    def beside(self, name: str) -> Self:
        members = [member.beside(name) for member in self._members]
        return type(self)(members, read_only=self._is_read_only)

    def shelves(self) -> Sequence[StorePrimitives]:
        return [each for member in self._members for each in member.shelves()]

    def close(self) -> None:
        for member in self._members:
            member.close()

    def _holder(self, address: Address, artifact: Artifact) -> ResultsStore:
        """The store that an artifact lies in: the first, unless a record below tells of it."""
        for member in self._members if self._rest else ():
            record = member.record(address)
            attempts = () if record is None else (record.finished, record.latest)
            for attempt in attempts:
                if attempt is not None and any(_same(artifact, a) for a in attempt.artifacts):
                    return member
        return self._first


def _is_finished(status: Status | None) -> bool:
    return status is not None and status.state is TaskState.FINISHED


def _same(one: Artifact, other: Artifact) -> bool:
    """Whether two descriptions are of one artifact; a status may leave out its value."""
    facts = [(a.name, a.type_, a.size_bytes, a.digest, a.file) for a in (one, other)]
    return facts[0] == facts[1] and (one.inline is None or one.inline == other.inline)
