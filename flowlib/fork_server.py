"""How do worker processes start, and how is the server that forks them kept apart and quick?

The fork server of multiprocessing is started once for a program, in the group of the driver: a
signal for the whole group would end it, and its workers with it. It is made to import this module,
which puts it into a session of its own and loads what workers need. It also loads what a module
with tasks is likely to import from flowlib, as far as the driver has: otherwise each worker would.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver
from typing import Final

import flowlib.process_worker  # noqa: F401  # loaded before the first fork
from flowlib.interrupts import held_back
from flowlib.transport import hidden_main

_USUAL: Final = ["__main__"]

_OF_USERS: Final = ("flowlib.flow", "flowlib.functions", "flowlib.choices", "stores.backends.file")
"""Where the public names live that most programs import."""


def default_start_method() -> str:
    """forkserver on Linux, where it is quick and safe beside threads; spawn elsewhere."""
    return "forkserver" if sys.platform == "linux" else "spawn"


def start_fork_server() -> None:
    """Start it, unless it runs; what the user has it load stays as it was."""
    server = getattr(forkserver, "_forkserver", None)
    before = list(getattr(server, "_preload_modules", _USUAL))
    known = [each for each in _OF_USERS if each in sys.modules]
    multiprocessing.set_forkserver_preload([*before, __name__, *known])
    try:
        with hidden_main(), held_back():
            forkserver.ensure_running()
    finally:
        multiprocessing.set_forkserver_preload(before)


def _is_fork_server() -> bool:
    return any("multiprocessing.forkserver" in each for each in sys.orig_argv)


if _is_fork_server():
    with contextlib.suppress(PermissionError):  # it leads a session already
        os.setsid()
    # one that came while it was held back is not meant for this process: it is dropped
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # of its children, too
    signal.signal(signal.SIGINT, before)
