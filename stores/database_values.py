"""How does a store in a database keep values: in the record, or in pieces beside it?"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final, Protocol

from stores.attempt_store import Lease, SaveOptions
from stores.codec import Codec
from stores.digests import blake2b
from stores.encoding import (
    codec_for,
    codec_of,
    dumped,
    inline_artifact,
    is_surely_longer,
    loaded_inline,
)
from stores.errors import ArtifactDamaged, StoreError
from stores.file_types import is_builtin
from stores.files import TypeInfo, TypeInfoCodec
from stores.promises import StoredPromise
from stores.record import Address, Artifact
from stores.transfer import (
    CHUNK_BYTES,
    copy_stream,
    is_archive,
    loaded_stream,
    stream_of_inline,
    taken_inline,
)

_MOST_INLINE_BYTES: Final = 1 << 18
"""All artifacts in one record together; a document of MongoDB must stay below 16 MiB."""


class Pieces(Protocol):
    """Where large values lie; `DatabaseStore` documents it."""

    def put_pieces(self, key: str, name: str, source: BinaryIO, size: int) -> None: ...
    def open_pieces(self, key: str, name: str) -> BinaryIO: ...


class DatabaseValues:
    """The artifacts of one store.

    Args:
        store: Where large values lie.
        types: Types the user has registered, by name.
        inline_limit: Bytes up to which a value is part of the record.
        allow_pickle: Whether pickles are loaded.
    """

    def __init__(
        self,
        store: Any,
        types: Mapping[str, TypeInfo],
        *,
        inline_limit: int,
        allow_pickle: bool,
    ) -> None:
        self._store = store
        self._pieces: Pieces = store
        self._types = types
        self._inline_limit, self.allow_pickle = inline_limit, allow_pickle

    def write(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        """Write a value: small ones become part of the artifact.

        Raises:
            StoreError: it cannot be written.
        """
        type_, codec = self._codec(value, how.type_)
        options, load = how.codec_options or {}, dict(how.load_kwargs or {})
        empty = Artifact(name, type_, codec.version, load_kwargs=load)
        if is_archive(codec):
            return self._written(lease, replace(empty, encoding="tar"), codec, value, options)
        if is_surely_longer(value, self._inline_limit):
            return self._written(lease, empty, codec, value, options)
        data = dumped(codec, value, lease.address, name, options)
        if self._fits(lease, len(data)):
            return inline_artifact(name, type_, codec, data, load)
        return self._stored(lease, empty, io.BytesIO(data))

    def take(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        """Write the bytes of an artifact of another store."""
        small = taken_inline(artifact, stream, self._inline_limit)
        if small is not None and self._fits(lease, small.size_bytes):
            return small
        encoding = "tar" if artifact.encoding == "tar" else "utf-8"
        bare = replace(artifact, inline=None, encoding=encoding)
        if small is not None:  # what there was to read was read
            return self._stored(lease, bare, stream_of_inline(small))
        import tempfile

        with tempfile.TemporaryFile(prefix="flowlib-") as file:  # it can be read only once
            copy_stream(stream, file)
            file.seek(0)
            return self._stored(lease, bare, file)

    def load(
        self, address: Address, artifact: Artifact, *, lazy: bool, options: Mapping[str, Any]
    ) -> Any:
        """The value of an artifact, or a promise of it.

        Raises:
            ArtifactDamaged: its bytes are gone or cannot be read.
        """
        if lazy:
            return StoredPromise(self._store, address, artifact, dict(options))
        codec = self._codec_of(address, artifact)
        if artifact.inline is not None:
            return loaded_inline(address, artifact, codec, options)
        with self.stream(address, artifact) as stream:
            return loaded_stream(address, artifact, codec, stream, options)

    def stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        """The bytes of an artifact.

        Raises:
            ArtifactDamaged: they are gone.
        """
        if artifact.inline is not None:
            return stream_of_inline(artifact)
        try:
            return self._pieces.open_pieces(address.key, artifact.file or "")
        except FileNotFoundError as error:
            raise ArtifactDamaged(f"{address}/{artifact.name} is gone") from error

    def _written(
        self,
        lease: Lease,
        artifact: Artifact,
        codec: Codec,
        value: object,
        options: Mapping[str, Any],
    ) -> Artifact:
        """Write a large value by way of a file: it goes to the database when it is complete."""
        import tempfile

        with tempfile.TemporaryFile(prefix="flowlib-") as file:
            try:
                codec.dump(value, file, **options)
            except StoreError as error:
                raise type(error)(f"{lease.address}/{artifact.name}: {error}") from error
            except (TypeError, ValueError) as error:
                kind = type(value).__qualname__
                raise StoreError(
                    f"{lease.address}/{artifact.name}: a {kind} cannot be saved as "
                    f"{artifact.type_}: {error}"
                ) from error
            file.seek(0)
            return self._stored(lease, artifact, file)

    def _stored(self, lease: Lease, artifact: Artifact, source: BinaryIO) -> Artifact:
        """Write bytes beside the record, under a name that no other attempt uses."""
        hold = lease.handle
        hold.has_pieces = True
        hold.count += 1
        name = f"{lease.attempt}/{hold.token}.{hold.count}"
        size, digest = _measured(source)
        self._pieces.put_pieces(lease.address.key, name, source, size)
        return replace(artifact, file=name, size_bytes=size, digest=digest)

    def _fits(self, lease: Lease, size: int) -> bool:
        """Whether so many bytes may go into the record; if so, they are counted."""
        hold = lease.handle
        if size > self._inline_limit or hold.inlined + size > _MOST_INLINE_BYTES:
            return False
        hold.inlined += size
        return True

    def _codec(self, value: object, type_: str | None) -> tuple[str, Codec]:
        if type_ is not None and self._is_own(type_):
            return type_, TypeInfoCodec(self._types[type_])
        return codec_for(value, type_, self._types)

    def _codec_of(self, address: Address, artifact: Artifact) -> Codec:
        if self._is_own(artifact.type_):
            return TypeInfoCodec(self._types[artifact.type_])
        return codec_of(address, artifact, allow_pickle=self.allow_pickle)

    def _is_own(self, type_: str) -> bool:
        return type_ in self._types and not is_builtin(type_, self._types)


def _measured(source: BinaryIO) -> tuple[int, str]:
    """Size and BLAKE2b-128 of a stream, which is at its beginning again afterwards."""
    digest, size = blake2b(digest_size=16), 0
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    source.seek(0)
    return size, digest.hexdigest()
