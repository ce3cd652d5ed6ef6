"""How does a view keep moving while nothing happens? A thread that sleeps nearly always."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker:
    """Calls a function soon after `wake`, and when it wants to be called anyway.

    Args:
        act: Called in a thread of its own; gives the seconds until it wants to be called again
            though nobody wakes it, or None to be left alone from now on.
        pause_s: The shortest time between two calls.
        first_s: When the first call comes if nobody wakes it.
    """

    def __init__(self, act: Callable[[], float | None], pause_s: float, first_s: float) -> None:
        self._act = act
        self._pause_s = pause_s
        self._first_s = first_s
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flowlib-view", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something changed."""
        if not self._woken.is_set():  # a look costs less than a call that wakes a thread
            self._woken.set()

    def stop(self) -> None:
        """No call begins after this; one that goes on has ended."""
        self._ended.set()
        self._woken.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        wait_s: float | None = self._first_s
        while wait_s is not None:
            self._woken.wait(wait_s)
            if self._ended.is_set():
                return
            self._woken.clear()
            wait_s = self._act()
            self._ended.wait(self._pause_s)
