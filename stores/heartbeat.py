"""
Who shows that a long task is alive when its process runs nothing but user code?

A thread would starve while user code holds the interpreter lock, so a helper process renews the
leases. It is started when a task has run for a while, and ends with its parent. Where leases are
files it only touches them; elsewhere it opens the store, whose address it reads from its input:
command lines can be seen by everyone.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from stores.errors import StoreError
from stores.record import Address
from stores.store import ResultsStore

_ARMED_AFTER_S: Final = 2.0
"""Tasks shorter than this never see a helper."""

_HELPER: Final = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
parent, beat, folder, key = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
last = float("-inf")
while os.getppid() == parent:
    if time.monotonic() - last >= beat:
        last = time.monotonic()
        try:
            for name in os.listdir(folder):
                if name.startswith(key + "."):
                    os.utime(os.path.join(folder, name))
        except OSError:
            pass
    time.sleep(min(beat, 1.0))
"""


_COMMAND: Final = (sys.executable, "-I", "-S", "-c", _HELPER)

_ASKING_HELPER: Final = """
import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from stores.heartbeat import renew_for
renew_for(sys.stdin.buffer)
"""

_ASKING_COMMAND: Final = (sys.executable, "-I", "-c", _ASKING_HELPER)


class Heartbeat:
    """Renews the lease of the task that this process is running.

    Args:
        store: Where the lease lies; one of this process alone needs no heartbeat.
        beat_s: Seconds between two renewals; those of the store if None.
    """

    def __init__(self, store: ResultsStore, beat_s: float | None = None) -> None:
        self._store = store
        self._beat_s = store.beat_s if beat_s is None else beat_s
        self._current: tuple[Address, float] | None = None
        self._helper: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._is_closed = threading.Event()

    @contextmanager
    def of(self, address: Address) -> Iterator[None]:
        """Renew the lease of `address` while the block runs."""
        self._current = (address, time.monotonic())
        if self._watcher is None and self._store.reachable_from_workers:
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        try:
            yield
        finally:
            self._current = None
            self._stop_helper()

    def close(self) -> None:
        """Stop; harmless when called twice."""
        self._is_closed.set()
        self._stop_helper()

    def _watch(self) -> None:
        while not self._is_closed.wait(_ARMED_AFTER_S):
            current = self._current
            if current is not None and time.monotonic() - current[1] > _ARMED_AFTER_S:
                self._start_helper(current[0])

    def _start_helper(self, address: Address) -> None:
        if self._helper is not None:
            return
        folder = self._store.lease_folder(address)
        self._helper = self._toucher(folder, address) if folder else self._asker(address)
        current = self._current
        if current is None or current[0] != address:  # that task has ended meanwhile
            self._stop_helper()

    def _toucher(self, folder: str, address: Address) -> subprocess.Popen[bytes]:
        """A helper that touches the lease files of a key."""
        return subprocess.Popen(
            [*_COMMAND, str(os.getpid()), str(self._beat_s), folder, address.key],
            stdin=subprocess.DEVNULL,
        )

    def _asker(self, address: Address) -> subprocess.Popen[bytes]:
        """A helper that asks the store to renew the lease of a key."""
        helper = subprocess.Popen(_ASKING_COMMAND, stdin=subprocess.PIPE)
        told = pickle.dumps((os.getpid(), self._beat_s, self._store, address))
        with contextlib.suppress(BrokenPipeError), helper.stdin or io.BytesIO() as stream:
            stream.write(json.dumps(sys.path).encode() + b"\n" + told)
        return helper

    def _stop_helper(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.kill()
            helper.wait()


def renew_for(stream: BinaryIO) -> None:
    """What a helper does that asks the store: renew a lease until its parent has ended.

    Args:
        stream: Pickled: the parent's number, seconds between two renewals, the store, the key.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, beat_s, store, address = pickle.load(stream)  # noqa: S301  # our parent wrote it
    last = float("-inf")
    while os.getppid() == parent:
        if time.monotonic() - last >= beat_s:
            last = time.monotonic()
            with contextlib.suppress(StoreError):  # it is away; the next beat may find it
                store.renew([address])
        time.sleep(min(beat_s, 1.0))
