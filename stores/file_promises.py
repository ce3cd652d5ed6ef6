"""What is handed out for an artifact that is loaded later, or opened as a file?"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from stores.encoding import inline_bytes
from stores.errors import ArtifactDamaged, StoreError
from stores.file_types import read_plain, write_plain
from stores.files import File, FilePromise, TypeInfo
from stores.open_options import decoded_text, fitting, load_options, open_options
from stores.record import Address, Artifact
from stores.values import BYTES, Promise


class Loader(Protocol):
    """What a promise needs of the artifacts of a store."""

    def load(
        self, address: Address, artifact: Artifact, *, lazy: bool, options: Mapping[str, Any]
    ) -> Any: ...
    def type_info(self, type_: str | None) -> TypeInfo: ...


class InlinePromise(Promise):
    """A value in a record that is decoded when it is asked for."""

    def open(self, mode: str | None) -> File:
        """The bytes of the value as a file in memory, for reading."""
        if not set(mode or "r") <= set("rbt"):
            raise StoreError(
                f"{self._address}/{self._artifact.name} is part of its record and can only be "
                f"read: open it by name to write it anew"
            )
        data, info = inline_bytes(self._artifact), self._artifacts.type_info(self._artifact.type_)
        is_binary = info.is_binary or "b" in (mode or "r")
        how = open_options(self._artifact.load_kwargs)
        content = io.BytesIO(data) if is_binary else io.StringIO(decoded_text(data, how))
        return File(
            self._artifact.name, mode or "r", info.save_fn, info.load_fn, lambda *_, **__: content
        )

    def __init__(
        self,
        artifacts: Loader,
        address: Address,
        artifact: Artifact,
        options: Mapping[str, Any],
    ) -> None:
        self._artifacts, self._address, self._artifact = artifacts, address, artifact
        self._options = options

    def stream(self) -> BinaryIO | None:
        return io.BytesIO(inline_bytes(self._artifact)) if self._artifact.type_ == BYTES else None

    def load(self, **kwargs: Any) -> Any:
        options = {**self._options, **kwargs}
        return self._artifacts.load(self._address, self._artifact, lazy=False, options=options)


class PathPromise(FilePromise, InlinePromise):
    """A value in a file or folder that its codec reads by itself."""

    def __init__(
        self,
        artifacts: Loader,
        address: Address,
        artifact: Artifact,
        options: Mapping[str, Any],
        path: str,
    ) -> None:
        InlinePromise.__init__(self, artifacts, address, artifact, options)
        FilePromise.__init__(self, artifact.name, path, write_plain, read_plain, mode="rb")

    def stream(self) -> BinaryIO | None:
        if self._artifact.type_ != BYTES:
            return None
        try:
            return Path(self.path).open("rb")
        except FileNotFoundError as error:
            raise ArtifactDamaged(f"{self.name}: {self.path} is gone") from error

    def load(self, **kwargs: Any) -> Any:
        return InlinePromise.load(self, **kwargs)


def file_promise(
    artifact: Artifact, path: Path, info: TypeInfo, options: Mapping[str, Any], is_builtin: bool
) -> FilePromise:
    """A promise whose file is opened as it was when the artifact was saved."""
    parts = (artifact.name, str(path), info.save_fn, info.load_fn, info.open_fn)
    how = open_options(artifact.load_kwargs)
    if is_builtin and not info.is_binary:
        how = {"newline": "", **how}  # \r\n stays as it is
    load_kwargs = {**load_options(artifact.load_kwargs), **options}
    return FilePromise(*parts, "rb" if info.is_binary else "r", load_kwargs, **how)


def opened(promise: Promise, mode: str | None, open_kwargs: Mapping[str, Any]) -> File:
    """The file that a promise stands for.

    Raises:
        StoreError: it stands for none.
        ArtifactDamaged: the file is gone.
    """
    if isinstance(promise, InlinePromise) and not isinstance(promise, FilePromise):
        return promise.open(mode)
    if not isinstance(promise, FilePromise):
        kind = type(promise).__name__
        raise StoreError(f"a {kind} has no file of its own to open: load() gives its value")
    mode = mode or promise.mode or "r"
    promise = FilePromise(
        promise.name,
        promise.path,
        promise.save_fn,
        promise.load_fn,
        promise.open_fn,
        mode,
        promise.load_kwargs,
        **{**fitting(mode, promise.open_kwargs), **open_kwargs},
    )
    try:
        return File.from_promise(promise)
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"{promise.name}: {promise.path} is gone") from error
