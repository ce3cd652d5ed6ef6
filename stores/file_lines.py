"""What was appended to files of lines since they were read last? Whole lines, never read twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

_AT_ONCE: Final = 1 << 18
"""Bytes that are in memory at the same time, and those of one line that is longer."""


class AppendedLines:
    """Remembers how far files were read."""

    def __init__(self) -> None:
        self._read_to: dict[str, tuple[int, int]] = {}

    def texts(self, path: str) -> Iterator[str]:
        """Some of the new lines at a time; one that has no end yet is left for the next time.

        A file that cannot be read has none. One that was begun anew is read from its beginning.
        """
        inode, offset = self._read_to.get(path, (0, 0))
        try:
            found = os.stat(path)
            if (found.st_ino, found.st_size) == (inode, offset):
                return
            with open(path, "rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != inode or found.st_size < offset:
                    offset = 0
                file.seek(offset)
                rest = b""
                while data := file.read(_AT_ONCE):
                    data = rest + data
                    end = data.rfind(b"\n") + 1
                    rest = data[end:]
                    if end:
                        offset += end
                        self._read_to[path] = (found.st_ino, offset)
                        yield str(memoryview(data)[:end], "utf-8", "replace")
        except OSError:
            return

    def forget(self, path: str) -> None:
        """Read a file from its beginning the next time."""
        self._read_to.pop(path, None)
