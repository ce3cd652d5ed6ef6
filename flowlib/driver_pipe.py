"""How do all threads of a worker process send to the driver, one whole message after the other?"""

from __future__ import annotations

import signal
import threading
from _signal import (  # type: ignore[import-not-found]  # no stub; `signal` makes enums, which is slow
    pthread_sigmask as _raw_mask,
)
from _thread import start_new_thread
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

_ONE_WRITE_BYTES: Final = 16_000
"""Up to this size a connection sends a message by one call of the system."""

_RAISING: Final = (signal.SIGINT, signal.SIGTERM)


class DriverPipe:
    """Sends messages. A signal that ends the task in the middle of this harms none of them.

    Args:
        connection: The worker's end of the pipe.

    Attributes:
        sent: How many messages were sent.
    """

    def __init__(self, connection: Connection) -> None:
        self.sent = 0
        self._connection = connection
        self._lock = threading.Lock()
        self._late: deque[bytes] = deque()
        self._mine = threading.local()

    def send(self, data: bytes) -> None:
        """Send one message; what a signal handler sends meanwhile in this thread comes next.

        Raises:
            OSError: the driver is gone.
        """
        if getattr(self._mine, "is_sending", False):
            self._late.append(data)
        elif len(data) > _ONE_WRITE_BYTES and threading.current_thread() is threading.main_thread():
            # a handler raises in the main thread only: it may leave this, not the sending; the
            # methods of `Thread` wait in Python, where an exception can come between two steps
            done = threading.Lock()
            done.acquire()
            start_new_thread(self._send_anyhow, (data, done))
            done.acquire()
        else:
            self._send(data)

    def _send_anyhow(self, data: bytes, done: threading.Lock) -> None:
        try:
            with suppress(OSError):  # the driver is gone, and this process will be soon
                self._send(data)
        finally:
            done.release()

    def _send(self, data: bytes) -> None:
        mask = _raw_mask(signal.SIG_BLOCK, ())
        try:  # an exception of a handler, in the midst of this, leaves all as it was
            _raw_mask(signal.SIG_BLOCK, _RAISING)
            self._mine.is_sending = True
            with self._lock:
                self.sent += 1
                self._connection.send_bytes(data)
                while self._late:
                    self.sent += 1
                    self._connection.send_bytes(self._late.popleft())
        finally:
            self._mine.is_sending = False
            _raw_mask(signal.SIG_SETMASK, mask)
