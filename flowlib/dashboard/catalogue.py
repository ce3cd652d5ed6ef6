"""Every record of a store in memory, kept up to date by reading only what has changed."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from flowlib.bulk import paused_collection, settle
from flowlib.dashboard.rows import Row
from flowlib.dashboard.shared import Shared
from stores import Address, RecordTooNew, ResultsStore, StoreError
from stores.summary import summary_of

_log = logging.getLogger("flowlib")

_LEAST_PAUSE_S: Final = 1.0
_COST_FACTOR: Final = 5.0
"""A look that takes long is taken less often: a fifth of one processor at most."""

_QUICK_S: Final = 0.1
"""Whoever asks for a page waits for a look that took no longer than this the last time."""

_STEP_S: Final = 0.05
"""Who waits for the first look hears so soon that it has failed."""

_ASIDE_S: Final = 1.0
"""Nobody who goes first keeps the reading waiting longer, record by record."""

_FEW: Final = 64
_BULK: Final = 5_000
"""So many new rows are much, and stay."""

Tasks = Mapping[str, Mapping[str, Row]]
"""The rows by task and key; never changed, but replaced."""


class Catalogue:
    """The rows of a store. Any number of threads may ask.

    Args:
        store: It is only read.

    Attributes:
        tasks: The rows of all records that can be read.
        version: Counts up with every change of them.
        read: How many records were read so far by the look that goes on.
        failure: Why the last look found nothing out; None if it did.
        unreadable: How many records are damaged, or of a newer flowlib.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self._shared = Shared()
        self._seen: dict[str, object] = {}
        self._broken: dict[Address, object] = {}
        self._lock = threading.Lock()
        self._due = 0.0
        self._cost_s = 0.0
        self._is_complete = threading.Event()
        self._aside, self._aside_lock = 0, threading.Lock()
        self._may_read = threading.Event()
        self._may_read.set()
        self.tasks: Tasks = {}
        self.version = 0
        self.read = 0
        self.failure: Exception | None = None

    @property
    def unreadable(self) -> int:
        """How many records cannot be read."""
        return len(self._broken)

    def is_complete(self, timeout_s: float = 0.0) -> bool:
        """Whether all records were read once; begins with that, and waits for it.

        Raises:
            StoreError: the store cannot be read.
        """
        end = time.monotonic() + timeout_s
        while not self._is_complete.is_set():
            if not self._lock.locked() and time.monotonic() >= self._due:
                self.look_apart()
            left_s = max(0.0, end - time.monotonic())
            if self._is_complete.wait(min(_STEP_S, left_s)):
                break
            self._refuse()
            if not left_s:
                return False
        return True

    def refresh(self) -> None:
        """See that the rows are not much older than a second.

        Where a look takes long, it goes on while the rows of the last one are used.

        Raises:
            StoreError: the store cannot be read.
        """
        if time.monotonic() < self._due:
            self._refuse()
            return
        if self._is_complete.is_set() and self._cost_s > _QUICK_S:
            if not self._lock.locked():
                self.look_apart()
            self._refuse()
            return
        self.look()

    @contextmanager
    def standing_aside(self) -> Iterator[None]:
        """Read no more records meanwhile, as far as a look goes on.

        Who lists a hundred thousand files beside one who opens them waits a hundred thousand times.
        """
        with self._aside_lock:
            self._aside += 1
            self._may_read.clear()
        try:
            yield
        finally:
            with self._aside_lock:
                self._aside -= 1
                if not self._aside:
                    self._may_read.set()

    def look_apart(self) -> None:
        """Look in a thread of its own; whoever asks for pages is told what it could not do."""

        def look() -> None:
            with suppress(Exception):  # told by `failure`
                self.look()

        threading.Thread(target=look, daemon=True).start()

    def look(self) -> None:
        """Read what has changed since the last look, unless another thread has just done so.

        Raises:
            StoreError: the store cannot be read; the next look begins anew.
        """
        asked = time.monotonic()
        with self._lock:
            if asked < self._due:
                return
            began = time.monotonic()
            try:
                with paused_collection():
                    self._prepare()
                    if self._update() > _BULK:
                        settle()
            except Exception as error:
                self._note(error)
                raise self._refusal() from error
            self.failure = None
            self._cost_s = time.monotonic() - began
            pause_s = max(_LEAST_PAUSE_S, _COST_FACTOR * self._cost_s)
            self._due = time.monotonic() + pause_s
            self._is_complete.set()

    def _prepare(self) -> None:
        """Let the store get ready for pages before all is read.

        Side by side both take ten times as long: each waits for the other with every file.
        """
        if not self._is_complete.is_set():
            _ = self._store.can_page

    def _note(self, failure: Exception) -> None:
        """The next look begins anew: nobody knows how far this one came."""
        if self.failure is None:
            is_odd = not isinstance(failure, StoreError)
            _log.warning("the store cannot be read: %s", failure, exc_info=is_odd)
        self.failure, self._seen = failure, {}
        self._due = time.monotonic() + _LEAST_PAUSE_S

    def _refuse(self) -> None:
        if self.failure is not None:
            raise self._refusal() from self.failure

    def _refusal(self) -> StoreError:
        return StoreError(f"the store cannot be read: {self.failure}")

    def _update(self) -> int:
        """Take in what has changed, and tell how many records were read for that."""
        known, count = dict(self.tasks), 0
        there = set()
        for task, marks in self._store.marks(self._seen):
            there.add(task)
            if marks is None:
                continue
            old = known.get(task, {})
            changed = {
                key: token
                for key, mark in marks.items()
                if (token := hash(mark)) != self._known_token(old.get(key), task, key)
            }
            broken = sum(address.task == task for address in self._broken)
            count += len(changed)
            if changed or len(old) + broken != len(marks):
                kept = {k: row for k, row in old.items() if k in marks and k not in changed}
                self._forget(task, marks)
                kept.update(self._rows(task, changed, len(marks)))
                known[task] = kept
                self._publish(known)
        gone = known.keys() - there
        if gone:
            for task in gone:
                del known[task]
                self._forget(task, {})
            self._publish(known)
        return count

    def _publish(self, tasks: Tasks) -> None:
        self.tasks = {task: tasks[task] for task in sorted(tasks) if tasks[task]}
        self.version += 1

    def _rows(self, task: str, changed: dict[str, int], total: int) -> Iterator[tuple[str, Row]]:
        """The rows of records that are new or were written anew; what is damaged has none.

        What was read is taken out of `changed`.
        """
        self.read = 0
        few = len(changed) <= max(_FEW, total // 8)
        for row in self._one_by_one(task, changed) if few else self._all_of(task, changed):
            self.read += 1
            if not self._may_read.is_set():
                self._may_read.wait(_ASIDE_S)
            changed.pop(row.key, None)
            yield row.key, row
        for key, mark in changed.items():
            self._broken[Address(task, key)] = mark

    def _one_by_one(self, task: str, changed: Mapping[str, int]) -> Iterator[Row]:
        for key, mark in [*changed.items()]:
            try:
                record = self._store.record(Address(task, key))
            except RecordTooNew as error:
                _log.warning("%s", error)
                continue
            if record is None or record.address != Address(task, key):
                continue
            row = self._shared.row_or_none(summary_of(record), mark)
            if row is not None:
                yield row

    def _all_of(self, task: str, changed: Mapping[str, int]) -> Iterator[Row]:
        keys = sorted(changed)  # those of rows are these objects: else they were all there twice
        for summary in self._store.summaries(task, is_long=True):
            key = summary.address.key
            if key not in changed or summary.address.task != task:
                continue
            own = keys[bisect_left(keys, key)]
            row = self._shared.row_or_none(summary, changed[key], own)
            if row is not None:
                yield row

    def _known_token(self, row: Row | None, task: str, key: str) -> object:
        """What stood for the mark of a record when it was read last; None if it never was."""
        return self._broken.get(Address(task, key)) if row is None else row.mark

    def _forget(self, task: str, marks: Mapping[str, object]) -> None:
        """Records that could not be read and are gone, or were written anew."""
        for address, token in list(self._broken.items()):
            if address.task == task and (
                address.key not in marks or hash(marks[address.key]) != token
            ):
                del self._broken[address]
