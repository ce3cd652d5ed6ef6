"""Does a task leave its process as it found it? Puts back what it can, and tells if that is all."""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from flowlib.job import Outcome
from flowlib.process_state import ProcessState
from flowlib.process_tree import children, end_children

_LAST_MOMENTS_S: Final = 0.05
"""For so long threads that are about to end are waited for."""

_log = logging.getLogger("flowlib")


class Isolation:
    """Runs one task after the other, so that none finds traces of those before.

    Modules that a task has imported stay, and so does what the import of a task's own module has
    changed before it ran.
    """

    def __init__(self) -> None:
        self._state = ProcessState()
        self._spared = children()
        self._modules = len(sys.modules)
        self.is_clean = True

    def run(self, what: object, call: Callable[[], Outcome]) -> Outcome:
        """The answer of `call`; afterwards `is_clean` says whether the process may go on.

        Args:
            what: Whose task it is.
            call: Runs it.
        """
        if len(sys.modules) != self._modules:
            self._state, self._spared = ProcessState(), children()
        known = threading.enumerate()
        outcome = contextvars.copy_context().run(call)
        left = _threads_left(known) if threading.enumerate() != known else []
        had_children = end_children(self._spared)
        if left or had_children:
            _warn(what, left, had_children=had_children)
        self.is_clean = self._state.put_back() and not left and not had_children
        self._modules = len(sys.modules)
        return outcome


def other_threads() -> list[threading.Thread]:
    """The threads beside the main one that a process waits for when it ends."""
    main = threading.main_thread()
    return [each for each in threading.enumerate() if not each.daemon and each is not main]


def _threads_left(known: list[threading.Thread]) -> list[threading.Thread]:
    left = [each for each in other_threads() if each not in known]
    deadline = time.monotonic() + _LAST_MOMENTS_S
    for each in left:
        each.join(max(0.0, deadline - time.monotonic()))
    return [each for each in left if each.is_alive()]


def _warn(what: object, left: list[threading.Thread], *, had_children: bool) -> None:
    names = ", ".join(each.name for each in left)
    found = [f"threads ({names})"] if left else []
    found += ["processes, which were ended"] if had_children else []
    _log.warning("%s has left %s: its worker is replaced", what, " and ".join(found))
