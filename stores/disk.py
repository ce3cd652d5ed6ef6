"""How do files come to the disk for good, and how do they go? Digests, fsync, removal."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from threading import Thread
from typing import Final

from stores.digests import blake2b

_CHUNK_BYTES: Final = 1 << 20
_BIG_BYTES: Final = 1 << 18
"""From this size on the digest is worked out while the disk is busy."""


def digest_of(path: Path) -> str:
    """BLAKE2b-128 of a file."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def settled_digest(path: Path, *, fsync: bool) -> str:
    """The digest of a file, which is on the disk for good if `fsync` asks for it."""
    if not fsync:
        return digest_of(path)
    if path.stat().st_size < _BIG_BYTES:
        sync(path)
        return digest_of(path)
    found: list[str] = []
    reader = Thread(target=lambda: found.append(digest_of(path)))
    reader.start()  # both wait outside the interpreter lock
    try:
        sync(path)
    finally:
        reader.join()
    return found[0] if found else digest_of(path)


def folder_size(path: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def sync(path: Path) -> None:
    """Bring a file to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def above_streams(descriptor: int) -> int:
    """A descriptor that is none of stdin, stdout and stderr: who opens these again closes it.

    Where one of them is closed, the next file gets its number.
    """
    taken = []
    while descriptor <= 2:  # noqa: PLR2004  # stderr
        taken.append(descriptor)
        descriptor = os.dup(descriptor)
    for each in taken:
        os.close(each)
    return descriptor


def is_there(path: str) -> bool:
    """As `os.path.exists`, which takes twice as long to say no."""
    return os.access(path, os.F_OK)


def remove_tree(path: str) -> None:
    """Remove a folder and all in it; do nothing if there is none."""
    if os.path.isdir(path):
        import shutil  # slow to import, and folders are rare

        shutil.rmtree(path, ignore_errors=True)


def unlinked(path: str) -> bool:
    """Remove a file; whether it was this call that did it, of all that try at once."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def remove(path: str, *, only_folders: bool = False) -> None:
    """Remove a file or a folder; do nothing if there is none."""
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(path)
    elif not only_folders:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
