"""
Which processes has a task started, and how do they all end?

A worker leads a session of its own, so that a signal of the terminal reaches the driver only, and
whatever a task starts can be found by that session. On Linux orphans of a task become children of
the worker, also those in sessions of their own. Elsewhere there is no table of processes to read:
what a task leaves behind ends with the group of its worker.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stores.lazy_dataclass import dataclass

_TABLE: Final = Path("/proc")
_PR_SET_CHILD_SUBREAPER: Final = 36
_ROUNDS: Final = 200
_PAUSE_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the table of processes."""

    pid: int
    parent: int
    session: int
    is_over: bool


def lead_own_session() -> None:
    """Make this process the leader of a session, and the parent of the orphans below it."""
    with contextlib.suppress(PermissionError):  # it is a leader already
        os.setsid()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def is_leader() -> bool:
    """Whether the group of this process is its own."""
    return os.getpgrp() == os.getpid()


def children() -> frozenset[int]:
    """The children of this process; quick when there are none."""
    if not _has_children():
        return frozenset()
    return frozenset(each.pid for each in _table() if each.parent == os.getpid())


def end_children(spared: frozenset[int]) -> bool:
    """Kill all that this process has started, but `spared` and what is below them.

    Returns:
        Whether something was still running.
    """
    if not _has_children():
        return False
    if not _TABLE.is_dir():
        return True  # the driver ends the group when this process is over
    was_running = False
    for _ in range(_ROUNDS):
        found = _below(os.getpid(), spared)
        for each in found:
            if each.is_over:
                _reap(each)
            else:
                was_running = True
                _kill(each.pid)
        if not found:
            break
        time.sleep(_PAUSE_S)
    return was_running


def end_tree(pid: int) -> None:
    """Kill a process and all below it, wherever they put themselves."""
    below = _below(pid, frozenset())
    _kill(pid)
    for each in below:
        _kill(each.pid)


def end_session(leader: int) -> None:
    """Kill what is left of the session of a process that has ended."""
    if not _TABLE.is_dir():
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
        return
    for _ in range(_ROUNDS):
        left = [e for e in _table() if e.session == leader and not e.is_over]
        if not left:
            return
        for each in left:
            _kill(each.pid)
        time.sleep(_PAUSE_S)


def _has_children() -> bool:
    try:
        if hasattr(os, "waitid"):
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        else:
            os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _below(pid: int, spared: frozenset[int]) -> list[_Entry]:
    """The descendants of a process, parents first."""
    by_parent: dict[int, list[_Entry]] = {}
    for each in _table():
        by_parent.setdefault(each.parent, []).append(each)
    found: list[_Entry] = []
    level = [pid]
    while level:
        born = [e for parent in level for e in by_parent.get(parent, ()) if e.pid not in spared]
        found += born
        level = [each.pid for each in born]
    return found


def _table() -> Iterator[_Entry]:
    for folder in _TABLE.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            text = (folder / "stat").read_text(errors="replace")
            state, parent, _, session = text.rpartition(")")[2].split()[:4]
            yield _Entry(int(folder.name), int(parent), int(session), state in "ZX")


def _reap(entry: _Entry) -> None:
    if entry.parent == os.getpid():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(entry.pid, os.WNOHANG)


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
