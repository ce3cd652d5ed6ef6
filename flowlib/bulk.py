"""How are a hundred thousand objects made without the garbage collector looking at each of them?"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Iterator[None]:
    """Keep the cyclic collector from running inside the block, if it would.

    Nodes, statuses and plans hold no cycles and live as long as their flow: looking at all of
    them again and again cost a third of the time of a cached run of 10,000 tasks. Objects
    without cycles are still freed at once.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
