"""How does a file store keep values: in the record, or as files in the folder of the attempt?"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from stores.attempt_store import Lease, SaveOptions
from stores.codec import Codec
from stores.disk import folder_size, is_there, remove, remove_tree, settled_digest
from stores.encoding import (
    codec_for,
    codec_of,
    dumped,
    inline_artifact,
    inline_bytes,
    is_surely_longer,
    loaded_inline,
)
from stores.errors import ArtifactDamaged, StoreError
from stores.file_layout import CHECKPOINT, Layout, as_store_error, encoded, make_folder
from stores.file_promises import InlinePromise, PathPromise, file_promise
from stores.file_streams import FOLDER, is_folder, put_stream
from stores.file_types import is_builtin, read_plain, type_of_extension, write_plain
from stores.files import File, TypeInfo, TypeInfoCodec
from stores.held_lease import KeyPaths
from stores.open_options import fitting, open_options, with_open_options
from stores.record import Address, Artifact, Record, Status, TaskState
from stores.transfer import extension_of, taken_inline
from stores.trees import digest_of_folder
from stores.values import Promise


class FileArtifacts:
    """The artifacts of one store.

    Args:
        layout: Where they lie.
        types: Types the user has registered, by name.
        inline_limit: Bytes up to which a value is part of the record.
        fsync: Whether files survive a loss of power.
        allow_pickle: Whether pickles are loaded.
    """

    def __init__(
        self,
        layout: Layout,
        types: Mapping[str, TypeInfo],
        *,
        inline_limit: int,
        fsync: bool,
        allow_pickle: bool,
    ) -> None:
        self._layout = layout
        self._types = types
        self._inline_limit = inline_limit
        self._fsync = fsync
        self._allow_pickle = allow_pickle
        self._known_codecs: dict[str, Codec] = {}

    def write(self, lease: Lease, value: object, name: str, how: SaveOptions) -> Artifact:
        """Write a value: small ones become part of the artifact, others a file.

        Raises:
            StoreError: the value cannot be written, or the disk cannot take it.
        """
        type_, codec = self._codec(value, how.type_)
        options, opened = dict(how.codec_options or {}), how.open_kwargs
        load = with_open_options(how.load_kwargs, opened) if opened else dict(how.load_kwargs or {})
        extension = codec.extension
        if type(codec) is TypeInfoCodec:  # asked of an abstract class, `isinstance` takes longer
            options["mode"], extension = how.mode, codec.suffix
        elif not (
            codec.needs_path or how.wants_file or is_surely_longer(value, self._inline_limit)
        ):
            data = dumped(codec, value, lease.address, name, options)
            if len(data) <= self._inline_limit:
                return inline_artifact(name, type_, codec, data, load)
            empty = Artifact(name, type_, codec.version, load_kwargs=load)
            target = self._target(lease, name, extension, how.sub_dir)
            return self._write_file(lease, empty, target, lambda path: path.write_bytes(data))
        empty = Artifact(name, type_, codec.version, load_kwargs=load)
        options = with_open_options(options, opened)
        target = self._target(lease, name, extension, how.sub_dir)
        try:
            return self._write_file(
                lease, empty, target, lambda path: codec.dump_path(value, path, **options)
            )
        except (TypeError, ValueError) as error:
            if isinstance(error, StoreError):
                raise
            kind = type(value).__qualname__
            raise StoreError(
                f"{lease.address}/{name}: a {kind} cannot be saved as {type_}: {error}"
            ) from error

    def take(self, lease: Lease, artifact: Artifact, stream: BinaryIO) -> Artifact:
        """Write the bytes of an artifact of another store."""
        if artifact.type_ not in self._types or is_builtin(artifact.type_, self._types):
            small = taken_inline(artifact, stream, self._inline_limit)
            if small is not None:
                return small
            extension = extension_of(artifact.type_)
        else:
            extension = self._types[artifact.type_].extension or ""
        target = self._target(lease, artifact.name, extension, None)
        bare = replace(artifact, inline=None, encoding="utf-8")
        return self._write_file(
            lease, bare, target, lambda path: put_stream(artifact, stream, path)
        )

    def load(
        self, address: Address, artifact: Artifact, *, lazy: bool, options: Mapping[str, Any]
    ) -> Any:
        """The value of an artifact, or a promise of it.

        Raises:
            ArtifactDamaged: its file is gone or cannot be read.
        """
        if artifact.file is None:
            if lazy:
                return InlinePromise(self, address, artifact, options)
            codec = self._codec_of(address, artifact)
            return loaded_inline(address, artifact, codec, options)
        path = Path(self._layout.key_folder(address)) / artifact.file
        if lazy:
            return self._promise(address, artifact, path, options)
        codec = self._codec_of(address, artifact)
        try:
            return codec.load_path(path, **{**artifact.load_kwargs, **options})
        except FileNotFoundError as error:
            raise ArtifactDamaged(f"{address}/{artifact.name}: its file {path} is gone") from error
        except (ValueError, EOFError, OSError, pickle.UnpicklingError) as error:
            raise ArtifactDamaged(
                f"{address}/{artifact.name}: {path} cannot be read as {artifact.type_}: {error}"
            ) from error

    def checked(self, address: Address, status: Status) -> Status:
        """A status that tells which files of the artifacts are gone or have another size."""
        missing, damaged = [], []
        for artifact in status.artifacts:
            if artifact.file is None:
                continue
            path = f"{self._layout.key_folder(address)}/{artifact.file}"
            try:
                found = os.stat(path)
            except OSError:
                missing.append(artifact.name)
                continue
            if not is_folder(artifact) and found.st_size != artifact.size_bytes:
                damaged.append(artifact.name)
        return replace(status, missing=tuple(missing), damaged=tuple(damaged))

    def folder(self, address: Address, name: int | str) -> Path:
        """A folder of a key, made if it is not there."""
        path = f"{self._layout.key_folder(address)}/{name}"
        make_folder(path)
        return Path(path)

    def open(
        self,
        lease: Lease,
        name: str,
        known: Artifact | None,
        how: SaveOptions,
    ) -> tuple[Path, File]:
        """Open a file of an attempt; a value in the record becomes a file first."""
        type_ = known.type_ if known is not None and how.type_ is None else how.type_
        info = self.type_info(type_)
        path = self._target(lease, name, info.extension or "", how.sub_dir)
        if known is not None:
            path = self._own_copy(lease, known, path)
        mode = how.mode or "r"
        if info.is_binary and "b" not in mode:
            mode = f"{mode}b"
        before = {} if known is None else fitting(mode, open_options(known.load_kwargs))
        given = {**before, **(how.open_kwargs or {})}
        return path, File(str(path), mode, info.save_fn, info.load_fn, info.open_fn, **given)

    def adopt(self, address: Address, name: str, path: Path, type_: str | None) -> Artifact:
        """Make a file that is there already an artifact."""
        relative = str(path.relative_to(self._layout.key_folder(address)))
        kind = type_ or type_of_extension(path)
        return self._described(name, kind, path, relative)

    def drop(self, address: Address, artifact: Artifact) -> None:
        """Remove the file of an artifact."""
        if artifact.file is not None:
            remove(f"{self._layout.key_folder(address)}/{artifact.file}")

    def drop_attempt(self, address: Address, attempt: int | str) -> None:
        """Remove the folder of an attempt, or another one of a key."""
        folder = self._layout.key_folder(address)
        remove_tree(f"{folder}/{attempt}")
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # only if nothing else is in it

    def tidy(self, record: Record, key: KeyPaths) -> None:
        """Remove what a record in force makes needless: attempts it does not name, a checkpoint."""
        latest, folder = record.latest, key.folder
        if latest.state is TaskState.FINISHED and is_there(f"{folder}/{CHECKPOINT}"):
            self.drop_attempt(record.address, CHECKPOINT)
        names = os.listdir(folder) if latest.number > 1 and os.path.isdir(folder) else ()
        kept = record.attempts_in_use if names else ()
        for number in [int(name) for name in names if Layout.is_number(name)]:
            if number < latest.number and number not in kept:
                self.drop_attempt(record.address, number)

    def _own_copy(self, lease: Lease, known: Artifact, path: Path) -> Path:
        """The file of an artifact in the folder of this attempt, which others never see."""
        if known.file is None:
            if not path.exists():
                path.write_bytes(inline_bytes(known))
            return path
        source = Path(self._layout.key_folder(lease.address)) / known.file
        if known.file.startswith(f"{lease.attempt}/"):
            return source
        import shutil

        shutil.copyfile(source, path)
        return path

    def _write_file(
        self, lease: Lease, artifact: Artifact, target: Path, write: Callable[[Path], object]
    ) -> Artifact:
        """Write beside the target, then rename: a failed write leaves what was there."""
        temporary = target.with_name(f".{target.name}.tmp")
        try:
            write(temporary)
            relative = str(target.relative_to(self._layout.key_folder(lease.address)))
            found = self._described(artifact.name, artifact.type_, temporary, relative)
            remove(str(target), only_folders=True)
            os.replace(temporary, target)
        except BaseException as error:
            remove(str(temporary))
            if isinstance(error, OSError) and not isinstance(error, StoreError):
                raise as_store_error(error, str(target)) from error
            raise
        return replace(
            found, codec_version=artifact.codec_version, load_kwargs=artifact.load_kwargs
        )

    def _described(self, name: str, type_: str, path: Path, relative: str) -> Artifact:
        """The artifact for a file or folder; on disk for good when `fsync` is on."""
        if path.is_file():
            size, digest = path.stat().st_size, settled_digest(path, fsync=self._fsync)
            return Artifact(name, type_, size_bytes=size, digest=digest, file=relative)
        size, digest = folder_size(path), digest_of_folder(path, fsync=self._fsync)
        bare = Artifact(name, type_, size_bytes=size, digest=digest, file=relative)
        return replace(bare, encoding=FOLDER)

    def _target(self, lease: Lease, name: str, extension: str, sub_dir: str | None) -> Path:
        folder = self.folder(lease.address, lease.attempt)
        for part in Path(sub_dir or "").parts:
            folder = folder / encoded(part)
        make_folder(str(folder))
        stem = encoded(name)
        return folder / (f"{stem}.{extension}" if extension else stem)

    def _codec(self, value: object, type_: str | None) -> tuple[str, Codec]:
        if type_ is not None and type_ in self._types and not is_builtin(type_, self._types):
            return type_, TypeInfoCodec(self._types[type_])
        return codec_for(value, type_, self._types)

    def _codec_of(self, address: Address, artifact: Artifact) -> Codec:
        type_ = artifact.type_
        known = self._known_codecs.get(type_)
        if known is not None:
            return known
        if type_ in self._types and not is_builtin(type_, self._types):
            return TypeInfoCodec(self._types[type_])
        known = codec_of(address, artifact, allow_pickle=self._allow_pickle)
        return self._known_codecs.setdefault(type_, known)

    def type_info(self, type_: str | None) -> TypeInfo:
        """How values of a type are written to and read from open files."""
        if type_ is not None and type_ in self._types:
            return self._types[type_]
        if type_ is None:
            return TypeInfo(write_plain, read_plain)
        _, codec = codec_for(None, type_, self._types)
        return TypeInfo(codec.dump, codec.load, codec.extension, is_binary=True)

    def _promise(
        self, address: Address, artifact: Artifact, path: Path, options: Mapping[str, Any]
    ) -> Promise:
        codec = self._codec_of(address, artifact)
        info = self.type_info(artifact.type_)
        if codec.needs_path or info.needs_path or artifact.type_ not in self._types:
            return PathPromise(self, address, artifact, options, str(path))
        return file_promise(artifact, path, info, options, is_builtin(artifact.type_, self._types))
