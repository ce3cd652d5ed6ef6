"""
Which store do direct calls use, and what does the running task read from it?

    argument of the call > `use_store`, or the run of the task around the call > settings
        > one memory store per process

The innermost of `use_store` and running tasks counts. Threads that a task starts do not know it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from typing import Any, Final

from flowlib.configuration import settings
from flowlib.errors import SettingsError, nearest
from stores import Address, InMemoryStore, Input, ResultsStore, StoreError, open_store
from stores.lazy_dataclass import dataclass
from stores.uri import anchored

StoreChoice = ResultsStore | str | Mapping[str, Any]
"""A store, what `open_store` opens, or a name that the setting `stores` has."""


@dataclass(slots=True)
class Reading:
    """What a running task reads by direct calls.

    Attributes:
        address: Of the task.
        store: Of its run.
        computing: The keys that are computed around it, its own included.
        inputs: What it has read so far, by key.
    """

    address: Address
    store: ResultsStore
    computing: frozenset[str]
    inputs: dict[str, Input] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen: it is made for every task
class _Around:
    store: ResultsStore
    reading: Reading | None


_AROUND: Final[ContextVar[_Around | None]] = ContextVar("flowlib_store", default=None)


@contextmanager
def use_store(store: StoreChoice) -> Iterator[ResultsStore]:
    """Direct calls in this block use `store`, unless they name another one.

    Args:
        store: A store; what `stores.open_store` opens, `"file:runs"`; or a name that the setting
            `stores` has.

    Raises:
        SettingsError: no store has this name.
        StoreError: the URI is none.
    """
    opened = _opened(store)
    token = _AROUND.set(_Around(opened, task_around()))
    try:
        yield opened
    finally:
        _AROUND.reset(token)


class reading:  # noqa: N801  # used as a function; a generator takes longer, for every task
    """Direct calls in this block, that of a running task, use the store of its run.

    Args:
        address: Of the task.
        store: Of its run.
    """

    __slots__ = ("_own", "_token")

    def __init__(self, address: Address, store: ResultsStore) -> None:
        outer = task_around()
        computing = frozenset() if outer is None else outer.computing
        self._own = Reading(address, store, computing | {address.key})

    def __enter__(self) -> Reading:
        self._token = _AROUND.set(_Around(self._own.store, self._own))
        return self._own

    def __exit__(self, *error: object) -> None:
        _AROUND.reset(self._token)


def task_around() -> Reading | None:
    """The task that runs around this call; None if there is none."""
    around = _AROUND.get()
    return None if around is None else around.reading


def chosen_store(given: StoreChoice | None = None) -> ResultsStore:
    """The store of a direct call.

    Args:
        given: Its argument.

    Raises:
        SettingsError: the store of the settings cannot be opened, or no store has this name.
        StoreError: the argument is no URI of a store.
        TypeError: it is something else.
    """
    if given is not None:
        return _opened(given)
    around = _AROUND.get()
    if around is not None:
        return around.store
    known = settings()
    if known.store is None:
        return _memory_of(os.getpid())
    try:
        return _store_at(known.store, os.getpid())
    except StoreError as error:
        raise SettingsError(f"{known.origin('store')} is no store: {error}") from error


def _opened(given: object) -> ResultsStore:
    if isinstance(given, ResultsStore):
        return given
    if isinstance(given, str):
        return _store_at(_uri_of(given), os.getpid())
    if isinstance(given, Mapping):
        return open_store(given)
    raise TypeError(
        f"store is {given!r}, which is no store: give LocalFileStore(folder), or 'file:folder'"
    )


def _uri_of(given: str) -> str:
    """The URI that a text is, or that the settings have under this name."""
    if ":" in given:
        return anchored(given, os.getcwd())  # noqa: PTH109  # as text
    known = dict(settings().stores)
    if given not in known:
        named = ", ".join(known) or "none"
        raise SettingsError(
            f"no store is called {given!r}: write a URI, file:{given} for a folder, or name one in "
            f"the setting `stores`, which has: {named}.{nearest(given, known)}"
        )
    return known[given]


@functools.lru_cache(maxsize=32)
def _store_at(where: str, pid: int) -> ResultsStore:
    """The store at a URI: one object for all calls of a process, and not that of its parent."""
    return open_store(where)


@functools.lru_cache(maxsize=1)
def _memory_of(pid: int) -> InMemoryStore:
    """The memory store of direct calls of a process; a fork begins with an empty one."""
    return InMemoryStore()
