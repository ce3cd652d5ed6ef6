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


def settle() -> None:
    """Say that what there is now stays: the collector never looks at it again.

    For a process that serves others, after it was made ready or has made much that it keeps: one
    look at that, or at the libraries, keeps all its threads waiting for 50 ms. What is not used
    any more is freed as ever, unless it stands in a cycle; so this is nothing to do often.
    """
    gc.freeze()
