"""How are the logs of the tasks of a run called, and which of them are there?"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final

from flowlib.run_folders import LOGS
from stores.file_layout import encoded

_SHORT: Final = 8
"""So many characters of a key name its log, unless two keys of a task share them."""


class LogNames:
    """Names logs `logs/Train-9a7a08b2.log`, and `logs/Train-9a7a08b2.2.log` for the second try.

    Args:
        folder: The folder of the run; None if it keeps no logs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._stems: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._tasks: dict[str, str] = {}
        self._tries: Counter[str] = Counter()

    def name(self, task: str, key: str) -> str:
        """Where the present try of a key puts its output, below the folder; empty if nowhere."""
        if self.folder is None:
            return ""
        number = self._tries[key] + 1 if key in self._tries else 1
        stem = self._stem(task, key)
        return f"{stem}.log" if number == 1 else f"{stem}.{number}.log"

    def next_try(self, key: str) -> None:
        """The task of a key is to be tried once more."""
        self._tries[key] += 1

    def path(self, task: str, key: str) -> str | None:
        """The log of the latest try of a key; None if it has printed nothing."""
        name = self.name(task, key)
        if not name:
            return None
        path = f"{self.folder}/{name}"
        return path if os.path.exists(path) else None  # noqa: PTH110  # asked for many keys

    def _stem(self, task: str, key: str) -> str:
        stem = self._stems.get((task, key))
        if stem is None:
            start = self._tasks.get(task)
            if start is None:
                start = self._tasks[task] = f"{LOGS}/{encoded(task)}-"
            short = key[:_SHORT]
            stem = start + (short if short.isalnum() and short.isascii() else encoded(short))
            if stem in self._taken:
                stem = start + encoded(key)
            self._taken.add(stem)
            self._stems[task, key] = stem
        return stem
