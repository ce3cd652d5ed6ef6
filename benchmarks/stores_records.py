"""What do records cost in a store that holds few or many? Fills, begins, commits, looks."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from stores import Address, ResultsStore
from stores.testing import put

_FILLERS = {"postgresql": 16, "mongodb": 16}
"""So many threads fill a store whose server brings several commits to the disk at once."""

TASK = "Train"


def address_of(number: int) -> Address:
    """One of any number of addresses, whose keys are no more sorted than real ones."""
    return Address(TASK, hashlib.blake2b(b"%d" % number, digest_size=16).hexdigest())


def do_task(store: ResultsStore, number: int) -> None:
    """Begin, save one small value, commit."""
    put(store, address_of(number), {"loss": number / 7}, lr=0.1, seed=number)


def fill(store: ResultsStore, kind: str, count: int) -> None:
    """Do the first `count` tasks."""
    threads = _FILLERS.get(kind)
    if threads is None:
        for number in range(count):
            do_task(store, number)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda number: do_task(store, number), range(count), chunksize=1):
            pass


def seconds_per_task(store: ResultsStore, first: int, count: int) -> float:
    """What each of some new tasks takes, one after the other."""
    began = time.perf_counter()
    for number in range(first, first + count):
        do_task(store, number)
    return (time.perf_counter() - began) / count


def seconds_of_look(
    store: ResultsStore, keys: int, present: int, count: Callable[[], int]
) -> tuple[float, int]:
    """How long one look at many keys takes, and how many questions it asks.

    Args:
        store: Freshly opened, so that it remembers nothing.
        keys: How many to look at.
        present: How many of them are there.
        count: Tells how many questions were asked so far.
    """
    store.record(address_of(0))  # connected
    addresses = [address_of(number) for number in range(keys)]
    before, began = count(), time.perf_counter()
    found = store.statuses(addresses)
    seconds = time.perf_counter() - began
    if len(found) != present:
        raise RuntimeError(f"{len(found)} statuses of {store!r} instead of {present}")
    return seconds, count() - before


@contextmanager
def questions_to(kind: str) -> Iterator[Callable[[], int]]:
    """Counts round trips to servers, statements to SQLite, and files opened or listed."""
    asked = [0]

    def note(*_: object) -> None:
        asked[0] += 1

    if kind == "file":
        with _watched(note):
            yield lambda: asked[0]
    elif kind == "mongodb":
        from pymongo import monitoring

        class Commands(monitoring.CommandListener):
            started = note
            succeeded = failed = lambda *_: None  # noqa: E731

        listeners = monitoring._LISTENERS.command_listeners
        monitoring.register(listener := Commands())
        try:
            yield lambda: asked[0]
        finally:
            listeners.remove(listener)
    else:
        from sqlalchemy import Engine, event

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield lambda: asked[0]
        finally:
            event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def _watched(note: Callable[[], None]) -> Iterator[None]:
    """Notes each file that is opened and each folder that is listed; hooks stay for ever."""
    is_on = [True]

    def hook(event: str, _: object) -> None:
        if is_on[0] and event in ("open", "os.listdir", "os.scandir"):
            note()

    sys.addaudithook(hook)
    try:
        yield
    finally:
        is_on[0] = False
