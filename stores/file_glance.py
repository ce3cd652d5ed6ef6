"""
Which records of a store of files ended last? What one look at its folders and its index tells.

It knows these few and how many there are, which is what the first page of a list shows. All others
it has compared with the index, and counted, but keeps nothing of them.
"""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from typing import Final

from stores.file_folders import RecordFolders
from stores.file_layout import Layout
from stores.file_lines import AppendedLines
from stores.file_marks import is_settled, was_settled
from stores.file_records import FileRecords, no_garbage
from stores.listing import Listing, Page
from stores.newest_lines import KEPT, NewestLines, late
from stores.record import Address

_ROUNDED_S: Final = 1e-6
"""Records have times that are rounded to this; some lines of an index have them as they were."""

_Late = tuple[float, Address]
"""When a record ended, as `late` has it."""


def is_first(wanted: Listing) -> bool:
    """Whether a glance tells what is asked for, if no store is odd."""
    is_newest = wanted.sort == "-when" and wanted.end <= KEPT
    return is_newest and wanted.task is None and wanted.states is None


class FileGlance:
    """A look at a store, taken when this is made.

    Args:
        layout: Where its records lie.
        records: Its records, for reading.
        seen: When folders were changed last, kept by the caller from one look to the next.
    """

    def __init__(self, layout: Layout, records: FileRecords, seen: dict[str, object]) -> None:
        self._layout, self._records = layout, records
        self._folders = RecordFolders(layout)
        self._newest: list[_Late] = []
        self._ends: list[_Late] = []
        """The last that is known of each task of which more are there."""
        self._count = 0
        self._unknown: list[Address] = []
        self._is_odd = False
        """Whether one file has two names, so that its number does not tell which record it is."""
        self._seen, self._looked = seen, time.monotonic()
        self._state = self._state_now()
        for folder, (time_ns, _) in self._state.items():
            is_settled(folder, time_ns, seen)
        with no_garbage():
            for task, folder in self._folders.of_tasks():
                with suppress(FileNotFoundError, NotADirectoryError):
                    self._look_into(task, folder)
        self._newest.sort()

    @property
    def age_s(self) -> float:
        """How long ago it was taken."""
        return time.monotonic() - self._looked

    def tells_most(self, few: int) -> bool:
        """Whether no more records than these have to be opened for a page beside its own."""
        return not self._is_odd and len(self._unknown) <= few

    def is_current(self, age_s: float) -> bool:
        """Whether nothing is seen to have changed since, and nothing can have that is older."""
        if self._state_now() != self._state:
            return False
        return self.age_s < age_s or all(
            was_settled(folder, time_ns, self._seen) for folder, (time_ns, _) in self._state.items()
        )

    def page(self, wanted: Listing) -> Page | None:
        """A first page; None if it is none, or a record says something else than the index."""
        self._open_unknown()
        known = [each for each in self._newest if all(each <= end for end in self._ends)]
        if self._ends and wanted.end > len(known):
            return None
        summaries = []
        for moment, address in known[wanted.offset : wanted.end]:
            summary, _ = self._records.listed(self._layout.record(address))
            if summary is None or not math.isclose(
                late(summary.ended_at), moment, rel_tol=0.0, abs_tol=_ROUNDED_S
            ):
                return None
            summaries.append(summary)
        return Page(summaries, self._count)

    def _look_into(self, task: str, folder: str) -> None:
        names = self._folders.files(folder)
        files = dict(names)
        self._is_odd |= len(files) < len(names)
        lines = NewestLines(files)
        for text in self._folders.texts(task, AppendedLines()):
            lines.take(text)
        lines.take_again(self._folders.texts(task, AppendedLines()))
        stems = lines.unknown()
        keys = [key for stem in stems if (key := self._folders.key_of(folder, stem)) is not None]
        self._unknown += [Address(task, key) for key in keys]
        self._count += len(files) - len(stems)
        newest, is_all = lines.first()
        self._newest += [(moment, Address(task, key)) for moment, key in newest]
        if not is_all:
            last = newest[-1] if newest else (-math.inf, "")
            self._ends.append((last[0], Address(task, last[1])))

    def _open_unknown(self) -> None:
        for address in self._unknown:
            summary, _ = self._records.listed(self._layout.record(address))
            if summary is not None:
                self._newest.append((late(summary.ended_at), address))
                self._count += 1
        if self._unknown:
            self._newest.sort()
            self._unknown = []

    def _state_now(self) -> dict[str, tuple[int, dict[str, int]]]:
        """The time of each folder and the sizes of its index: they change with the records."""
        state = {}
        for task, folder in self._folders.of_tasks():
            try:
                time_ns = os.stat(folder).st_mtime_ns
                sizes = {path: os.stat(path).st_size for path in self._folders.index(task)}
            except (FileNotFoundError, NotADirectoryError):
                continue
            state[folder] = time_ns, sizes
        return state
