"""A large value that lies in pieces of equal size, read as one seekable stream."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, cast

Fetch = Callable[[int], Sequence[bytes]]


class _Chunked(io.RawIOBase):
    """Holds the pieces that one question has fetched."""

    def __init__(self, fetch: Fetch, size: int, chunk_bytes: int) -> None:
        self._fetch, self._size, self._chunk_bytes = fetch, size, chunk_bytes
        self._position = 0
        self._first: int = 0
        self._at_hand: Sequence[bytes] = ()

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
        if self._position >= self._size or not len(view):
            return 0
        number, offset = divmod(self._position, self._chunk_bytes)
        part = memoryview(self._piece(number))[offset : offset + len(view)]
        if not part:
            raise EOFError(f"piece {number} is too short")
        view[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _piece(self, number: int) -> bytes:
        if not self._first <= number < self._first + len(self._at_hand):
            self._at_hand = ()  # before the next ones come: not both at once
            self._first, self._at_hand = number, self._fetch(number)
        if not self._at_hand:
            raise EOFError(f"piece {number} is gone")
        return self._at_hand[number - self._first]


def chunked_stream(fetch: Fetch, size: int, chunk_bytes: int) -> BinaryIO:
    """A stream over pieces.

    Args:
        fetch: Gives the piece of a number, from 0 on, and perhaps some that follow it; none if
            that piece is gone.
        size: Bytes of all pieces together.
        chunk_bytes: Bytes of every piece but the last.
    """
    raw = _Chunked(fetch, size, chunk_bytes)
    return cast(BinaryIO, io.BufferedReader(raw, buffer_size=1 << 16))
