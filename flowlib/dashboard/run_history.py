"""
What happened in a run, however often that is asked? Its log is read once, then what is new of it.

A long log is read in a thread of its own: who asks meanwhile is told how far that is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flowlib.event_log import EventReader
from flowlib.run_progress import RunProgress
from flowlib.timeline import TimelineFold

MOST_SPANS: Final = 2_000
_MOST_RUNS: Final = 8
_MOST_WAIT_S: Final = 0.25


class RunHistory:
    """All about one run; what it keeps does not grow with the number of events.

    Args:
        folder: The folder of the run.

    Attributes:
        progress: How far it is.
        timeline: Which worker did what.
        read: How many events were read.
        lock: Held while anything here is read or changed.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = EventReader(folder)
        self.progress, self.timeline = RunProgress(), TimelineFold(MOST_SPANS)
        self.read = 0
        self.lock = threading.Lock()
        self._is_read = threading.Event()
        self._first = threading.Thread(target=self._look_first, daemon=True)
        self._first.start()

    def is_whole(self, timeout_s: float) -> bool:
        """Whether all that was written was read once; waits for it."""
        return self._is_read.wait(timeout_s)

    def look(self) -> None:
        """Read what is new; the lock is held meanwhile."""
        for event in self._reader.each():
            self.progress.note(event)
            self.timeline.note(event)
            self.read += 1

    def _look_first(self) -> None:
        try:
            with self.lock:
                self.look()
        finally:
            self._is_read.set()


class RunHistories:
    """Those of the runs that were asked for last. Any number of threads may ask."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, RunHistory] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, folder: Path) -> Iterator[tuple[RunHistory, bool]]:
        """All about a run, and whether it is whole, and does not change inside the block.

        Else it may become whole there, and change: only how much was read may be looked at.

        Args:
            folder: The folder of the run.
        """
        with self._lock:
            found = self._kept.pop(folder, None) or RunHistory(folder)
            self._kept[folder] = found
            while len(self._kept) > _MOST_RUNS:
                self._kept.popitem(last=False)
        if not found.is_whole(_MOST_WAIT_S):
            yield found, False
            return
        with found.lock:
            found.look()
            yield found, True
