"""How does something go on in the background? In a thread of its own; a Future tells of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Final

_running: Final[dict[Hashable, Future[Any]]] = {}
"""By process, and by job: a fork inherits some that nobody will end in it."""


def in_background(
    job: Hashable, compute: Callable[[], Any], future: Future[Any] | None = None
) -> Future[Any]:
    """A Future of what `compute` gives, at once.

    The program does not end before it is done.

    Args:
        job: Tells whether two are the same; who asks for one that is on its way gets its Future.
        compute: Called in a thread that knows what the present one knows by context.
        future: The one that is given if nobody has asked before.
    """
    own = (os.getpid(), job)
    future = Future() if future is None else future
    known = _running.setdefault(own, future)
    if known is not future:
        return known
    future.set_running_or_notify_cancel()
    around = copy_context()

    def run() -> None:
        try:
            value, error = around.run(compute), None
        except BaseException as raised:  # noqa: BLE001  # whoever waits is to see it
            value, error = None, raised
        del _running[own]
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    threading.Thread(target=run, name="flowlib-background").start()
    return future
