"""
Which records of a file store stand on one page of a list? Told by its index, not by opening all.

The first pages are those of a glance, which keeps nothing of other records. All others are those of
a table: its first look lists each folder, and takes of its index what is about the files there. A
later one takes the lines that were appended since; where the folder was changed, its names are
compared with what is known. Who is gone is forgotten, and a record that the index does not know, or
whose file has another number, is opened. Those on the page are opened anyway; what they say counts.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from itertools import chain
from typing import Final, TypeVar

from stores.file_folders import RecordFolders
from stores.file_glance import FileGlance, is_first
from stores.file_layout import Layout
from stores.file_lines import AppendedLines
from stores.file_marks import is_settled
from stores.file_records import FileRecords
from stores.fitting_lines import FittingLines
from stores.index_entry import ListedParts, listed_in, narrow, stamp_of
from stores.lazy_dataclass import dataclass
from stores.listed_rows import ListedRows, Place
from stores.listing import Listing, Page
from stores.record import Address
from stores.summary import Summary

_FEW: Final = 1_000
"""So many records are opened for a page, beside its own."""

_TRIES: Final = 5
"""Records of a page that were replaced while it was made may belong on another one."""

_PATIENCE_S: Final = 1.0
"""Who asks whether pages are quick waits so long for another thread that opens thousands."""

_LAST_LOOK_S: Final = 5.0
"""So long the last look tells whether pages are quick: who asks that asks for one next."""

_MOST_GLANCES: Final = 3
"""Who looks more often while records come is quicker with a table: it learns what has changed."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Known:
    """What this process knows of the folders.

    Attributes:
        folders: Where the records lie.
        rows: The records that are known.
        pid: The process.
        looked: When the last look ended, by the clock of this process.
        lines: How far the index of each task was read.
        listed: Which time its folder bore when its names were listed, and when that was.
        seen: When folders were changed last.
        unknown: The keys of each task that have to be opened; none is among the rows.
        glance: What the last first look told, as long as there are no rows.
        glances: How many looks were such ones.
    """

    folders: RecordFolders
    rows: ListedRows | None = None
    pid: int = field(default_factory=os.getpid)
    looked: float = -math.inf
    lines: dict[str, AppendedLines] = field(default_factory=dict)
    listed: dict[str, tuple[int, float]] = field(default_factory=dict)
    seen: dict[str, object] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    glance: FileGlance | None = None
    glances: int = 0


class FileListing:
    """The pages of one store. Any number of threads may ask.

    Args:
        layout: Where its records lie.
        records: Its records, for reading.
    """

    def __init__(self, layout: Layout, records: FileRecords) -> None:
        self._layout, self._records = layout, records
        self._lock = threading.Lock()
        self._known = self._nothing()

    def _nothing(self) -> _Known:
        return _Known(RecordFolders(self._layout))

    @property
    def is_quick(self) -> bool:
        """Whether the index knows nearly all records, so that few are opened for a page."""
        lock = self._own_lock()
        if not lock.acquire(timeout=_PATIENCE_S):
            return False
        try:
            return self._answer(self._knows_most) or False
        finally:
            lock.release()

    def page(self, wanted: Listing) -> Page | None:
        """One page; None if this Python, or this machine, has no room for its table."""
        with self._own_lock():
            return self._answer(lambda: self._page(wanted))

    def close(self) -> None:
        """Give back the room of the table; harmless when called twice."""
        with self._own_lock():
            self._forget()

    def _own_lock(self) -> threading.Lock:
        """That of this process, which begins with nothing: a table is for one.

        Another thread may have held the lock when this process forked.
        """
        if self._known.pid != os.getpid():
            self._lock, self._known = threading.Lock(), self._nothing()
        return self._lock

    def _answer(self, ask: Callable[[], _Answer]) -> _Answer | None:
        try:
            return ask()
        except BaseException as error:  # nobody knows what the table has: it is made again
            self._forget()
            import sqlite3  # few runs list records

            if isinstance(error, sqlite3.Error):
                return None
            raise

    def _forget(self) -> None:
        known, self._known = self._known, self._nothing()
        if known.rows is not None:
            known.rows.close()

    def _knows_most(self) -> bool:
        known = self._known
        if known.rows is None:
            is_recent = known.glance is not None and known.glance.age_s < _LAST_LOOK_S
            glance = known.glance if is_recent else self._glance(math.inf)
            if glance is not None and glance.tells_most(_FEW):
                ListedRows().close()  # all pages but the first ones need a table
                return True
        if time.monotonic() - known.looked > _LAST_LOOK_S:
            self._look(_LAST_LOOK_S)
        return sum(map(len, known.unknown.values())) <= _FEW

    def _page(self, wanted: Listing) -> Page:
        if self._known.rows is None and is_first(wanted):
            glance = self._glance(wanted.age_s)
            if glance is not None and glance.tells_most(_FEW):
                found = glance.page(wanted)
                if found is not None:
                    return found
        return self._page_of_all(wanted)

    def _glance(self, age_s: float) -> FileGlance | None:
        """A look that is no older; None if there were too many."""
        known = self._known
        if known.glance is None or not known.glance.is_current(age_s):
            if known.glances >= _MOST_GLANCES:
                return None
            known.glance = FileGlance(self._layout, self._records, known.seen)
            known.glances += 1
        return known.glance

    def _page_of_all(self, wanted: Listing) -> Page:
        rows = self._look(wanted.age_s)
        for task, unknown in self._known.unknown.items():
            rows.fill(task, self._opened(task, unknown))
        self._known.unknown.clear()
        for _ in range(_TRIES):
            places, total = rows.page(wanted)
            shown = [self._shown(rows, place) for place in places]
            if all(is_same for _, is_same in shown):
                break
        return Page([each for each, _ in shown if each is not None], total)

    def _opened(self, task: str, keys: Iterable[str]) -> Iterator[ListedParts]:
        """What records say that the index does not know."""
        for key in keys:
            summary, file = self._records.listed(self._layout.record(Address(task, key)))
            if file is not None:
                yield _listed(key, file, summary)

    def _shown(self, rows: ListedRows, place: Place) -> tuple[Summary | None, bool]:
        """What a record says, and whether it is the one that belongs there; it is noted if not."""
        task, key = place.address.task, place.address.key
        summary, file = self._records.listed(self._layout.record(place.address))
        if file is None:
            rows.drop(task, [key])
            return None, False
        found = _listed(key, file, summary)
        is_same = summary is not None and found[1:3] == place.file
        if not is_same:
            rows.put(task, found)
        return summary, is_same

    # -- what has changed ----------------------------------------------------------------

    def _look(self, age_s: float) -> ListedRows:
        """Take what has changed since the last look; some records are not known then.

        A folder that bears the time that it had is not listed again if it was so many seconds ago.
        """
        known = self._known
        if known.rows is None:
            known.rows, known.glance = ListedRows(), None
        rows, there = known.rows, set[str]()
        for task, folder in known.folders.of_tasks():
            try:
                self._look_into(rows, task, folder, age_s)
                there.add(task)
            except (FileNotFoundError, NotADirectoryError):
                continue
        for task in known.lines.keys() - there:
            rows.drop_task(task)
            known.unknown.pop(task, None)
            del known.lines[task]
        known.looked = time.monotonic()
        return rows

    def _look_into(self, rows: ListedRows, task: str, folder: str, age_s: float) -> None:
        known, began, time_ns = self._known, time.monotonic(), os.stat(folder).st_mtime_ns
        last_ns, listed = known.listed.get(task, (None, -math.inf))
        # whoever asks whether it is settled looks next: it is noted as the time of a look
        is_same = last_ns == time_ns and began - listed < age_s
        is_same = is_same or is_settled(folder, time_ns, known.seen)
        if task not in known.lines:
            known.lines[task] = AppendedLines()
            self._take(rows, task, folder)
        else:
            if not self._new_lines(rows, task) and is_same:
                return
            self._compare(rows, task, folder)
        known.listed[task] = time_ns, began

    def _new_texts(self, task: str) -> Iterator[str]:
        return self._known.folders.texts(task, self._known.lines[task])

    def _take(self, rows: ListedRows, task: str, folder: str) -> None:
        """Take the index of a task of which nothing is known, as far as it fits its files."""
        lines = FittingLines(self._known.folders.inodes(folder))
        picked = (lines.of(listed_in(text)) for text in self._new_texts(task))
        rows.fill(task, chain.from_iterable(picked))
        outdated = lines.outdated()
        rows.drop(task, outdated)
        self._known.unknown[task] = lines.missing() + outdated

    def _new_lines(self, rows: ListedRows, task: str) -> bool:
        """Take the new lines of the index of a task; whether they told something new."""
        return sum([rows.add(task, listed_in(text)) for text in self._new_texts(task)]) > 0

    def _compare(self, rows: ListedRows, task: str, folder: str) -> None:
        """Forget who is gone; note who is new, or has another file than the one that is known."""
        left, gone = self._known.folders.inodes(folder), []
        for key, inode in rows.inodes(task):
            if left.get(key) == inode:
                del left[key]
            else:
                gone.append(key)
        rows.drop(task, gone)
        self._known.unknown[task] = [*left]


def _listed(key: str, file: os.stat_result, summary: Summary | None) -> ListedParts:
    """What a list has to know of a record that was opened."""
    place = key, narrow(file.st_ino), stamp_of(file.st_size, file.st_mtime_ns)
    if summary is None:
        return *place, None, None, None
    return *place, summary.state, summary.started, summary.ended
