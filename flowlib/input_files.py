"""Which file is an input? The one with this content, wherever it lies."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from flowlib.errors import InputChanged, SpecError, nearest
from stores.digests import blake2b

_CHUNK_BYTES: Final = 1 << 20
_CARRIED_BYTES: Final = 1 << 20
"""Up to this size the content travels with the task."""

_SETTLED_S: Final = 2.0
"""A file that was written later than so long ago may be written again in the same tick."""


class InputFile:
    """A file as a value of a config: it counts by its content, not by its name, place or time.

    The content is what it has when this object is made. Up to 1 MB travels with the task; a
    larger file is read where it lies when the task runs, and has to be the same then.

    Args:
        path: The file; a relative one is one of the working directory.

    Raises:
        SpecError: there is no such file, or it cannot be read.

    Attributes:
        path: Where it lies.
        digest: BLAKE2b-128 of its content.
        size_bytes: Its size.
    """

    __slots__ = ("_content", "digest", "path", "size_bytes")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        try:
            self.digest, self.size_bytes = _known_digest(self.path)
            self._content = self._small_content()
        except OSError as error:
            raise SpecError(_unreadable(self.path, error)) from error

    def __flowlib_identity__(self) -> object:
        return self.digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputFile) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"InputFile({str(self.path)!r}, {self.digest[:8]})"

    def __reduce__(self) -> tuple[object, ...]:
        return _travelled, (str(self.path), self.digest, self.size_bytes, self._content)

    def __deepcopy__(self, memo: object) -> InputFile:
        return self

    def read_bytes(self) -> bytes:
        """The content.

        Raises:
            InputChanged: the file is gone, or has another content now.
        """
        if self._content is not None:
            return self._content
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise InputChanged(_gone(self.path, error)) from error
        self._check(blake2b(data, digest_size=16).hexdigest())
        return data

    def read_text(self, encoding: str = "utf-8") -> str:
        """The content as text.

        Raises:
            InputChanged: the file is gone, or has another content now.
        """
        return self.read_bytes().decode(encoding)

    def copy_to(self, target: Path) -> None:
        """Write the content to a new file.

        Raises:
            InputChanged: the file is gone, or has another content now.
        """
        if self._content is not None:
            target.write_bytes(self._content)
            return
        try:
            source = self.path.open("rb")
        except OSError as error:
            raise InputChanged(_gone(self.path, error)) from error
        with source, target.open("xb") as file:
            self._check(_digest_of(source, file)[0])

    def _small_content(self) -> bytes | None:
        if self.size_bytes > _CARRIED_BYTES:
            return None
        data = self.path.read_bytes()
        self.digest, self.size_bytes = blake2b(data, digest_size=16).hexdigest(), len(data)
        return data

    def _check(self, found: str) -> None:
        if found != self.digest:
            raise InputChanged(
                f"{self.path} has another content than when it was named as an input: make its "
                f"InputFile again, and with it the spec that reads it"
            )


# Where the class is written is no part of the identity of a file.
InputFile.__module__ = "flowlib"


def _travelled(path: str, digest: str, size_bytes: int, content: bytes | None) -> InputFile:
    """The same in another process, where the file may not be."""
    file = InputFile.__new__(InputFile)
    file.path, file.digest, file.size_bytes = Path(path), digest, size_bytes
    file._content = content
    return file


def _known_digest(path: Path) -> tuple[str, int]:
    """Digest and size; of a file that has not been touched since, without reading it again."""
    found = path.stat()
    if path.is_dir():
        raise SpecError(f"{path} is a folder: name the files in it, or an archive of them")
    marks = (found.st_size, found.st_mtime_ns, found.st_ino)
    if time.time() - found.st_mtime < _SETTLED_S:
        return _read_digest(path)
    return _kept_digest(path, marks)


@lru_cache(maxsize=10_000)
def _kept_digest(path: Path, marks: tuple[int, int, int]) -> tuple[str, int]:
    return _read_digest(path)


def _read_digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return _digest_of(file)


def _digest_of(source: BinaryIO, target: BinaryIO | None = None) -> tuple[str, int]:
    """Digest and size of what a stream holds, which is copied on the way."""
    digest, size_bytes = blake2b(digest_size=16), 0
    while chunk := source.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest(), size_bytes


def _unreadable(path: Path, error: OSError) -> str:
    try:
        beside = os.listdir(path.parent)  # noqa: PTH208  # names are wanted
    except OSError:
        beside = []
    hint = nearest(path.name, beside) if isinstance(error, FileNotFoundError) else ""
    return f"the input file {path} cannot be read: {error.strerror}.{hint}"


def _gone(path: Path, error: OSError) -> str:
    return (
        f"the input file {path} cannot be read here: {error.strerror}. It is too large to travel "
        f"with the task: keep it where all workers see it under this name"
    )
