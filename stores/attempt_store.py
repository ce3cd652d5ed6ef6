"""What does an attempt need of its store? A lease, ways to save, and the methods it calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol

from stores.files import File
from stores.lazy_dataclass import dataclass
from stores.lease import Owner
from stores.record import Address, Artifact, Record
from stores.values import Promise


@dataclass(slots=True)  # not frozen: it is made for every task
class Lease:
    """The right to compute a key, until it is committed, released or taken over.

    Attributes:
        address: The key.
        attempt: The number of the attempt it is for: the fence.
        owner: Who holds it.
        handle: What the store needs to find it again.
    """

    address: Address
    attempt: int
    owner: Owner
    handle: Any = None


@dataclass(slots=True)  # not frozen: it is made for every value
class SaveOptions:
    """How an artifact is to be saved, beside its value and its name.

    Attributes:
        type_: Name of a codec; None lets the value decide.
        sub_dir: Folder below that of the attempt.
        mode: Mode for opening the file.
        open_kwargs: Options for opening it.
        load_kwargs: Options for loading, kept with the artifact.
        codec_options: Options of the codec.
    """

    type_: str | None = None
    sub_dir: str | None = None
    mode: str | None = None
    open_kwargs: Mapping[str, Any] | None = None
    load_kwargs: Mapping[str, Any] | None = None
    codec_options: Mapping[str, Any] | None = None

    @property
    def wants_file(self) -> bool:
        """Whether the value has to become a file of its own."""
        return self.sub_dir is not None or self.mode is not None or bool(self.open_kwargs)


class AttemptStore(Protocol):
    """What an attempt needs of its store; `ResultsStore` documents it."""

    supports_files: ClassVar[bool]

    def write_artifact(
        self, lease: Lease, value: object, name: str, how: SaveOptions
    ) -> Artifact: ...
    def drop_artifact(self, lease: Lease, artifact: Artifact) -> None: ...
    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any: ...
    def commit_attempt(self, lease: Lease, record: Record, previous: Record | None) -> None: ...
    def release_attempt(self, lease: Lease) -> None: ...
    def attempt_folder(self, lease: Lease) -> Path: ...
    def checkpoint_folder(self, lease: Lease) -> Path: ...
    def open_in_attempt(
        self,
        lease: Lease,
        name: str,
        known: Artifact | None,
        mode: str,
        type_: str | None,
        sub_dir: str | None,
        **open_kwargs: Any,
    ) -> tuple[Path, File]: ...
    def adopt_file(self, lease: Lease, name: str, path: Path, type_: str | None) -> Artifact: ...
    def take_artifact(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact: ...
    def open_promise(self, promise: Promise, mode: str | None, **open_kwargs: Any) -> File: ...
    def without_files(self, what: str) -> str: ...
