"""A large value that lies in pieces of equal size, read as one seekable stream."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO, cast


class _Chunked(io.RawIOBase):
    """Fetches one piece at a time."""

    def __init__(self, fetch: Callable[[int], bytes], size: int, chunk_bytes: int) -> None:
        self._fetch, self._size, self._chunk_bytes = fetch, size, chunk_bytes
        self._position = 0
        self._at_hand: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        number, offset = divmod(self._position, self._chunk_bytes)
        if self._position >= self._size or not len(view):
            return 0
        if self._at_hand[0] != number:
            self._at_hand = (number, self._fetch(number))
        part = self._at_hand[1][offset : offset + len(view)]
        if not part:
            raise EOFError(f"piece {number} is too short")
        view[: len(part)] = part
        self._position += len(part)
        return len(part)


def chunked_stream(fetch: Callable[[int], bytes], size: int, chunk_bytes: int) -> BinaryIO:
    """A stream over pieces.

    Args:
        fetch: Gives the piece of a number, from 0 on; raises EOFError if there is none.
        size: Bytes of all pieces together.
        chunk_bytes: Bytes of every piece but the last.
    """
    raw = _Chunked(fetch, size, chunk_bytes)
    return cast(BinaryIO, io.BufferedReader(raw, buffer_size=1 << 16))
