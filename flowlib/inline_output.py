"""Where does the output of a task go that runs in this process, beside others perhaps?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flowlib.log_files import LogFile
from flowlib.output_watch import WATCH
from flowlib.run_folders import WORKERS
from flowlib.task_output import OutputPlace, TaskOutput

_log = logging.getLogger("flowlib")


class _LoggedOutput(TaskOutput):
    """The log of one task, made when the first text comes."""

    def __init__(self, outputs: InlineOutputs, name: str) -> None:
        self._outputs = outputs
        self._name = name
        self._file: LogFile | None = None
        self._room = 0
        self._is_over = False
        self._lock = threading.RLock()

    @property
    def place(self) -> str:  # type: ignore[override]  # known when there is something
        """How the record names the log."""
        return "" if self._file is None else f"{self._outputs.place.recorded}/{self._name}"

    def write(self, text: str) -> None:
        if not text:
            return
        with self._lock:
            if self._is_over:
                return
            try:
                self._append(text)
            except OSError as error:
                self._is_over = True
                self._outputs.complain(error)

    def _append(self, text: str) -> None:
        place = self._outputs.place
        if self._file is None:
            path = place.folder / self._name
            try:
                self._file = LogFile(path, place.limit)
            except FileNotFoundError:  # the first log of the run
                path.parent.mkdir(exist_ok=True)
                self._file = LogFile(path, place.limit)
            self._room = place.limit
        self._file.write(text)
        self._outputs.follow(text)
        self._room -= len(text)
        if self._room < 0:
            self._file.cut()
            self._room = place.limit - self._file.size

    def close(self) -> None:
        """The task has ended.

        Another thread may be about to write: after this, the number of the file may be that of
        a record.
        """
        with self._lock:
            self._is_over = True
            if self._file is not None:
                with suppress(OSError):
                    self._file.cut()
                self._file.close()


class InlineOutputs:
    """Takes the output of tasks that run in threads of this process.

    While a task runs, `sys.stdout` and `sys.stderr` write to its log as well as to where they
    wrote before, and records of all levels go to its log. When the last of them has ended, all of
    this is as it was. The terminal and the user's handlers notice nothing of it.
    """

    def __init__(self, place: OutputPlace) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._has_complained = False
        self._followed: LogFile | None = None

    @contextmanager
    def of(self, name: str) -> Iterator[TaskOutput]:
        """Take the output of this thread, and of threads it starts as long as no other task runs.

        Args:
            name: Of the log, below the folder of the run.
        """
        output = _LoggedOutput(self, name)
        WATCH.enter(output)
        try:
            yield output
        finally:
            WATCH.leave(output)
            output.close()

    def follow(self, text: str) -> None:
        """Show text to whoever follows the worker.

        Raises:
            OSError: the disk is full, say.
        """
        if not self.place.is_followed:
            return
        with self._lock:  # one file for all threads
            if self._followed is None:
                path = self.place.folder / WORKERS / "w1.log"
                path.parent.mkdir(exist_ok=True)
                self._followed = LogFile(path)
            self._followed.write(text)

    def complain(self, error: OSError) -> None:
        """Say once that logs cannot be kept."""
        if not self._has_complained:
            self._has_complained = True
            _log.warning("the output of tasks cannot be kept in %s: %s", self.place.folder, error)
