"""How do log records of tasks reach the log of the task, and the handlers of the driver?"""

from __future__ import annotations

import logging
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from stores.lazy_dataclass import dataclass

_FORMAT: Final = logging.Formatter(
    "%(asctime)s %(levelname)-8s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S"
)
_OF_PROCESS: Final = ("args", "exc_info", "msg", "message", "asctime")


def text_of(record: logging.LogRecord) -> str:
    """A record as lines for a log; it never fails, whatever the record holds."""
    try:
        return f"{_FORMAT.format(record)}\n"
    except Exception as error:  # noqa: BLE001  # arguments that do not fit, a broken __str__
        return f"{record.levelname} {record.name}: {_unformatted(record, error)}\n"


def _unformatted(record: logging.LogRecord, error: Exception) -> str:
    return f"{_safe(record.msg)} {_safe(record.args)} (cannot be formatted: {_safe(error)})"


def _safe(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  # the user's __repr__
        return f"<{type(value).__name__}>"


class TaskLogHandler(logging.Handler):
    """Gives the text of every record to a function.

    Args:
        write: Takes the text; it must not fail and must not log.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(text_of(record))


def levels_here() -> dict[str, int]:
    """The levels that loggers of this process were given, by name; the root's is at ``""``."""
    known = logging.root.manager.loggerDict
    given = {
        name: logger.level
        for name, logger in known.copy().items()
        if isinstance(logger, logging.Logger) and logger.level
    }
    return {"": logging.root.level, **given}


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """A log record of another process, as plain data.

    Attributes:
        name: Name of the logger.
        fields: The attributes of the record; its message is complete.
        extras: What the user's program has added to the record, pickled one by one.
    """

    name: str
    fields: Mapping[str, object]
    extras: Mapping[str, bytes]

    def handle(self) -> None:
        """Have it handled here as if it had been logged here. Never fails."""
        try:
            logger = _nearest(self.name)
            level = self.fields.get("levelno", 0)
            if isinstance(level, int) and logger.isEnabledFor(level):
                logger.handle(self._record())
        except Exception:  # noqa: BLE001  # the user's handlers and filters may do anything
            _complain()

    def _record(self) -> logging.LogRecord:
        values = dict(self.fields)
        for name, data in self.extras.items():
            try:
                values[name] = pickle.loads(data)  # noqa: S301  # from a worker of this run
            except Exception:  # noqa: BLE001, PERF203  # the user's class; the rest is shown
                values[name] = "<cannot be unpickled>"
        return logging.makeLogRecord(values)


def _nearest(name: str) -> logging.Logger:
    """The logger of this name, or the one above it that is there: none is made."""
    known = logging.root.manager.loggerDict
    found = (known.get(each) for each in _above(name))
    return next((each for each in found if isinstance(each, logging.Logger)), logging.root)


def _complain() -> None:
    if logging.raiseExceptions and sys.stderr is not None:
        sys.stderr.write("a log record of a worker could not be handled:\n")
        traceback.print_exc()


class ForwardHandler(logging.Handler):
    """Sends the records to the driver that its loggers would let pass.

    Args:
        send: Sends a message to the driver; may raise OSError when it is gone.
        levels: What `levels_here` gave there.
    """

    def __init__(self, send: Callable[[bytes], None], levels: Mapping[str, int]) -> None:
        super().__init__(logging.DEBUG)
        self._send = send
        self._levels = levels
        self._known: dict[str, int] = {}
        self._pid = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < self._level(record.name) or os.getpid() != self._pid:
            return  # a child that the task has forked must not write into the pipe
        with suppress(OSError):  # the driver is gone, and this process will be soon
            self._send(pickle.dumps(_remote(record), protocol=5))

    def _level(self, name: str) -> int:
        level = self._known.get(name)
        if level is None:
            if len(self._known) > 1000:  # names that are made up as the program runs
                self._known.clear()
            above = next((each for each in _above(name) if each in self._levels), "")
            level = self._known[name] = self._levels.get(above, logging.WARNING)
        return level


def _above(name: str) -> Iterator[str]:
    """A logger and those above it, from the inside out."""
    while name:
        yield name
        name = name.rpartition(".")[0]


_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _remote(record: logging.LogRecord) -> RemoteRecord:
    values = vars(record)
    fields: dict[str, object] = {}
    for name in _STANDARD.difference(_OF_PROCESS):
        value = values.get(name)
        if isinstance(value, str):
            fields[name] = str.__str__(value)  # also of a class of its own, as names have
        elif type(value) in (int, float):
            fields[name] = value
    fields["msg"] = _message(record)
    if record.exc_info and not record.exc_text:
        fields["exc_text"] = _exception(record)
    extras = {}
    for name in values.keys() - _STANDARD:
        try:
            extras[name] = pickle.dumps(values[name])
        except Exception:  # noqa: BLE001, PERF203  # the user's objects
            extras[name] = pickle.dumps(_safe(values[name]))
    return RemoteRecord(record.name, fields, extras)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  # arguments that do not fit, a broken __str__
        return _unformatted(record, error)


def _exception(record: logging.LogRecord) -> str:
    try:
        return _FORMAT.formatException(record.exc_info)  # type: ignore[arg-type]  # it is there
    except Exception as error:  # noqa: BLE001  # formatting calls the user's __str__
        return _safe(error)
