"""Which tasks do the fault tests run? Importable, so that worker processes find them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

from flowlib import Task


def note(log: str, text: str) -> None:
    """Append one line to `log`; several processes may do so at once."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)


def noted(log: Path) -> list[str]:
    """The lines of `log`, in the order in which they were written."""
    return log.read_text().splitlines() if log.exists() else []


def payload(x: int) -> bytes:
    """Bytes that are too many for a record, different for each x."""
    return f"{x:08d}".encode() * 2500


class Make(Task):
    """Saves a small value and a file, and notes who ran it."""

    def __init__(self, x: int, log: str, pause_s: float = 0.0) -> None:
        self.x, self.log, self.pause_s = x, log, pause_s

    def run(self) -> None:
        """Note, work, save."""
        note(self.log, f"Make {self.x} {os.getpid()}")
        time.sleep(self.pause_s)
        self.save(payload(self.x), "data")
        self.save(self.x * self.x, "square")


class Use(Task):
    """Reads what one `Make` saved."""

    def __init__(self, log: str, pause_s: float = 0.0) -> None:
        self.log, self.pause_s = log, pause_s

    def run(self, data: bytes, square: int) -> dict[str, object]:
        """Check the input and pass it on."""
        x = int(data[:8])
        note(self.log, f"Use {x} {os.getpid()}")
        time.sleep(self.pause_s)
        assert data == payload(x)
        assert square == x * x
        return {"total": square + len(data), "copy": data[::-1]}


class OddError(Exception):
    """Its constructor takes what its arguments do not tell."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"odd {code}: {reason}")


class LockedError(Exception):
    """Cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("holds a lock")
        self.lock = threading.Lock()


class MuteError(Exception):
    """Cannot even be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class WordedError(Exception):
    """Its message is of a class that no other process knows."""

    def __str__(self) -> str:
        return _local_text("words of its own")


def _local_text(text: str) -> str:
    class Text(str):
        __slots__ = ()

    return Text(text)


class AbortError(BaseException):
    """Is no Exception."""


def _raise(error: BaseException) -> None:
    raise error


ENDINGS = {
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(4),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "segfault": lambda: ctypes.string_at(0),
    "odd": lambda: _raise(OddError(7, reason="strange")),
    "locked": lambda: _raise(LockedError()),
    "mute": lambda: _raise(MuteError()),
    "worded": lambda: _raise(WordedError()),
    "base": lambda: _raise(AbortError("a BaseException")),
    "unpicklable": lambda: {"value": threading.Lock()},
    "recursion": lambda: _recurse(0),
}
"""What the task does instead of returning a value."""


def _recurse(depth: int) -> int:
    return _recurse(depth + 1) + 1


class Misbehave(Task):
    """Ends as its parameter says; None means well."""

    def __init__(self, x: int, how: str | None, log: str) -> None:
        self.x, self.how, self.log = x, how, log

    def run(self) -> object:
        """End."""
        note(self.log, f"{self.x}")
        if self.how is None:
            return {"value": self.x}
        return ENDINGS[self.how]()


def names_oddly(x: int) -> dict[str, int]:
    """Return a value under a text of a class of its own."""
    return {_local_text("odd"): x}


class FailsFirst(Task):
    """Kills its process at its first attempt, and is well at the second."""

    def __init__(self, x: int, log: str) -> None:
        self.x, self.log = x, log

    def run(self) -> dict[str, int]:
        """Count the lines of the log."""
        note(self.log, "run")
        if len(noted(Path(self.log))) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"value": self.x}


class Hogs(Task):
    """Holds the interpreter lock, so that no thread of its process gets a word in."""

    def __init__(self, log: str) -> None:
        self.log = log

    def run(self) -> None:
        """Sleep in C without releasing the lock."""
        note(self.log, f"Hogs {os.getpid()}")
        ctypes.PyDLL(None).sleep(60)


class KillsItself(Task):
    """Is killed at a named step of its attempt; the steps are patched in by the script."""

    def __init__(self, x: int, log: str) -> None:
        self.x, self.log = x, log

    def run(self) -> dict[str, object]:
        """Note and return a file and a small value."""
        note(self.log, f"{self.x}")
        return {"data": payload(self.x), "square": self.x * self.x}
