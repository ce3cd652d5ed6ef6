"""Is everything still there as it was saved? Reads every byte and decodes none."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from stores.errors import ArtifactDamaged, RecordTooNew, StoreError
from stores.housekeeping.checked_stream import CheckedStream, check_folder
from stores.housekeeping.deletion import Removal, chosen_by, removed
from stores.lazy_dataclass import dataclass
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Address, Artifact, Record


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was saved.

    Attributes:
        address: The record.
        artifact: Name of the artifact; None for the record itself.
        text: What is wrong.
        counts: Whether the result of the task is affected, and not only a later failure.
    """

    address: Address
    artifact: str | None
    text: str
    counts: bool = True

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what is wrong with it.

    Attributes:
        records: How many were read.
        artifacts: How many were read.
        size_bytes: Of these artifacts.
        faults: What is wrong.
        removal: What was deleted for it; None if nothing was to be.
    """

    records: int
    artifacts: int
    size_bytes: int
    faults: tuple[Fault, ...]
    removal: Removal | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def __str__(self) -> str:
        told = f"{self.records} records and {self.artifacts} artifacts ({self.size_bytes:,} bytes)"
        if self.ok:
            return f"{told} are as they were saved"
        lines = [f"{told}, {len(self.faults)} faults:", *map(str, self.faults)]
        if self.removal is not None:
            lines.append(str(self.removal))
        return "\n  ".join(lines)


def verify(store: StorePrimitives, query: Query, *, remove_damaged: bool) -> Verification:
    """Read all records that are meant and their artifacts.

    A record that cannot be read is met only if it is meant by task, key or address.
    """
    inspector = _Inspector(store)
    for address in sorted(chosen_by(store, query)):
        inspector.look_at(address)
    found = inspector.result()
    if not remove_damaged:
        return found
    bad = {fault.address for fault in found.faults if fault.counts}
    removal = removed(store, bad - inspector.too_new, {})
    return Verification(found.records, found.artifacts, found.size_bytes, found.faults, removal)


class _Inspector:
    """Looks at records and remembers what is wrong.

    Attributes:
        too_new: Records of a newer flowlib, which are nobody's to judge here.
    """

    def __init__(self, store: StorePrimitives) -> None:
        self._store = store
        self._unread: list[Address] = []
        self._faults: list[Fault] = []
        self._records = 0
        self._artifacts = 0
        self._size_bytes = 0
        self.too_new: set[Address] = set()

    def look_at(self, address: Address) -> None:
        """Read a record and all of its artifacts."""
        try:
            record = self._store.record(address)
            faults = [] if record is None else self._faults_in(record)
            if faults and record is not None:
                again = self._store.record(address)
                if again is None or again.latest.number != record.latest.number:
                    record = again  # it was replaced while it was read
                    faults = [] if again is None else self._faults_in(again)
        except RecordTooNew as error:
            self.too_new.add(address)
            self._faults.append(Fault(address, None, str(error)))
            return
        if record is None:
            self._unread.append(address)
            return
        self._records += 1
        self._faults += faults

    def result(self) -> Verification:
        """All that was found; what cannot be read and is still listed is damaged."""
        tasks = {address.task for address in self._unread}
        listed = {address for task in tasks for address in self._store.addresses(task)}
        unread = [
            Fault(address, None, f"{address}: its record cannot be read")
            for address in self._unread
            if address in listed
        ]
        faults = sorted([*self._faults, *unread], key=lambda each: each.address)
        return Verification(self._records, self._artifacts, self._size_bytes, tuple(faults))

    def _faults_in(self, record: Record) -> list[Fault]:
        faults = []
        for artifact, counts in _artifacts_of(record):
            try:
                self._read(record.address, artifact)
            except (StoreError, OSError, ValueError, tarfile.TarError) as error:
                text = str(error)
                if not isinstance(error, ArtifactDamaged):
                    text = f"{record.address}/{artifact.name} cannot be read: {error}"
                faults.append(Fault(record.address, artifact.name, text, counts))
        return faults

    def _read(self, address: Address, artifact: Artifact) -> None:
        self._artifacts += 1
        portable, stream = self._store.portable_stream(address, artifact)
        with stream:
            checked = CheckedStream(stream, address, portable)
            checked.check()
            if portable != artifact:
                check_folder(address, artifact, stream)
            self._size_bytes += checked.count


def _artifacts_of(record: Record) -> Iterator[tuple[Artifact, bool]]:
    """Every artifact once, and whether the result of the task has it."""
    finished = () if record.finished is None else record.finished.artifacts
    yield from ((artifact, True) for artifact in finished)
    if record.latest is not record.finished:
        for artifact in record.latest.artifacts:
            if artifact not in finished:
                yield artifact, record.finished is None
