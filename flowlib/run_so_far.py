"""How far is a run of which nobody knows yet how it ended? Only what is new of its log is read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flowlib.event_log import EventReader
from flowlib.run_progress import RunProgress

LATEST: Final = 1e11
"""No run began later than this, in seconds since 1970: a log that says so is damaged."""


class RunSoFar:
    """A run, read event by event.

    Args:
        folder: The folder of the run.

    Attributes:
        progress: Its progress.
        last: When it was heard of last; 0 before it was.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = EventReader(folder)
        self.progress, self.last = RunProgress(), 0.0

    def read(self) -> RunSoFar:
        """Take in what was written since the last call."""
        for event in self._reader.each():
            self.progress.note(event)
            if event.at < LATEST:
                self.last = max(self.last, event.at)
        return self
