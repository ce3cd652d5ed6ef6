"""How does the driver read what a worker has sent, however much it is, with few system calls?"""

from __future__ import annotations

import os
import socket
import struct
from typing import Final

_SIZE: Final = struct.Struct("!i")
_LARGE: Final = struct.Struct("!Q")
"""Before each message stands its size; before one of more than 2 GiB -1 and then its size. So does
`multiprocessing.connection.Connection.send_bytes` write, in Python 3.11 to 3.13."""

_CHUNK_BYTES: Final = 2**18


class FrameReader:
    """Reads what `Connection.send_bytes` has written at the other end of a socket; never waits.

    Args:
        descriptor: The socket. It is duplicated, and stays open for its owner.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._data = bytearray()

    def read(self) -> list[bytes]:
        """Every message that has arrived whole, in order.

        Raises:
            EOFError: the other end is closed, and nothing is left.
        """
        is_over = self._fill()
        frames, at = [], 0
        while (bounds := self._next(at)) is not None:
            begin, at = bounds
            frames.append(bytes(memoryview(self._data)[begin:at]))
        del self._data[:at]
        if is_over and not frames:
            raise EOFError
        return frames

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _next(self, at: int) -> tuple[int, int] | None:
        """Begin and end of the message whose size stands at `at`; None if a part is missing."""
        begin = at + _SIZE.size
        if len(self._data) < begin:
            return None
        (size,) = _SIZE.unpack_from(self._data, at)
        if size == -1:
            begin += _LARGE.size
            if len(self._data) < begin:
                return None
            (size,) = _LARGE.unpack_from(self._data, at + _SIZE.size)
        end = begin + size
        return (begin, end) if len(self._data) >= end else None

    def _fill(self) -> bool:
        """Take what has arrived; whether the other end is closed."""
        while True:
            try:
                chunk = self._socket.recv(_CHUNK_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except ConnectionResetError:  # it ended before it had read all; what it sent counts
                return True
            if not chunk:
                return True
            self._data += chunk
            if len(chunk) < _CHUNK_BYTES:  # there is no more, or the next look finds it
                return False
