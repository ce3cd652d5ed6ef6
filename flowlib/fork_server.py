"""How do worker processes start, and how is the server that forks them kept apart and quick?

The fork server of multiprocessing is started once for a program, in the group of the driver: a
signal for the whole group would end it, and its workers with it. It is made to import this module,
which puts it into a session of its own and loads what workers need. It also loads what a module
with tasks is likely to import from flowlib, as far as the driver has: otherwise each worker would.

That takes longer than all that a driver does before its first task, so it is the first thing that a
run starts once it knows that something is to run; the driver itself needs nothing of it for that.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver, resource_tracker
from typing import Final

from flowlib.interrupts import held_back
from flowlib.transport import hidden_main
from flowlib.undecided import left_undecided

_USUAL: Final = ["__main__"]

_DOORS: Final = ("flowlib", "stores")
"""The packages with the names that programs import."""


def default_start_method() -> str:
    """forkserver on Linux, where it is quick and safe beside threads; spawn elsewhere."""
    return "forkserver" if sys.platform == "linux" else "spawn"


def start_fork_server() -> None:
    """Start it, unless it runs; what the user has it load stays as it was."""
    # it opens the way for Ctrl-C when it starts, so it must not start while that is held back
    resource_tracker.ensure_running()
    server = getattr(forkserver, "_forkserver", None)
    before = list(getattr(server, "_preload_modules", _USUAL))
    multiprocessing.set_forkserver_preload([*before, __name__, *_homes_of_used_names()])
    try:
        with hidden_main(), held_back(), left_undecided():
            forkserver.ensure_running()
    finally:
        multiprocessing.set_forkserver_preload(before)


def _homes_of_used_names() -> list[str]:
    """The modules of the public names that this program uses: its modules with tasks do, too."""
    doors = [vars(sys.modules[door]) for door in _DOORS if door in sys.modules]
    used = [door[name] for door in doors for name in door["__all__"] if name in door]
    homes = {getattr(each, "__module__", None) for each in used}
    return sorted(each for each in homes if isinstance(each, str) and each.startswith(_DOORS))


def _is_fork_server() -> bool:
    return any("multiprocessing.forkserver" in each for each in sys.orig_argv)


if _is_fork_server():
    with contextlib.suppress(PermissionError):  # it leads a session already
        os.setsid()
    # one that came while it was held back is not meant for this process: it is dropped
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # of its children, too
    signal.signal(signal.SIGINT, before)
    gc.disable()  # of what is loaded nothing is garbage
    import flowlib.process_worker  # noqa: F401  # before the first fork

    gc.freeze()  # so that no worker looks through it, which would make it a copy of its own
    gc.enable()
