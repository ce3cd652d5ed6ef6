"""How large may the log of a task become? A file that grows at its end and is cut in its middle."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

LOG_LIMIT_BYTES: Final = 64 << 20
"""What a log keeps: the first half of this, and at least the last quarter."""

_CHUNK_BYTES: Final = 1 << 20


class LogFile:
    """One log, whoever writes to its descriptor: this process, C code, child processes.

    Args:
        path: The file; it is made, or appended to.
        limit: Bytes above which `cut` shortens it.

    Raises:
        OSError: it cannot be made.

    Attributes:
        path: Where it is now.
        descriptor: Appends to it.
    """

    def __init__(self, path: Path, limit: int = LOG_LIMIT_BYTES) -> None:
        self.descriptor = _opened(path)
        self.path = path
        self._limit = limit
        self._left_out = 0

    @property
    def size(self) -> int:
        """Its bytes."""
        return os.lseek(self.descriptor, 0, os.SEEK_END)  # all appends; quicker than a stat

    def write(self, text: str) -> None:
        """Append text; what cannot be encoded is escaped.

        Raises:
            OSError: the disk is full, say.
        """
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self.descriptor, data) :]

    def move(self, path: Path) -> None:
        """Give the file this name; if there is one of that name, append to that and go on there.

        Raises:
            OSError: neither is possible.
        """
        path.parent.mkdir(exist_ok=True)
        try:
            os.link(self.path, path)
        except FileExistsError:
            self._append_to(path)
        except OSError:  # a file system without links
            if path.exists():
                self._append_to(path)
            else:
                self.path.rename(path)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.path = path

    def _append_to(self, path: Path) -> None:
        append_file(self.path, path)
        other = _opened(path)
        os.dup2(other, self.descriptor, inheritable=False)
        os.close(other)

    def cut(self, size: int | None = None) -> bool:
        """If it is larger than it may be, take the middle out and say so there; whether it was.

        What others append meanwhile may be lost.

        Args:
            size: Its bytes, where somebody has just asked.

        Raises:
            OSError: the disk fails.
        """
        size = self.size if size is None else size
        if size <= self._limit:
            return False
        head, tail = self._limit // 2, self._limit // 4
        note_bytes = len(_note(0, self._limit)) if self._left_out else 0
        self._left_out += size - head - tail - note_bytes
        note = _note(self._left_out, self._limit)
        with self.path.open("rb+", buffering=0) as file:
            os.pwrite(file.fileno(), note, head)
            end = head + len(note)
            for start in range(size - tail, size, _CHUNK_BYTES):
                chunk = os.pread(file.fileno(), min(_CHUNK_BYTES, size - start), start)
                os.pwrite(file.fileno(), chunk, end)
                end += len(chunk)
            os.ftruncate(file.fileno(), end)
        return True

    def close(self) -> None:
        """Close the descriptor; others may still write."""
        os.close(self.descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)


def append_file(source: Path, target: Path) -> None:
    """Append the content of a file to another."""
    with source.open("rb") as reader, target.open("ab") as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            writer.write(chunk)


def _note(left_out: int, limit: int) -> bytes:
    """Always of the same length for the same limit, so that it can be replaced."""
    return f"\n… {left_out:>24,} bytes left out here: a log keeps {limit:,} …\n".encode()
