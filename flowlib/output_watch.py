"""Whose output is it? Changes `sys.stdout` and logging while tasks run here, and puts them back."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from flowlib.log_records import TaskLogHandler, text_of
from flowlib.task_output import TaskOutput
from flowlib.tee import tee_of


class OutputWatch:
    """The one place that changes what all of this process shares, and puts it back."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_thread: dict[int, list[TaskOutput]] = {}
        self._apart: Counter[int] = Counter()  # threads of runs, which are no tasks
        self._undo: Callable[[], None] | None = None
        self._streams: tuple[Any, Any] = (None, None)
        self._muted = threading.local()
        self._handler = _RecordHandler(self.write, self._last_resort)
        self._before = _AsBefore()

    def enter(self, output: TaskOutput) -> None:
        """From now on what this thread prints belongs to `output`."""
        with self._lock:
            if self._undo is None:
                self._undo = self._install()
            self._by_thread.setdefault(threading.get_ident(), []).append(output)

    def leave(self, output: TaskOutput) -> None:
        """`output` has ended; the one around it goes on."""
        with self._lock:
            mine = self._by_thread.get(threading.get_ident(), [])
            if output in mine:
                mine.remove(output)
            if not mine:
                self._by_thread.pop(threading.get_ident(), None)
            if not self._by_thread and self._undo is not None:
                self._undo()
                self._undo = None

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What this thread prints meanwhile belongs to no task, unless it runs one itself."""
        thread = threading.get_ident()
        with self._lock:
            self._apart[thread] += 1
        try:
            yield
        finally:
            with self._lock:
                self._apart[thread] -= 1
                if not self._apart[thread]:
                    del self._apart[thread]

    def write(self, text: str) -> None:
        """Text of this thread goes to its task; of a stranger, to the only task there is."""
        if getattr(self._muted, "is_on", False):
            return
        thread = threading.get_ident()
        mine = self._by_thread.get(thread)
        if mine is None and len(self._by_thread) == 1 and thread not in self._apart:
            mine = next(iter(self._by_thread.values()), None)
        if mine:
            self._muted.is_on = True  # a complaint about the log does not go into the log
            try:
                mine[-1].write(text)
            finally:
                self._muted.is_on = False

    def _install(self) -> Callable[[], None]:
        stdout, stderr = self._streams = (sys.stdout, sys.stderr)
        undo_logging = self._hear_records()
        sys.stdout, sys.stderr = (tee_of(each, self.write) for each in self._streams)

        def undo() -> None:
            sys.stdout, sys.stderr = stdout, stderr
            undo_logging()

        return undo

    def _hear_records(self) -> Callable[[], None]:
        """Let records of all levels come to a handler of ours, and to no other."""
        root, level = logging.root, logging.root.level
        others, handler, before = _handlers(), self._handler, self._before
        before.level = level
        for each in others:
            each.addFilter(before)
        root.addHandler(handler)
        if level > logging.DEBUG:
            root.setLevel(logging.DEBUG)

        def undo() -> None:
            root.removeHandler(handler)
            for each in others:
                each.removeFilter(before)
            if root.level != level:
                root.setLevel(level)

        return undo

    def _last_resort(self, record: logging.LogRecord) -> None:
        """What Python does with a record where nobody has set up logging."""
        last, stream = logging.lastResort, self._streams[1]
        if last is not None and stream is not None and record.levelno >= last.level:
            with suppress(Exception):  # as Python does: a broken terminal is no reason to fail
                stream.write(f"{last.format(record)}\n")


def _handlers() -> list[logging.Handler]:
    """All handlers that are set up."""
    loggers = [logging.root, *logging.root.manager.loggerDict.copy().values()]
    return [h for each in loggers if isinstance(each, logging.Logger) for h in each.handlers]


class _AsBefore(logging.Filter):
    """Keeps from the user's handlers what their loggers would have kept from them."""

    def __init__(self) -> None:
        super().__init__()
        self.level = logging.WARNING

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= self.level:
            return True
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None and logger is not logging.root:
            if logger.level:
                return True  # its own level has let the record pass, as before
            logger = logger.parent
        return False


class _RecordHandler(TaskLogHandler):
    """Writes records to the log; where nobody else hears them, does what Python would do."""

    def __init__(
        self, write: Callable[[str], None], last_resort: Callable[[logging.LogRecord], None]
    ) -> None:
        super().__init__(write)
        self._last_resort = last_resort

    def emit(self, record: logging.LogRecord) -> None:
        self._write(text_of(record))
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(each is not self for each in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        self._last_resort(record)


WATCH: Final = OutputWatch()
"""The only one of a process: streams and loggers are those of all its threads."""
