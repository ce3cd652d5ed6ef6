"""
Events as lines of JSON, written while a run goes on, and read by whoever wants to know about it.

Every process that writes has a file of its own, `events-<host>-<pid>.jsonl`, to which it only
appends whole lines: what a killed process has written can be read. Readers ignore a last line
without an end, events and fields they do not know, and lines that are no JSON.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import socket
import time
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from flowlib import events
from flowlib.configuration import settings
from flowlib.events import Event, RunEnded, RunStarted, TaskEvent, TaskRef
from stores import Owner
from stores.file_layout import encoded

SCHEMA: Final = 1
"""Stands in every `run_started`; fields and events may be added without another number."""

_PIDS: Final = 1 << 31
"""Numbers of processes are below this; a log that has another one is damaged."""

_PREFIX: Final = "events-"
_SUFFIX: Final = ".jsonl"


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


EVENTS: Final[Mapping[str, type[Event]]] = {
    _snake(name): each
    for name, each in vars(events).items()
    if isinstance(each, type) and issubclass(each, Event) and each not in (Event, TaskEvent)
}
"""The events by the names that lines have for them."""


def _parts(name: str, kind: type[Event]) -> tuple[list[str], Callable[[Event], tuple[Any, ...]]]:
    """The text before each field, and what gives the fields."""
    names = [field.name for field in fields(kind)]
    schema = f'"schema":{SCHEMA},' if kind is RunStarted else ""
    first = f'{{"event":"{name}",{schema}"{names[0]}":'
    return [first, *[f',"{each}":' for each in names[1:]]], attrgetter(*names)


_PARTS: Final = {kind: _parts(name, kind) for name, kind in EVENTS.items()}
_SCALARS: Final = {str: (str,), bool: (bool,), int: (int,), float: (float, int)}


def line_of(event: Event) -> str:
    """One line of ASCII without its end."""
    heads, values = _PARTS[type(event)]
    return "".join([f"{h}{_text(v)}" for h, v in zip(heads, values(event), strict=True)]) + "}"


def _text(value: Any) -> str:
    """A value as JSON; two events per task go through here, so the common ones go first."""
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is int or (kind is float and isfinite(value)):
        return repr(value)
    if kind is TaskRef:
        spec, name = quoted(value.spec), quoted(value.unique_name)
        key, label = quoted(value.key), quoted(value.label)
        return f'{{"spec":{spec},"unique_name":{name},"key":{key},"label":{label}}}'
    return _ENCODE(value)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


@lru_cache(maxsize=64)
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_ENCODE: Final = json.JSONEncoder(default=_plain, separators=(",", ":")).encode


def event_of(line: str | bytes) -> Event | None:
    """The event of a line; None if this flowlib cannot read it."""
    try:
        parts = json.loads(line)
        value = _rebuilt(EVENTS[parts["event"]], parts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return value if isinstance(value, Event) else None


@lru_cache(maxsize=64)
def _kinds(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name and type of each field, and whether it must be there."""
    hints = get_type_hints(kind)
    return tuple(
        (each.name, hints[each.name], each.default is MISSING and each.default_factory is MISSING)
        for each in fields(kind)
    )


def _rebuilt(kind: Any, parts: Mapping[str, Any]) -> object:
    return kind(
        **{
            name: _value(parts[name], hint)
            for name, hint, is_needed in _kinds(kind)
            if is_needed or name in parts
        }
    )


def _value(value: Any, hint: Any) -> Any:
    """A value from JSON as what a field holds.

    Raises:
        TypeError: it is something else.
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = next(each for each in get_args(hint) if each is not type(None))
        return None if value is None else _value(value, inner)
    if origin is tuple:
        return tuple([_value(each, get_args(hint)[0]) for each in value])
    if origin is not None:
        return {name: _value(each, get_args(hint)[1]) for name, each in value.items()}
    if is_dataclass(hint):
        return _rebuilt(hint, value)
    if type(value) not in _SCALARS.get(hint, (type(value),)):
        raise TypeError(f"{value!r} is no {hint}")
    return value


class EventWriter:
    """Appends events to the file of this process in the folder of a run.

    Every line that is not kept is with the kernel when `write` returns: no kill can lose it.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{_PREFIX}{encoded(socket.gethostname())}-{os.getpid()}{_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(folder / name, flags, 0o666)
        self._kept: list[str] = []

    def write(self, event: Event, *, keep: bool = False) -> None:
        """Append an event, or keep it for `flush`.

        Raises:
            OSError: the disk is full, say; part of the line may have been written.
        """
        self._kept.append(f"{line_of(event)}\n")
        if not keep:
            self.flush()

    def flush(self) -> None:
        """Append what was kept; raises as `write` does."""
        data = "".join(self._kept).encode()
        self._kept.clear()
        while data:
            data = data[os.write(self._descriptor, data) :]

    def show_life(self) -> None:
        """Tell readers on other hosts that this process lives, although nothing happens."""
        with contextlib.suppress(OSError):
            os.utime(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def event_files(folder: Path) -> list[str]:
    """The names of the files with the events of a run."""
    try:
        names = [each.name for each in folder.iterdir()]
    except OSError:
        return []
    return sorted(n for n in names if n.startswith(_PREFIX) and n.endswith(_SUFFIX))


class EventReader:
    """Reads the events of a run, also while it goes on.

    Args:
        folder: The folder of the run; it need not be there yet.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._offsets: dict[str, int] = {}

    def new(self) -> list[Event]:
        """What has been written since the last call, by time."""
        found = (event for name in event_files(self._folder) for event in self._read(name))
        return sorted(found, key=attrgetter("at"))

    def each(self) -> Iterator[Event]:
        """The same one by one: a long log is never in memory as a whole."""
        return heapq.merge(*map(self._read, event_files(self._folder)), key=attrgetter("at"))

    def silent_s(self) -> float:
        """For how long no process has written or shown that it lives."""
        found = []
        for name in event_files(self._folder):
            with contextlib.suppress(OSError):
                found.append((self._folder / name).stat().st_mtime)
        return time.time() - max(found, default=time.time())

    def _read(self, name: str) -> Iterator[Event]:
        with contextlib.suppress(OSError), (self._folder / name).open("rb") as file:
            file.seek(self._offsets.get(name, 0))
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offsets[name] = self._offsets.get(name, 0) + len(line)
                if (event := event_of(line)) is not None:
                    yield event


def read_events(folder: str | os.PathLike[str]) -> list[Event]:
    """All events of a run so far, by time."""
    return EventReader(folder).new()


def follow_events(
    folder: str | os.PathLike[str], pause_s: float = 0.2, stale_after_s: float | None = None
) -> Iterator[tuple[Event, ...]]:
    """The events of a run as they are written, first those that are there already.

    Ends after `RunEnded`, when the driver was killed on this host, or when one on another host has
    shown no sign of life. Where nothing new was written for `pause_s`, an empty tuple lets the
    caller do something else.

    Args:
        folder: The folder of the run.
        pause_s: Between two looks.
        stale_after_s: After how long without sign of life a run elsewhere was interrupted; None is
            the setting `stale_after_secs`.
    """
    limit_s = settings().stale_after_secs if stale_after_s is None else stale_after_s
    reader = EventReader(folder)
    driver: RunStarted | None = None
    while True:
        # asked before the last look
        has_died = driver is not None and is_gone(driver, reader.silent_s(), limit_s)
        found = tuple(reader.new())
        driver = next((e for e in reversed(found) if isinstance(e, RunStarted)), driver)
        yield found
        if has_died or any(isinstance(each, RunEnded) for each in found):
            return
        if not found:
            time.sleep(pause_s)


def is_gone(driver: RunStarted, silent_s: float, limit_s: float) -> bool:
    """Whether the process that runs a run has ended without saying so.

    Args:
        driver: What it said when it began.
        silent_s: For how long it has shown no sign of life.
        limit_s: After how long such a one elsewhere counts as gone.
    """
    if not 0 < driver.pid < _PIDS:
        return True
    if driver.boot_id:
        owner = Owner(driver.host, driver.boot_id, driver.pid, driver.process_start)
        is_alive = owner.is_alive()
        return silent_s > limit_s if is_alive is None else not is_alive
    if driver.host != socket.gethostname():
        return silent_s > limit_s
    try:
        os.kill(driver.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
