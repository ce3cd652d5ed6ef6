"""Several stores as one: which of them holds a result is decided by the name of its task."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from stores.attempt_store import Lease, SaveOptions
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

Place = ResultsStore | str | Mapping[str, Any]


class SplitStore(ResultsStore):
    """The results of some tasks lie in stores of their own, all others in the main store.

    What else these stores hold is not seen here: the main store shows nothing of the tasks that
    have another one, and those show nothing but their tasks.

    Args:
        main: The store of all tasks that are not named: itself, its URI, or its mapping.
        by_task: The store of each task that has another one.
    """

    def __init__(self, main: Place, by_task: Mapping[str, Place]) -> None:
        self._main = _opened(main)
        self._by_task = {task: _opened(place) for task, place in by_task.items()}
        members = [self._main, *self._by_task.values()]
        self._members = list({id(each): each for each in members}.values())
        self.lease_times = min((m.lease_times for m in self._members), key=lambda t: t.beat_s)

    def __repr__(self) -> str:
        held = ", ".join(f"{task}: {store!r}" for task, store in self._by_task.items())
        return f"SplitStore({self._main!r}, {{{held}}})"

    def of(self, task: str) -> ResultsStore:
        """The store that holds the results of a task."""
        return self._by_task.get(task, self._main)

    @property
    def members(self) -> list[ResultsStore]:
        """All of the stores, the main one first."""
        return list(self._members)

    @property
    def reachable_from_workers(self) -> bool:  # type: ignore[override]  # as the stores are
        """Whether other processes can write to all of the stores."""
        return all(each.reachable_from_workers for each in self._members)

    @property
    def supports_files(self) -> bool:  # type: ignore[override]  # as the stores do
        """Whether any of the stores has files; those that have none refuse by themselves."""
        return any(each.supports_files for each in self._members)

    @property
    def runs_dir(self) -> Path | None:  # type: ignore[override]  # as the main store
        """Where the main store keeps what runs leave behind."""
        return self._main.runs_dir

    # -- reading -------------------------------------------------------------------------

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        wanted: dict[int, list[Address]] = {id(each): [] for each in self._members}
        for address in addresses:
            wanted[id(self.of(address.task))].append(address)
        found: dict[str, Status] = {}
        for member in self._members:
            if wanted[id(member)]:
                found.update(member.statuses(wanted[id(member)]))
        return found

    def record(self, address: Address) -> Record | None:
        return self.of(address.task).record(address)

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        if task is not None:
            yield from self.of(task).addresses(task)
            return
        for member in self._members:
            yield from (a for a in member.addresses() if self.of(a.task) is member)

    def candidates(self, query: Query) -> Iterator[Record]:
        streams = [self._own(member, query) for member in self._members]
        return heapq.merge(*streams, key=lambda record: record.address)

    def _own(self, member: ResultsStore, query: Query) -> Iterator[Record]:
        return (r for r in member.candidates(query) if self.of(r.address.task) is member)

    def summaries(self, task: str | None = None, *, is_long: bool = False) -> Iterator[Summary]:
        for member in self._members if task is None else [self.of(task)]:
            found = member.summaries(task, is_long=is_long)
            yield from (each for each in found if self._is_of(member, each.address))

    def page(self, wanted: Listing) -> Page:
        if wanted.task is None:
            return super().page(wanted)
        return self.of(wanted.task).page(wanted)

    def marks(self, seen: dict[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None]]:
        for number, member in enumerate(self._members):
            of_member: Any = seen.setdefault(f"member {number}", {})
            yield from (each for each in member.marks(of_member) if self.of(each[0]) is member)

    def get(self, address: Address, name: str, *, lazy: bool = False, **options: Any) -> Any:
        return self.of(address.task).get(address, name, lazy=lazy, **options)

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        member = self.of(address.task)
        return member.load_artifact(address, attempt, artifact, lazy=lazy, **options)

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        return self.of(address.task).artifact_stream(address, artifact)

    def portable(self, artifact: Artifact) -> Artifact:
        return self._with_files.portable(artifact)

    def portable_stream(self, address: Address, artifact: Artifact) -> tuple[Artifact, BinaryIO]:
        return self.of(address.task).portable_stream(address, artifact)

    def record_folder(self, address: Address) -> Path | None:
        return self.of(address.task).record_folder(address)

    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File:
        return self._with_files.open_promise(promise, mode, **open_kwargs)

    # -- writing: to the store of the task -------------------------------------------------

    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        return self.of(address.task).acquire(address, owner, at_least)

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        self._of(lease).commit_attempt(lease, record, previous)

    def release_attempt(self, lease: Lease) -> None:
        self._of(lease).release_attempt(lease)

    def renew(self, addresses: Iterable[Address]) -> None:
        wanted = list(addresses)
        for member in self._members:
            member.renew([each for each in wanted if self.of(each.task) is member])

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        return self._of(lease).write_artifact(lease, value, name, how)

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        return self._of(lease).take_artifact(lease, artifact, stream)

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        self._of(lease).drop_artifact(lease, artifact)

    def adopt(self, record: Record, blobs: Mapping[str, bytes]) -> None:
        self.of(record.address.task).adopt(record, blobs)

    def attempt_folder(self, lease: Lease) -> Path:
        return self._of(lease).attempt_folder(lease)

    def checkpoint_folder(self, lease: Lease) -> Path:
        return self._of(lease).checkpoint_folder(lease)

    def shared_folder(self, task: str) -> Path:
        return self.of(task).shared_folder(task)

    def lease_folder(self, address: Address) -> str | None:
        return self.of(address.task).lease_folder(address)

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
        member = self._of(lease)
        return member.open_in_attempt(lease, name, known, mode, type_, sub_dir, **open_kwargs)

    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> Artifact:
        return self._of(lease).adopt_file(lease, name, path, type_)

    def without_files(self, what: str) -> str:
        return self._main.without_files(what)

    def remove(self, address: Address) -> bool:
        return self.of(address.task).remove(address)

    def leftovers(self) -> Iterator[Leftover]:
        for member in self._members:
            yield from (each for each in member.leftovers() if self._is_of(member, each.address))

    def drop_leftovers(self, leftovers: Iterable[Leftover]) -> int:
        found = list(leftovers)
        return sum(
            member.drop_leftovers([each for each in found if self._is_of(member, each.address)])
            for member in self._members
        )

    def keys_in_work(self) -> list[Address]:
        return sorted(
            address
            for member in self._members
            for address in member.keys_in_work()
            if self._is_of(member, address)
        )

    def beside(self, name: str) -> Self:
        return type(self)(self._main.beside(name), {})

    def shelves(self) -> Sequence[StorePrimitives]:
        return [each for member in self._members for each in member.shelves()]

    def close(self) -> None:
        for member in self._members:
            member.close()

    def _of(self, lease: Lease) -> ResultsStore:
        return self.of(lease.address.task)

    def _is_of(self, member: ResultsStore, address: Address) -> bool:
        return self.of(address.task) is member

    @property
    def _with_files(self) -> ResultsStore:
        """A store with files, if there is one: what it says of files holds for all that have."""
        return next((each for each in self._members if each.supports_files), self._main)


def _opened(place: Place) -> ResultsStore:
    return place if isinstance(place, ResultsStore) else open_store(place)
