"""Is a folder still the one that was saved? One digest over all that lies in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

from stores.digests import blake2b
from stores.disk import settled_digest, sync

if TYPE_CHECKING:
    import tarfile

Entry = tuple[tuple[str, ...], str, str]
"""The parts of a path, what lies there, and the digest of a file or the target of a link."""

_CHUNK_BYTES: Final = 1 << 20


def digest_of_folder(path: Path, *, fsync: bool) -> str:
    """The digest of a folder, which is on the disk for good if `fsync` asks for it."""
    return _digest(_found(path, fsync=fsync))


def digest_of_archive(stream: BinaryIO) -> str:
    """What `digest_of_folder` was of the folder `content` in a tar."""
    import tarfile  # slow to import, and wanted only here

    with tarfile.open(fileobj=stream) as archive:
        return _digest(
            (PurePosixPath(member.name).parts[1:], *_told(archive, member))
            for member in archive
            if member.name != "content"
        )


def _digest(entries: Iterable[Entry]) -> str:
    digest = blake2b(digest_size=16)
    for parts, kind, content in sorted(entries):
        for each in ("/".join(parts), kind, content):
            data = each.encode("utf-8", "surrogateescape")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _found(folder: Path, *, fsync: bool) -> Iterator[Entry]:
    for name, folders, files in os.walk(folder):
        here = Path(name)
        for each in (*folders, *files):
            path = here / each
            parts = path.relative_to(folder).parts
            if path.is_symlink():
                yield parts, "link", str(path.readlink())
            elif path.is_dir():
                yield parts, "folder", ""
            elif path.is_file():
                yield parts, "file", settled_digest(path, fsync=fsync)
            else:
                yield parts, "other", ""
        if fsync:
            sync(here)


def _told(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, str]:
    if member.issym():
        return "link", member.linkname
    if member.isdir():
        return "folder", ""
    if not member.isreg() and not member.islnk():
        return "other", ""
    file = archive.extractfile(member)  # of a hard link: what it is linked to
    digest = blake2b(digest_size=16)
    while file is not None and (chunk := file.read(_CHUNK_BYTES)):
        digest.update(chunk)
    return "file", digest.hexdigest()
