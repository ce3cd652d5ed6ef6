"""
Which records of a file store stand on one page of a list? Told by its index, not by opening all.

Each look takes the lines that were appended to the index since the last one. Where the folder of a
task was changed, its names are compared with what is known: who is gone is forgotten, and a record
that the index does not know, or whose file has another number, is opened. Those on the page are
opened anyway; what they say counts.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from stores.file_layout import SUFFIX, Layout
from stores.file_lines import AppendedLines
from stores.file_marks import is_settled, told_task
from stores.file_records import FileRecords, address_in
from stores.index_entry import Listed, listed_in
from stores.listed_rows import ListedRows, Place, narrow
from stores.listing import Listing, Page
from stores.record import Address
from stores.summary import Summary

_FEW: Final = 1_000
"""So many records are opened for a page, beside its own."""

_TRIES: Final = 5
"""Records of a page that were replaced while it was made may belong on another one."""

_PATIENCE_S: Final = 1.0
"""Who asks whether pages are quick waits so long for another thread that opens thousands."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Known:
    """What this process knows of the folders.

    Attributes:
        rows: The records that are known.
        pid: The process.
        lines: How far the index was read.
        seen: When folders were changed last.
        tasks: The task of each folder that does not tell it by its name.
        odd: The addresses that records tell, where the names of their files do not.
        there: The tasks that had a folder at the last look.
        unknown: The files by task and key that have to be opened.
    """

    rows: ListedRows | None = None
    pid: int = field(default_factory=os.getpid)
    lines: AppendedLines = field(default_factory=AppendedLines)
    seen: dict[str, object] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    odd: dict[str, Address] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    unknown: dict[str, dict[str, str]] = field(default_factory=dict)


class FileListing:
    """The pages of one store. Any number of threads may ask.

    Args:
        layout: Where its records lie.
        records: Its records, for reading.
    """

    def __init__(self, layout: Layout, records: FileRecords) -> None:
        self._layout, self._records = layout, records
        self._lock = threading.Lock()
        self._known = _Known()

    @property
    def is_quick(self) -> bool:
        """Whether the index knows nearly all records, so that few are opened for a page."""
        if not self._lock.acquire(timeout=_PATIENCE_S):
            return False
        try:
            return self._answer(self._knows_most) or False
        finally:
            self._lock.release()

    def page(self, wanted: Listing) -> Page | None:
        """One page; None if this Python, or this machine, has no room for its table."""
        with self._lock:
            return self._answer(lambda: self._page(wanted))

    def close(self) -> None:
        """Give back the room of the table; harmless when called twice."""
        with self._lock:
            self._forget()

    def _answer(self, ask: Callable[[], _Answer]) -> _Answer | None:
        if self._known.pid != os.getpid():  # a table is for one process
            self._known = _Known()
        try:
            return ask()
        except BaseException as error:  # nobody knows what the table has: it is made again
            self._forget()
            if isinstance(error, sqlite3.Error):
                return None
            raise

    def _forget(self) -> None:
        known, self._known = self._known, _Known()
        if known.rows is not None and known.pid == os.getpid():
            known.rows.close()

    def _knows_most(self) -> bool:
        self._look()
        return sum(map(len, self._known.unknown.values())) <= _FEW

    def _page(self, wanted: Listing) -> Page:
        rows = self._look()
        for task, unknown in self._known.unknown.items():
            for key, path in unknown.items():
                self._open(rows, Address(task, key), path)
        self._known.unknown.clear()
        for _ in range(_TRIES):
            places, total = rows.page(wanted)
            shown = [self._shown(rows, place) for place in places]
            if all(is_same for _, is_same in shown):
                break
        return Page([each for each, _ in shown if each is not None], total)

    def _shown(self, rows: ListedRows, place: Place) -> tuple[Summary | None, bool]:
        """What a record says, and whether it is the one that belongs there."""
        summary, found = self._open(rows, place.address, self._layout.record(place.address), place)
        return summary, summary is not None and found == place.file

    def _open(
        self, rows: ListedRows, address: Address, path: str, place: Place | None = None
    ) -> tuple[Summary | None, tuple[int, int, int] | None]:
        """What a record says, which is noted if it is not known yet; and its file."""
        summary, stat = self._records.listed(path)
        if stat is None:
            rows.drop(address.task, [address.key])
            return None, None
        file = narrow(stat.st_ino), stat.st_size, stat.st_mtime_ns
        if place is None or summary is None or file != place.file:
            state, started, ended = (
                (None, None, None)
                if summary is None
                else (summary.state, summary.started, summary.ended)
            )
            rows.put(address.task, Listed(address.key, *file, state, started, ended))
        return summary, file

    # -- what has changed ----------------------------------------------------------------

    def _look(self) -> ListedRows:
        """Take what has changed since the last look; some records are not known then."""
        if self._known.rows is None:
            self._known.rows = ListedRows()
        rows, there = self._known.rows, set[str]()
        for folder in self._layout.task_folders():
            try:
                time_ns = os.stat(folder).st_mtime_ns
                task = self._task_of(folder)
                if task is None:
                    continue
                there.add(task)
                is_same = is_settled(folder, time_ns, self._known.seen)
                if self._new_lines(rows, task) or not is_same:
                    self._compare(rows, task, folder)
            except (FileNotFoundError, NotADirectoryError):
                continue
        for task in self._known.there - there:
            rows.drop_task(task)
            self._known.unknown.pop(task, None)
        self._known.there = there
        return rows

    def _task_of(self, folder: str) -> str | None:
        task = self._known.tasks.get(folder) or self._layout.task_of(folder)
        if task is None and (task := told_task(folder, address_in)) is not None:
            self._known.tasks[folder] = task
        return task

    def _new_lines(self, rows: ListedRows, task: str) -> bool:
        """Take the new lines of the index of a task; whether they told something new."""
        folder, count = self._layout.index(task), 0
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return False
        for name in names:
            if name.endswith(".jsonl"):
                for text in self._known.lines.texts(f"{folder}/{name}"):
                    count += rows.add(task, listed_in(text))
        return count > 0

    def _compare(self, rows: ListedRows, task: str, folder: str) -> None:
        """Forget who is gone; note who is new, or has another file than the one that is known."""
        known = dict(rows.inodes(task))
        unknown = {}
        for key, inode, name in self._names(folder):
            if known.pop(key, None) != inode:
                unknown[key] = f"{folder}/{name}"
        rows.drop(task, known)
        self._known.unknown[task] = unknown

    def _names(self, folder: str) -> Iterator[tuple[str, int, str]]:
        """Key, inode and name of each record in the folder of a task."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX):
                    key = self._key_of(entry.name, entry.path)
                    if key is not None:
                        yield key, narrow(entry.inode()), entry.name

    def _key_of(self, name: str, path: str) -> str | None:
        key = self._layout.key_of(name)
        if key is not None:
            return key
        if path not in self._known.odd:
            address = address_in(path)
            if address is None:
                return None
            self._known.odd[path] = address
        return self._known.odd[path].key
