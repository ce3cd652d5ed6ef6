"""How does a worker process notice that its driver is gone, and end with all that it started?"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Final

from flowlib.process_tree import end_children, is_leader

_ORPHANED: Final = 87
"""Exit code of a worker whose driver is gone."""


def end_with_driver() -> None:
    """From now on this process ends when its driver does, whatever its task is doing."""
    _be_killed_with_driver()
    threading.Thread(target=_leave_with_driver, name="driver watch", daemon=True).start()


def _be_killed_with_driver() -> None:
    """Have the system end this process and its group when the driver is gone, where it can.

    A thread cannot do that while the task holds the interpreter lock. The sentinel is a pipe whose
    other end is closed by the end of the driver: the signal of that is one nobody survives.
    """
    driver = parent_process()
    if driver is None or sys.platform != "linux":
        return
    import fcntl

    target = -os.getpid() if is_leader() else os.getpid()
    with contextlib.suppress(OSError):
        fcntl.fcntl(driver.sentinel, fcntl.F_SETOWN, target)
        fcntl.fcntl(driver.sentinel, fcntl.F_SETSIG, int(signal.SIGKILL))
        flags = fcntl.fcntl(driver.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(driver.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)


def _leave_with_driver() -> None:
    """The same where the system has no such signal, or another process holds the pipe open."""
    driver = parent_process()
    born_to = os.getppid()
    while driver is not None:
        if wait([driver.sentinel], timeout=1.0) or os.getppid() != born_to:
            end_children(frozenset())
            if is_leader():
                os.killpg(os.getpid(), signal.SIGKILL)
            os._exit(_ORPHANED)
