"""What must a store be able to do? The few primitives that a backend implements."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

from stores.attempt_store import Lease, SaveOptions
from stores.errors import RecordTooNew, StoreError, StoreWithoutFiles
from stores.files import File
from stores.lease import LEASE_S, LeaseTimes, Owner
from stores.leftover import Leftover
from stores.listing import Listing, Page, page_of
from stores.query import Query
from stores.record import Address, Artifact, Record, Status
from stores.summary import Summary, summary_of
from stores.values import Promise

_log = logging.getLogger("stores")


class StorePrimitives(ABC):
    """Keeps records and artifacts by key; `ResultsStore` derives all else from this.

    Attributes:
        reachable_from_workers: Whether another process that gets a pickled copy sees the same
            records.
        supports_files: Whether attempts have folders, so that `open` and `run_dir` work.
        can_page: Whether `page` looks at the records of the page alone, by `when` and `id`.
        lease_times: When its leases end and how often they are renewed.
        runs_dir: The folder beside the records for what runs leave behind, if there is one.
    """

    reachable_from_workers: ClassVar[bool] = True
    supports_files: ClassVar[bool] = False
    can_page: ClassVar[bool] = False
    lease_times: LeaseTimes = LeaseTimes(LEASE_S)  # given, so that no store changes it for all
    runs_dir: Path | None = None

    @property
    def beat_s(self) -> float:
        """Seconds between two renewals of a lease, so that it never expires."""
        return self.lease_times.beat_s

    @property
    def shown_uri(self) -> str:
        """How people read where it is: its URI, without any password, where it has one."""
        return repr(self)

    # -- primitives, one implementation per backend --------------------------------------

    @abstractmethod
    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        """What is known of many keys, by key, in one look; unknown keys are absent.

        Never raises and never blocks for a damaged record: it counts as unknown.
        """

    @abstractmethod
    def record(self, address: Address) -> Record | None:
        """The record, or None when there is none or it is damaged.

        Raises:
            RecordTooNew: it was written by a newer flowlib.
        """

    @abstractmethod
    def addresses(self, task: str | None = None) -> Iterator[Address]:
        """The address of every record, or of those of one task, in no particular order."""

    @abstractmethod
    def acquire(
        self, address: Address, owner: Owner, at_least: int = 1
    ) -> tuple[Lease, Record | None]:
        """Take the lease of a key; the record is the one in force under the lease.

        Args:
            address: The key.
            owner: Who computes it.
            at_least: The attempt gets this number or a higher one.

        Raises:
            LeaseHeld: another live process has it.
        """

    @abstractmethod
    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None:
        """Put `record` in force and end the lease, in one atomic step.

        Raises:
            LeaseLost: the lease was taken over; nothing was changed.
        """

    @abstractmethod
    def release_attempt(self, lease: Lease) -> None:
        """End the lease and drop what the attempt has written; harmless when it is lost."""

    @abstractmethod
    def renew(self, addresses: Iterable[Address]) -> None:
        """Keep the leases of these keys from expiring."""

    @abstractmethod
    def write_artifact(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        """Write a value for an attempt; nobody sees it before the commit."""

    @abstractmethod
    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None:
        """Remove what `write_artifact` wrote."""

    @abstractmethod
    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        """The value of an artifact, or a `Promise` of it.

        Raises:
            ArtifactDamaged: its bytes are gone or are not what was saved.
        """

    @abstractmethod
    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        """The encoded bytes of an artifact, seekable and never decoded.

        `portable` tells what they are.

        Raises:
            ArtifactDamaged: they are gone.
        """

    @abstractmethod
    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        """Write the bytes of an artifact of another store for an attempt."""

    def portable(self, artifact: Artifact) -> Artifact:
        """The artifact as `artifact_stream` gives it: a folder comes as a tar."""
        return artifact

    @abstractmethod
    def remove(self, address: Address) -> bool:
        """Delete a record and its artifacts; whether there was one.

        Raises:
            LeaseHeld: it is being computed.
        """

    # -- derived, to be overridden where there is a faster way -----------------------------

    def portable_stream(self, address: Address, artifact: Artifact) -> tuple[Artifact, BinaryIO]:
        """An artifact as it travels, and its bytes.

        Raises:
            ArtifactDamaged: they are gone.
        """
        return self.portable(artifact), self.artifact_stream(address, artifact)

    def candidates(self, query: Query) -> Iterator[Record]:
        """The records that may fit a query, read one by one, sorted by task and key.

        A store that can search gives fewer, but never too few: `stores.sieve` decides. Records
        that are damaged or too new are left out; so are those removed meanwhile, as far as they
        have not been read ahead.
        """
        known = self.addresses(query.only_task) if query.addresses is None else query.addresses
        for address in sorted(each for each in known if query.may_be_at(each)):
            try:
                record = self.record(address)
            except RecordTooNew as error:
                _log.warning("%s", error)
                continue
            if record is not None:
                yield record

    def summaries(self, task: str | None = None, *, is_long: bool = False) -> Iterator[Summary]:
        """What a list shows of every record, or of those of one task, in no particular order.

        Records that cannot be read are left out.

        Args:
            task: Name of the task.
            is_long: Whether `more` is wanted, too; some stores tell it anyway.
        """
        for record in self.candidates(Query(task)):
            if task is None or record.address.task == task:
                yield summary_of(record)

    def page(self, wanted: Listing) -> Page:
        """One page of the records, and how many fit; `can_page` tells whether that is quick."""
        return page_of(self.summaries(wanted.task, is_long=True), wanted)

    def marks(self, seen: dict[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None]]:
        """For each task the keys of its records, with something that changes when one is written.

        Damaged records may be among them.

        Args:
            seen: The caller keeps it from one look to the next: a task of which surely nothing
                was written or removed since the last one may have None in place of its keys.
        """
        for task in sorted({each.task for each in self.addresses()}):
            found = self.statuses(self.addresses(task))
            yield task, {k: (s.latest_attempt, s.attempt, s.state) for k, s in found.items()}

    def adopt(self, record: Record, blobs: Mapping[str, bytes]) -> None:
        """Take a record that was computed elsewhere; stores that are shared need not."""
        raise NotImplementedError(f"{type(self).__name__} is written to by the workers themselves")

    def beside(self, name: str) -> Self:
        """A store of the same kind in the same place, for what is not results.

        Nothing that is asked of this store tells of what lies there.

        Args:
            name: What is kept there: a short word.

        Raises:
            StoreError: this kind of store keeps nothing but results.
        """
        raise StoreError(f"{type(self).__name__} keeps nothing but results: it has no beside()")

    def shelves(self) -> Sequence[StorePrimitives]:
        """The stores beside whose records long texts lie that these records name, for reading."""
        return [self]

    def close(self) -> None:
        """Free what the store holds open; harmless when called twice."""

    def leftovers(self) -> Iterator[Leftover]:
        """What killed processes have left behind and nobody can read; none in many stores."""
        return iter(())

    def drop_leftovers(self, leftovers: Iterable[Leftover]) -> int:
        """Drop some of it, as far as it still is that; how many bytes that were."""
        return 0

    def keys_in_work(self) -> list[Address]:
        """The keys whose owner may be alive, as far as the store can list them."""
        return []

    # -- what only stores with files can do ----------------------------------------------

    def attempt_folder(self, lease: Lease) -> Path:
        """The folder of an attempt, made when first asked for."""
        raise StoreWithoutFiles(self.without_files("run_dir"))

    def checkpoint_folder(self, lease: Lease) -> Path:
        """The folder that is handed on to later attempts, made when first asked for.

        It is gone when one of them has finished, or the record is removed.
        """
        raise StoreWithoutFiles(self.without_files("checkpoint_dir"))

    def shared_folder(self, task: str) -> Path:
        """The folder that all configs of a task share, made when first asked for.

        Nothing of it belongs to any record: it is never cleared, copied or collected.
        """
        raise StoreWithoutFiles(self.without_files("shared_dir"))

    def record_folder(self, address: Address) -> Path | None:
        """The folder of the attempt that counts; None in stores without files."""
        return None

    def lease_folder(self, address: Address) -> str | None:
        """The folder with the lease file of a key; None where leases are no files."""
        return None

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
        """Open a file of an attempt; also gives its path."""
        raise StoreWithoutFiles(self.without_files("open()"))

    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> Artifact:
        """Make a file in the folder of an attempt one of its artifacts."""
        raise StoreWithoutFiles(self.without_files("open()"))

    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File:
        """Open the file that a promise stands for."""
        raise StoreWithoutFiles(self.without_files("open()"))

    def without_files(self, what: str) -> str:
        """The message of `StoreWithoutFiles`."""
        return f"{type(self).__name__} keeps no files, so {what} does not work: use LocalFileStore"
