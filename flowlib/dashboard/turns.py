"""How many threads work at once? Few: the event loop has to wait for its turn among all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_AT_ONCE: Final = 2
_PATIENCE_S: Final = 0.25
"""Who has waited so long goes ahead: those before may be waiting for a store, and cost nothing."""


class Turns:
    """Given to one thread after the other."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(_AT_ONCE)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Work when there is a turn, or at last without one."""
        has_turn = self._free.acquire(timeout=_PATIENCE_S)
        try:
            yield
        finally:
            if has_turn:
                self._free.release()
