"""
Where does the output of a worker process go? Into the log of the task that it runs.

Descriptors 1 and 2 lead to a file, so that C code and child processes are heard as well, and
nothing ever waits for a reader. The file has no task yet when it is made,

    workers/w1-<pid>.part   ->   logs/Train-9a7a08b2.log

and gets the name of the task when something is in it, at the end of the task or within a moment of
its first line. A task that prints nothing leaves it to the next one: it costs no file.
"""

from __future__ import annotations

import faulthandler
import importlib
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Final

from flowlib.driver_pipe import DriverPipe
from flowlib.log_files import LogFile, append_file
from flowlib.log_records import ForwardHandler, TaskLogHandler
from flowlib.run_folders import WORKERS
from flowlib.task_output import OutputPlace, Outputs, TaskOutput, no_outputs

_LOOK_S: Final = 0.25
"""How long a running task's first lines may wait for their name, and a log may be too large."""

_CHUNK_BYTES: Final = 1 << 20

_log = logging.getLogger("flowlib")


def part_of(folder: Path, index: int, pid: int) -> Path:
    """The file with the output of a worker that has no name yet."""
    return folder / WORKERS / f"w{index + 1}-{pid}.part"


def take_output(
    pipe: DriverPipe, index: int, place: OutputPlace | None, levels: Mapping[str, int]
) -> Outputs:
    """Send log records of this process to the driver, and take what else it says.

    The handlers that it has by now are the driver's own: there they hear the records.

    Args:
        pipe: Leads to the driver.
        index: Number of the worker, from 0.
        place: Where output goes; None leaves it as it is.
        levels: Of the driver's loggers.
    """
    forward = ForwardHandler(pipe.send, levels)
    for logger in logging.root.manager.loggerDict.copy().values():
        if isinstance(logger, logging.Logger) and logger.handlers:
            logger.handlers = [] if logger.propagate else [forward]
    logging.root.handlers[:] = [forward]
    logging.root.setLevel(logging.DEBUG)
    if place is None:
        return no_outputs
    try:
        return WorkerOutput(place, index).of
    except OSError as error:
        _log.warning("the output of tasks cannot be kept in %s: %s", place.folder, error)
        return no_outputs


class WorkerOutput:
    """Takes all output of this process.

    Args:
        place: Where it goes.
        index: Number of the worker, from 0.

    Raises:
        OSError: no file can be made there.
    """

    def __init__(self, place: OutputPlace, index: int) -> None:
        self._place = place
        self._index = index
        self._lock = threading.RLock()
        self._name = ""
        self._is_named = False
        self._shown_bytes = 0
        self._is_in_task = False
        self._is_watched = threading.Event()
        self._file = self._new_file()
        self._followed: LogFile | None = None
        if place.is_followed:
            self._followed = LogFile(place.folder / WORKERS / f"w{index + 1}.log")
        sys.stdout, sys.stderr = _stream(1, "<stdout>"), _stream(2, "<stderr>")
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]  # as they are now
        self._take_descriptors()
        faulthandler.enable(2)  # a crash in C code leaves a traceback in the log
        logging.root.addHandler(TaskLogHandler(self._write))
        threading.Thread(target=self._watch, name="task log", daemon=True).start()

    def of(self, name: str) -> AbstractContextManager[TaskOutput]:
        """Take the output of a task.

        Args:
            name: Of its log, below the folder of the run.
        """
        return _FiledOutput(self, name)

    @property
    def place(self) -> str:
        """How a record names the log of the task that has ended; empty if nothing is in it."""
        return f"{self._place.recorded}/{self._name}" if self._is_named else ""

    def write(self, text: str) -> None:
        """Append to the log, after all that the task has printed."""
        _flush()
        self._write(text)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a full disk is no reason to fail
            self._file.write(text)

    def begin(self, name: str) -> None:
        """A task begins, whose log has this name."""
        if self._is_named:  # the file belongs to the task before
            with self._lock, suppress(OSError):
                last, self._file = self._file, self._new_file()
                last.close()
            self._take_descriptors()
        self._name = name
        if logging.root.level > logging.DEBUG:  # an import has set it
            logging.root.setLevel(logging.DEBUG)
        self._is_in_task = True
        if not self._is_watched.is_set():
            self._is_watched.set()

    def end(self) -> None:
        """The task has ended."""
        self._is_in_task = False
        _flush()
        self._take_descriptors()  # what opens a file next must not get their numbers
        self._look()

    def _take_descriptors(self) -> None:
        """Also when a task has closed them."""
        for number in (1, 2):
            os.dup2(self._file.descriptor, number)

    def _new_file(self) -> LogFile:
        path = part_of(self._place.folder, self._index, os.getpid())
        path.parent.mkdir(exist_ok=True)
        file = LogFile(path, self._place.limit)
        self._is_named, self._shown_bytes = False, 0
        return file

    def _watch(self) -> None:
        while self._is_watched.wait():
            time.sleep(_LOOK_S)
            self._is_watched.clear()  # first: a task that begins now sets it again
            if not self._is_in_task:
                continue
            self._is_watched.set()
            importlib.import_module("ctypes")  # a task that takes its time may call C code
            _flush_c()
            self._look()

    def _look(self) -> None:
        """Name the file if there is something in it; show what is new; cut it if it is large."""
        with self._lock, suppress(OSError):
            size = self._file.size
            if size and self._name and not self._is_named:
                self._file.move(self._place.folder / self._name)
                self._is_named = True
                self._take_descriptors()  # there may have been a log of that name
            if size and self._followed is not None:
                self._show(self._followed)
            if self._file.cut(size):
                self._shown_bytes = self._file.size

    def _show(self, followed: LogFile) -> None:
        """Copy what is new to the file that somebody follows."""
        with self._file.path.open("rb") as file:
            file.seek(self._shown_bytes)
            while chunk := file.read(_CHUNK_BYTES):
                os.write(followed.descriptor, chunk)
                self._shown_bytes += len(chunk)
        followed.cut()


class _FiledOutput(TaskOutput, AbstractContextManager[TaskOutput]):
    """The output of the task that the process runs, while it is entered."""

    def __init__(self, output: WorkerOutput, name: str) -> None:
        self._output = output
        self._name = name

    def __enter__(self) -> TaskOutput:
        self._output.begin(self._name)
        return self

    def __exit__(self, *error: object) -> None:
        self._output.end()

    @property
    def place(self) -> str:  # type: ignore[override]  # known when there is something
        """How the record names the log."""
        return self._output.place

    def write(self, text: str) -> None:
        self._output.write(text)


def claim_output(place: OutputPlace, index: int, pid: int, name: str, last_words: str) -> str:
    """Give the output of a worker that has died to the task it ran, and say how it died.

    Never fails: a log is no reason to.

    Returns:
        How the record names the log; empty if it could not be written.
    """
    try:
        log, part = place.folder / name, part_of(place.folder, index, pid)
        log.parent.mkdir(exist_ok=True)
        end = LogFile(log, place.limit)
        if part.exists():
            append_file(part, log)
            part.unlink()
        end.cut()
        end.write(last_words)
        end.close()
    except OSError as error:
        _log.warning("the output of a worker cannot be kept in %s: %s", place.folder, error)
        return ""
    return f"{place.recorded}/{name}"


def drop_part(place: OutputPlace, index: int, pid: int) -> None:
    """A worker has ended: remove its file without a name, if nothing is in it."""
    with suppress(OSError):
        part = part_of(place.folder, index, pid)
        if not part.stat().st_size:
            part.unlink()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105  # twice for every task
            stream.flush()
        except Exception:  # noqa: BLE001, S110  # replaced or closed by the task
            pass
    _flush_c()


def _flush_c() -> None:
    """Write what C code has printed and keeps in its buffer.

    Where nobody has loaded ctypes, as numpy does, there is hardly such code, and no way to ask.
    """
    loaded: Any = sys.modules.get("ctypes")
    if loaded is not None:
        with suppress(Exception):  # being loaded just now, or no C library of that kind
            loaded.pythonapi.fflush(None)


class _Descriptor(io.RawIOBase):
    """Writes to a descriptor; when the disk is full, what a task prints is lost, not the task."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return False

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]  # bytes of some kind
        with suppress(OSError):
            return os.write(self._number, view)
        return view.nbytes


def _stream(number: int, name: str) -> io.TextIOWrapper:
    """A text stream like those that Python starts with; it encodes any text."""
    raw = _Descriptor(number)
    raw.name = name  # type: ignore[attr-defined]  # streams of Python have one
    return io.TextIOWrapper(
        io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True
    )
