"""How does a direct call go on at once when its task has returned a Future?

Its attempt stays open, and keeps its lease, until that Future is done. The caller gets a Future of
ours, which is done when the value is stored.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, Final

from stores import Address, Heartbeat, ResultsStore

_Call = tuple[int, int, Address]
"""A process, the id of a store in it, and what is computed there."""

_calls: Final[dict[_Call, LeftOpen]] = {}
"""Those whose Future is not done yet; a fork inherits some that nobody will end in it."""


class LeftOpen:
    """What a direct call may leave open.

    Args:
        store: Where its result goes.
        address: Of what is called; other tasks, from which it reads, are waited for.
        load: Gives its value when that is stored.

    Attributes:
        future: What the caller gets; None if nothing was left open.
    """

    def __init__(self, store: ResultsStore, address: Address, load: Callable[[], Any]) -> None:
        self._store = store
        self._address = address
        self._load = load
        self.future: Future[Any] | None = None

    def takes(self, address: Address) -> bool:
        """Whether this is the one that may be left open."""
        return address == self._address

    def take(self, returned: Future[Any], commit: Callable[[], None]) -> None:
        """Let `commit` be called when `returned` is done, and the caller's Future be done then.

        Args:
            returned: What the task has returned.
            commit: Stores its value, or raises why there is none.
        """
        alive = ExitStack()
        heartbeat = Heartbeat(self._store)
        alive.callback(heartbeat.close)
        alive.enter_context(heartbeat.of(self._address))
        given = self.future = Future()
        call = _call(self._store, self._address)
        _calls[call] = self

        def end(_: Future[Any]) -> None:
            with alive:
                failure = _failure(commit)
            del _calls[call]
            self._answer(given, failure)

        given.add_done_callback(lambda ended: ended.cancelled() and returned.cancel())
        returned.add_done_callback(end)

    def _answer(self, given: Future[Any], failure: BaseException | None) -> None:
        if not given.set_running_or_notify_cancel():
            return
        try:
            if failure is not None:
                raise failure
            given.set_result(self._load())
        except BaseException as error:  # noqa: BLE001  # the caller's to see
            given.set_exception(error)


def open_call(store: ResultsStore, address: Address) -> Future[Any] | None:
    """The Future of a call that is open in this process; None if there is none."""
    known = _calls.get(_call(store, address))
    return None if known is None else known.future


def _call(store: ResultsStore, address: Address) -> _Call:
    return os.getpid(), id(store), address


def as_future(value: Any) -> Future[Any]:
    """A Future of a value, which is done; one that is a Future is itself."""
    if isinstance(value, Future):
        return value
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    future.set_result(value)
    return future


def _failure(commit: Callable[[], None]) -> BaseException | None:
    try:
        commit()
    except BaseException as error:  # noqa: BLE001  # the caller's to see
        return error
    return None
