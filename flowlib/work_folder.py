"""
Where does a program work? In a folder of its own, which goes when it ends, even if it is killed.

    <temporary files>/flowlib-<user>/<name>.lock    held as long as the process lives
    <temporary files>/flowlib-<user>/<name>/        removed by the next one if the lock is free
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LOCK: Final = ".lock"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A fresh folder below that for temporary files (`TMPDIR`), removed in the end."""
    base = _base()
    _remove_left_behind(base)
    with _lock_of_new(base) as name:
        folder = base / name
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            _remove(folder)


def _base() -> Path:
    """A folder that only this user may enter."""
    base = Path(tempfile.gettempdir()) / f"flowlib-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    found = base.lstat()
    is_safe = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022
    if found.st_uid == os.getuid() and is_safe:
        return base
    return Path(tempfile.mkdtemp(prefix="flowlib-"))  # somebody else was there first


@contextmanager
def _lock_of_new(base: Path) -> Iterator[str]:
    """A name that nobody uses, and its lock."""
    while True:
        name = uuid.uuid4().hex[:12]
        path = base / f"{name}{_LOCK}"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        # between the two lines another process may have found it free, and removed it
        if _is_locked(descriptor) and _is_same(descriptor, path):
            break
        os.close(descriptor)
    try:
        yield name
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _remove_left_behind(base: Path) -> None:
    """Remove the folders of processes that have been killed."""
    for path in base.glob(f"*{_LOCK}"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if _is_locked(descriptor):
                    _remove(path.with_suffix(""))
                    path.unlink()
            finally:
                os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Whether this process has got the lock."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def _remove(folder: Path) -> None:
    """Remove a folder, also parts of it that the program has closed to itself."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for name, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                os.chmod(name, 0o700)  # noqa: PTH101  # as os.walk names it
        shutil.rmtree(folder, ignore_errors=True)
