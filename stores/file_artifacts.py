"""How does a file store keep values: in the record, or as files in the folder of the attempt?"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from stores.attempt import SaveOptions
from stores.codec import Codec
from stores.encoding import (
    codec_for,
    codec_of,
    dumped,
    inline_artifact,
    inline_bytes,
    loaded_inline,
)
from stores.errors import ArtifactDamaged, StoreError, unwritable
from stores.file_layout import Layout, encoded, make_folder
from stores.files import File, FilePromise, TypeInfo, TypeInfoCodec
from stores.record import Address, Artifact, Record, Status
from stores.values import Promise

_CHUNK_BYTES: Final = 1 << 20
_BIG_BYTES: Final = 1 << 22
"""From this size on the digest is worked out while the disk is busy."""


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

    def write(
        self, address: Address, attempt: int, value: object, name: str, how: SaveOptions
    ) -> Artifact:
        """Write a value: small ones become part of the artifact, others a file.

        Raises:
            StoreError: the value cannot be written, or the disk cannot take it.
        """
        type_, codec = self._codec(value, how.type_)
        options = dict(how.codec_options or {})
        load = dict(how.load_kwargs or {})
        is_own = isinstance(codec, TypeInfoCodec)
        if (
            not is_own
            and not codec.needs_path
            and not how.wants_file
            and not _is_large(value, self._inline_limit)
        ):
            data = dumped(codec, value, f"{address}/{name}", options)
            if len(data) <= self._inline_limit:
                return inline_artifact(name, type_, codec, data, load)
            return self._write_file(address, attempt, name, type_, codec, _Bytes(data), how, {})
        if is_own:
            options["mode"], options["open_kwargs"] = how.mode, how.open_kwargs
        return self._write_file(address, attempt, name, type_, codec, value, how, options)

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
            is_file = artifact.digest is not None
            if is_file and found.st_size != artifact.size_bytes:
                damaged.append(artifact.name)
        if not missing and not damaged:
            return status
        return replace(status, missing=tuple(missing), damaged=tuple(damaged))

    def folder(self, address: Address, attempt: int) -> Path:
        """The folder of an attempt, made if it is not there."""
        path = f"{self._layout.key_folder(address)}/{attempt}"
        make_folder(path)
        return Path(path)

    def open(
        self,
        address: Address,
        attempt: int,
        name: str,
        known: Artifact | None,
        mode: str,
        type_: str | None,
        sub_dir: str | None,
        open_kwargs: Mapping[str, Any],
    ) -> tuple[Path, File]:
        """Open a file of an attempt; a value in the record becomes a file first."""
        if known is not None and type_ is None:
            type_ = known.type_
        info = self.type_info(type_)
        path = self._target(address, attempt, name, info.extension or "", sub_dir)
        if known is not None:
            path = self._own_copy(address, attempt, known, path)
        file_mode = f"{mode}b" if info.is_binary and "b" not in mode else mode
        file = File(str(path), file_mode, info.save_fn, info.load_fn, info.open_fn, **open_kwargs)
        return path, file

    def adopt(self, address: Address, name: str, path: Path, type_: str | None) -> Artifact:
        """Make a file that is there already an artifact."""
        relative = str(path.relative_to(self._layout.key_folder(address)))
        kind = type_ or _type_of_extension(path)
        return self._described(name, kind, 1, path, relative, {})

    def drop(self, address: Address, artifact: Artifact) -> None:
        """Remove the file of an artifact."""
        if artifact.file is not None:
            _remove(f"{self._layout.key_folder(address)}/{artifact.file}")

    def drop_attempt(self, address: Address, attempt: int) -> None:
        """Remove the folder of an attempt."""
        folder = self._layout.key_folder(address)
        remove_tree(f"{folder}/{attempt}")
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # only if nothing else is in it

    def drop_unnamed(self, record: Record, previous: Record) -> None:
        """Remove the folders of attempts that were in the record before and are not any more."""
        kept = {record.latest.number}
        for attempt in (record.finished, record.latest):
            if attempt is not None:
                kept.add(attempt.number)
                files = (artifact.file for artifact in attempt.artifacts)
                kept |= {int(file.partition("/")[0]) for file in files if file is not None}
        for attempt in (previous.finished, previous.latest):
            if attempt is not None and attempt.number not in kept:
                self.drop_attempt(record.address, attempt.number)

    def _own_copy(self, address: Address, attempt: int, known: Artifact, path: Path) -> Path:
        """The file of an artifact in the folder of this attempt, which others never see."""
        if known.file is None:
            if not path.exists():
                path.write_bytes(inline_bytes(known))
            return path
        source = Path(self._layout.key_folder(address)) / known.file
        if known.file.startswith(f"{attempt}/"):
            return source
        import shutil

        shutil.copyfile(source, path)
        return path

    def _write_file(
        self,
        address: Address,
        attempt: int,
        name: str,
        type_: str,
        codec: Codec,
        value: object,
        how: SaveOptions,
        options: Mapping[str, Any],
    ) -> Artifact:
        """Write beside the target, then rename: a failed write leaves what was there."""
        extension = codec.suffix if isinstance(codec, TypeInfoCodec) else codec.extension
        target = self._target(address, attempt, name, extension, how.sub_dir)
        temporary = target.with_name(f".{target.name}.tmp")
        try:
            if isinstance(value, _Bytes):
                temporary.write_bytes(value.data)
            else:
                codec.dump_path(value, temporary, **options)
            relative = str(target.relative_to(self._layout.key_folder(address)))
            artifact = self._described(
                name, type_, codec.version, temporary, relative, how.load_kwargs or {}
            )
            _remove(str(target), only_folders=True)
            os.replace(temporary, target)
        except BaseException as error:
            _remove(str(temporary))
            if isinstance(error, OSError) and not isinstance(error, StoreError):
                raise unwritable(error, str(target)) or error from error
            if isinstance(error, (TypeError, ValueError)):
                kind = type(value).__qualname__
                raise StoreError(
                    f"{address}/{name}: a {kind} cannot be saved as {type_}: {error}"
                ) from error
            raise
        return artifact

    def _described(
        self,
        name: str,
        type_: str,
        version: int,
        path: Path,
        relative: str,
        load_kwargs: Mapping[str, Any],
    ) -> Artifact:
        """The artifact for a file or folder; on disk for good when `fsync` is on."""
        is_file = path.is_file()
        size_bytes = path.stat().st_size if is_file else _folder_size(path)
        digest = self._settled(path, size_bytes) if is_file else None
        return Artifact(
            name=name,
            type_=type_,
            codec_version=version,
            size_bytes=size_bytes,
            digest=digest,
            file=relative,
            load_kwargs=dict(load_kwargs),
        )

    def _settled(self, path: Path, size_bytes: int) -> str:
        """Bring a file to the disk, if wanted, and give the digest of its bytes."""
        if not self._fsync:
            return digest_of(path)
        if size_bytes < _BIG_BYTES:
            _sync(path)
            return digest_of(path)
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:  # both wait outside the interpreter lock
            digest = pool.submit(digest_of, path)
            _sync(path)
            return digest.result()

    def _target(
        self, address: Address, attempt: int, name: str, extension: str, sub_dir: str | None
    ) -> Path:
        folder = self.folder(address, attempt)
        for part in Path(sub_dir or "").parts:
            folder = folder / encoded(part)
        make_folder(str(folder))
        stem = encoded(name)
        return folder / (f"{stem}.{extension}" if extension else stem)

    def _codec(self, value: object, type_: str | None) -> tuple[str, Codec]:
        if type_ is not None and type_ in self._types and not _is_builtin(type_, self._types):
            return type_, TypeInfoCodec(self._types[type_])
        return codec_for(value, type_, self._types)

    def _codec_of(self, address: Address, artifact: Artifact) -> Codec:
        type_ = artifact.type_
        known = self._known_codecs.get(type_)
        if known is not None:
            return known
        if type_ in self._types and not _is_builtin(type_, self._types):
            return TypeInfoCodec(self._types[type_])
        codec = codec_of(address, artifact, allow_pickle=self._allow_pickle)
        self._known_codecs[type_] = codec
        return codec

    def type_info(self, type_: str | None) -> TypeInfo:
        """How values of a type are written to and read from open files."""
        if type_ is not None and type_ in self._types:
            return self._types[type_]
        if type_ is None:
            return TypeInfo(_write_plain, _read_plain)
        _, codec = codec_for(None, type_, self._types)
        return TypeInfo(codec.dump, codec.load, codec.extension, is_binary=True)

    def _promise(
        self, address: Address, artifact: Artifact, path: Path, options: Mapping[str, Any]
    ) -> Promise:
        codec = self._codec_of(address, artifact)
        info = self.type_info(artifact.type_)
        if codec.needs_path or info.needs_path or artifact.type_ not in self._types:
            return _PathPromise(self, address, artifact, options, str(path))
        mode = "rb" if info.is_binary else "r"
        load_kwargs = {**artifact.load_kwargs, **options}
        return FilePromise(
            artifact.name, str(path), info.save_fn, info.load_fn, info.open_fn, mode, load_kwargs
        )


class _Bytes:
    """A value that is encoded already."""

    def __init__(self, data: bytes) -> None:
        self.data = data


class InlinePromise(Promise):
    """A value in a record that is decoded when it is asked for."""

    def open(self, mode: str | None) -> File:
        """The bytes of the value as a file in memory, for reading."""
        data, info = inline_bytes(self._artifact), self._artifacts.type_info(self._artifact.type_)
        is_binary = info.is_binary or "b" in (mode or "r")
        content = io.BytesIO(data) if is_binary else io.StringIO(data.decode())
        return File(
            self._artifact.name, mode or "r", info.save_fn, info.load_fn, lambda *_, **__: content
        )

    def __init__(
        self,
        artifacts: FileArtifacts,
        address: Address,
        artifact: Artifact,
        options: Mapping[str, Any],
    ) -> None:
        self._artifacts, self._address, self._artifact = artifacts, address, artifact
        self._options = options

    def load(self, **kwargs: Any) -> Any:
        options = {**self._options, **kwargs}
        return self._artifacts.load(self._address, self._artifact, lazy=False, options=options)


class _PathPromise(FilePromise, InlinePromise):
    """A value in a file or folder that its codec reads by itself."""

    def __init__(
        self,
        artifacts: FileArtifacts,
        address: Address,
        artifact: Artifact,
        options: Mapping[str, Any],
        path: str,
    ) -> None:
        InlinePromise.__init__(self, artifacts, address, artifact, options)
        FilePromise.__init__(self, artifact.name, path, _write_plain, _read_plain, mode="rb")

    def load(self, **kwargs: Any) -> Any:
        return InlinePromise.load(self, **kwargs)


def registered_types() -> dict[str, TypeInfo]:
    """The types that a file store knows by the seed's names."""
    return dict(_BUILTIN)


def digest_of(path: Path) -> str:
    """BLAKE2b-128 of a file."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_plain(value: Any, file: Any, **options: Any) -> None:
    file.write(value)


def _read_plain(file: Any, **options: Any) -> Any:
    return file.read()


def _dump_json(value: Any, file: Any, **options: Any) -> None:
    json.dump(value, file, **options)


def _load_json(file: Any, **options: Any) -> Any:
    return json.load(file, **options)


def _dump_pickle(value: Any, file: Any, **options: Any) -> None:
    pickle.dump(value, file, **options)


def _load_pickle(file: Any, **options: Any) -> Any:
    return pickle.load(file, **options)  # noqa: S301  # as `allow_pickle` says


_BUILTIN: Final[dict[str, TypeInfo]] = {
    "json": TypeInfo(_dump_json, _load_json, "json"),
    "pickle": TypeInfo(_dump_pickle, _load_pickle, "p", is_binary=True),
    "text": TypeInfo(_write_plain, _read_plain, "txt"),
}


def _is_builtin(type_: str, types: Mapping[str, TypeInfo]) -> bool:
    return types.get(type_) == _BUILTIN.get(type_)


def _type_of_extension(path: Path) -> str:
    known = {f".{info.extension}": name for name, info in _BUILTIN.items()}
    return known.get(path.suffix, "bytes")


def _is_large(value: Any, limit: int) -> bool:
    """Whether a value is surely too large for the record, so that it is not encoded twice."""
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size > limit
    return isinstance(value, (bytes, str)) and len(value) > limit


def _folder_size(path: Path) -> int:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: str) -> None:
    """Remove a folder and all in it; do nothing if there is none."""
    if os.path.isdir(path):
        import shutil  # slow to import, and folders are rare

        shutil.rmtree(path, ignore_errors=True)


def _remove(path: str, *, only_folders: bool = False) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(path)
    elif not only_folders:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
