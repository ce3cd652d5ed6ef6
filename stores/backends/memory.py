"""A store in the memory of this process; values are encoded when saved, so nothing is shared."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, BinaryIO, ClassVar, Self

from stores.attempt_store import Lease, SaveOptions
from stores.encoding import codec_for, codec_of, dumped
from stores.errors import ArtifactDamaged, LeaseHeld, LeaseLost
from stores.lease import Owner
from stores.promises import StoredPromise
from stores.record import Address, Artifact, Record, Status, TaskState
from stores.store import ResultsStore
from stores.transfer import is_archive, loaded_stream

_BlobKey = tuple[int, str]
_Blobs = dict[_BlobKey, bytes]


class InMemoryStore(ResultsStore):
    """Nothing outlives the process.

    It stays in the driver of a run: inputs travel to workers with the job, and results come
    back with its outcome. Two runs at once on one memory store, in two threads and each with
    worker processes, may both compute a key; a file store leases it to one of them.

    Args:
        manager: Accepted for the sake of the seed's interface; not needed.
        project: What it is for; every memory store is apart from all others anyway.
    """

    reachable_from_workers: ClassVar[bool] = False

    def __init__(self, manager: object = None, *, project: str = "") -> None:
        self.project = project
        self._name = os.urandom(4).hex()  # by which its runs are found among those of others
        self._lock = threading.RLock()
        self._records: dict[str, Record] = {}
        self._blobs: dict[str, _Blobs] = {}
        self._leases: dict[str, Lease] = {}
        self._last_number: dict[str, int] = {}
        self._ancestry: Mapping[str, Record] = {}
        self._besides: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<InMemoryStore {self._name}>"

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {"records": dict(self._records), "blobs": dict(self._blobs)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]  # the lock cannot be pickled
        self._records, self._blobs = state["records"], state["blobs"]

    def beside(self, name: str) -> Self:
        with self._lock:
            if name not in self._besides:
                self._besides[name] = InMemoryStore(project=self.project)  # own classes differ
            beside: Self = self._besides[name]
        return beside

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        found = {}
        with self._lock:
            for address in addresses:
                record = self._records.get(address.key)
                if record is not None:
                    found[address.key] = self._checked(Status.of(record), address)
        return found

    def _checked(self, status: Status, address: Address) -> Status:
        blobs = self._blobs.get(address.key, {})
        missing = tuple(each.name for each in status.artifacts if _blob_key(each) not in blobs)
        return replace(status, missing=missing) if missing else status

    def record(self, address: Address) -> Record | None:
        return self._records.get(address.key) or self._ancestry.get(address.key)

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        with self._lock:
            known = [record.address for record in self._records.values()]
        return (address for address in known if task is None or address.task == task)

    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        with self._lock:
            held = self._leases.get(address.key)
            if held is not None and held.owner.is_alive() is not False:
                raise LeaseHeld(f"{address} is being computed by {held.owner}")
            previous = self._records.get(address.key)
            latest = previous.latest.number if previous is not None else 0
            number = max(latest + 1, self._last_number.get(address.key, 0) + 1, at_least)
            self._last_number[address.key] = number
            lease = self._leases[address.key] = Lease(address, number, owner)
            return lease, previous

    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        with self._lock:
            if self._leases.get(lease.address.key) is not lease:
                raise LeaseLost(f"{lease.address} was taken over: attempt {lease.attempt} is void")
            self._records[lease.address.key] = record
            del self._leases[lease.address.key]
            self._drop_unnamed(record)

    def release_attempt(self, lease: Lease) -> None:
        with self._lock:
            if self._leases.get(lease.address.key) is lease:
                del self._leases[lease.address.key]
                self._drop(lease.address, lambda key: key[0] == lease.attempt)

    def renew(self, addresses: Iterable[Address]) -> None:
        """Leases of one process do not expire."""

    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        type_, codec = codec_for(value, how.type_)
        data = dumped(codec, value, lease.address, name, how.codec_options or {})
        with self._lock:
            self._blobs.setdefault(lease.address.key, {})[lease.attempt, name] = data
        return Artifact(
            name=name,
            type_=type_,
            codec_version=codec.version,
            size_bytes=len(data),
            file=f"{lease.attempt}/{name}",
            encoding="tar" if is_archive(codec) else "utf-8",
            load_kwargs=dict(how.load_kwargs or {}),
        )

    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        with self._lock:
            self._blobs.get(lease.address.key, {}).pop(_blob_key(artifact), None)

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
        codec = codec_of(address, artifact, allow_pickle=True)
        return loaded_stream(
            address, artifact, codec, self.artifact_stream(address, artifact), options
        )

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        data = self._blobs.get(address.key, {}).get(_blob_key(artifact))
        if data is None:
            raise ArtifactDamaged(f"{address}/{artifact.name} is gone")
        return io.BytesIO(data)

    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        data = stream.read()
        with self._lock:
            self._blobs.setdefault(lease.address.key, {})[lease.attempt, artifact.name] = data
        return replace(
            artifact,
            size_bytes=len(data),
            digest=None,
            inline=None,
            encoding="tar" if artifact.encoding == "tar" else "utf-8",
            file=f"{lease.attempt}/{artifact.name}",
        )

    def remove(self, address: Address) -> bool:
        with self._lock:
            if address.key in self._leases:
                raise LeaseHeld(f"{address} is being computed, so it cannot be removed")
            self._blobs.pop(address.key, None)
            return self._records.pop(address.key, None) is not None

    def keys_in_work(self) -> list[Address]:
        with self._lock:
            held = list(self._leases.values())
        return [each.address for each in held if each.owner.is_alive() is not False]

    def export(self, address: Address) -> tuple[Record, dict[str, bytes]]:
        """A record and its artifacts as bytes, to be adopted by another memory store."""
        with self._lock:
            record = self._records[address.key]
            named = [
                *(record.finished.artifacts if record.finished else ()),
                *record.latest.artifacts,
            ]
            return record, {
                artifact.file: self._blobs[address.key][_blob_key(artifact)]
                for artifact in named
                if artifact.file is not None
            }

    def adopt(self, record: Record, blobs: Mapping[str, bytes]) -> None:
        """Take a record that a worker has made, as the next attempt at its key."""
        address = record.address
        with self._lock:
            present = self._records.get(address.key)
            number = 1 + max(
                present.latest.number if present is not None else 0,
                self._last_number.get(address.key, 0),
            )
            self._last_number[address.key] = number
            attempt = replace(
                record.latest,
                number=number,
                artifacts=tuple(
                    replace(a, file=f"{number}/{a.name}") for a in record.latest.artifacts
                ),
            )
            for old, new in zip(record.latest.artifacts, attempt.artifacts, strict=True):
                self._blobs.setdefault(address.key, {})[number, new.name] = blobs[old.file or ""]
            before = present.finished if present is not None else None
            is_success = record.latest.state is TaskState.FINISHED
            taken = Record(record.identity, attempt if is_success else before, attempt)
            self._records[address.key] = taken
            self._drop_unnamed(taken)

    def clone_for(self, addresses: Sequence[Address]) -> InMemoryStore:
        """A store with just these records: the inputs that travel with a job."""
        part = InMemoryStore()
        with self._lock:
            for address in addresses:
                record = self._records.get(address.key)
                if record is not None:
                    part._records[address.key] = record
                    blobs = self._blobs.get(address.key, {})
                    part._blobs[address.key] = {k: blobs[k] for k in _named_in(record)}
        return part

    def ancestry(self, addresses: Sequence[Address], known: Set[str]) -> dict[str, Record]:
        """The records upstream of some keys, without artifacts, as far as they are not known.

        They tell a task on a worker the configs of its ancestors.
        """
        found: dict[str, Record] = {}
        stack = list(addresses)
        while stack:
            address = stack.pop()
            record = self._records.get(address.key)
            if record is not None and address.key not in found and address.key not in known:
                counts = replace(record.finished or record.latest, artifacts=(), error=None)
                found[address.key] = Record(record.identity, None, counts)
                stack.extend(each.address for each in counts.inputs)
        return found

    def with_ancestry(self, records: Mapping[str, Record]) -> InMemoryStore:
        """This store, which also knows `records`, but not their artifacts."""
        self._ancestry = records
        return self

    def _drop_unnamed(self, record: Record) -> None:
        named = _named_in(record)
        self._drop(record.address, lambda key: key not in named)

    def _drop(self, address: Address, is_unwanted: Callable[[_BlobKey], bool]) -> None:
        blobs = self._blobs.get(address.key, {})
        for key in [each for each in blobs if is_unwanted(each)]:
            del blobs[key]


def _named_in(record: Record) -> set[_BlobKey]:
    attempts = [record.latest] if record.finished is None else [record.finished, record.latest]
    return {_blob_key(artifact) for attempt in attempts for artifact in attempt.artifacts}


def _blob_key(artifact: Artifact) -> _BlobKey:
    number, _, name = (artifact.file or "0/").partition("/")
    return int(number), name
