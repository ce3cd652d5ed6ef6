"""What do the records of a file store say? One by one, or thousands in one look."""

from __future__ import annotations

import errno
import gc
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from stores.errors import RecordDamaged, RecordTooNew
from stores.file_index import FileIndex
from stores.file_layout import SUFFIX, Layout
from stores.file_marks import file_marks, told_task
from stores.index_entry import (
    HAS_FILES,
    IndexEntry,
    artifact_in,
    entry_of,
    is_about,
    status_of,
)
from stores.record import Address, Artifact, Record, Status, artifact_from_dict
from stores.summary import Summary, summary_in, summary_of

_log = logging.getLogger("stores")

_PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors of this process, which say nothing about the record."""

_USUAL_BYTES: Final = 1 << 16
"""A record that is longer holds large values; it is read in the usual way."""

_FEW: Final = 64
"""Up to so many keys are looked at one by one; more are worth a listing and the index."""


class FileRecords:
    """The records of one store, for reading.

    Args:
        layout: Where they lie.
        index: What is known of them.
        checked: Adds to a status which files of its artifacts are gone or damaged.
    """

    def __init__(
        self, layout: Layout, index: FileIndex, checked: Callable[[Address, Status], Status]
    ) -> None:
        self._layout = layout
        self._index = index
        self._checked = checked

    def read(self, address: Address) -> Record | None:
        """The record; None when there is none or it is damaged.

        Raises:
            RecordTooNew: it was written by a newer flowlib.
        """
        return self._whole(self._layout.record(address))

    def _whole(self, path: str) -> Record | None:
        try:
            with open(path, "rb") as file:
                return Record.from_json(file.read().decode(), path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (RecordDamaged, UnicodeDecodeError, OSError) as error:
            if isinstance(error, OSError) and error.errno in _PASSING:
                raise
            _log.warning("%s; it counts as not there, and the next success heals it", error)
            return None

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        """What is known of many keys, by key; unknown and damaged ones are absent."""
        by_task: dict[str, list[Address]] = {}
        for address in addresses:
            by_task.setdefault(address.task, []).append(address)
        found: dict[str, Status] = {}
        name_of = self._layout.record_name
        for task, wanted in by_task.items():
            named = [(name_of(each.key), each) for each in wanted]
            if len(wanted) <= _FEW:
                self._look(task, named, self._index.known(task), found)
                continue
            with no_garbage():
                names = set(_names(self._layout.task_folder(task)))
                named = [each for each in named if each[0] in names]
                self._look(task, named, self._index.refreshed(task) if named else {}, found)
        return found

    def artifact(self, address: Address, name: str) -> Artifact | None:
        """An artifact that counts, if it can be told without opening the record."""
        entry = self._index.known(address.task).get(address.key)
        if entry is None:
            return None
        try:
            if _status_in(entry, os.stat(self._layout.record(address))) is None:
                return None
        except OSError:
            return None
        found = artifact_in(entry, name)
        return None if found is None else artifact_from_dict(found)

    def summaries(self, task: str | None = None, *, is_long: bool = False) -> Iterator[Summary]:
        """What a list shows of every record, or of those of one task, in the order of the disk."""
        folders = self._own_folders() if task is None else [self._layout.task_folder(task)]
        for folder in folders:
            for name in _names(folder):
                path = f"{folder}/{name}"
                found = _quick_summary(path, is_long=is_long)[0] or self._summary(path)
                if found is not None:
                    yield found

    def listed(self, path: str) -> tuple[Summary | None, os.stat_result | None]:
        """What a long list shows of the record in a file, and the file; None where it cannot."""
        summary, found = _quick_summary(path, is_long=True)
        return summary if summary is not None or found is None else self._summary(path), found

    def marks(self, seen: dict[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None]]:
        """For each task its keys with what changes; None where nothing did since the last look."""
        return file_marks(self._layout, seen, address_in)

    def addresses(self, task: str | None = None) -> Iterator[Address]:
        """The address of every record, or of those of one task."""
        folders = self._own_folders() if task is None else [self._layout.task_folder(task)]
        for folder in folders:
            names = sorted(_names(folder))
            known = task if task is not None else self._layout.task_of(folder)
            for name in names:
                key = self._layout.key_of(name)
                if known is not None and key is not None:
                    yield Address(known, key)
                elif (address := address_in(f"{folder}/{name}")) is not None:
                    yield address

    def _own_folders(self) -> Iterator[str]:
        """The folders of all tasks, but no copies of them."""
        for folder in self._layout.task_folders():
            with suppress(FileNotFoundError, NotADirectoryError):
                if self._layout.task_of(folder) or told_task(self._layout, folder, address_in):
                    yield folder

    def _summary(self, path: str) -> Summary | None:
        try:
            record = self._whole(path)
        except RecordTooNew as error:
            _log.warning("%s", error)
            return None
        return None if record is None else summary_of(record)

    def _look(
        self,
        task: str,
        named: Sequence[tuple[str, Address]],
        known: dict[str, IndexEntry],
        found: dict[str, Status],
    ) -> None:
        stat, folder, is_bulk = os.stat, self._layout.task_folder(task), len(named) > _FEW
        for name, address in named:
            try:
                file = stat(f"{folder}/{name}")
            except OSError:
                continue
            entry = known.get(address.key)
            status = _status_in(entry, file)
            if entry is None or status is None:
                entry = self._read_again(address, file, is_bulk)
                if entry is None:
                    known.pop(address.key, None)
                    continue
                known[address.key], status = entry, status_of(entry)
            found[address.key] = self._checked(address, status) if entry[HAS_FILES] else status

    def _read_again(
        self, address: Address, file: os.stat_result, is_bulk: bool
    ) -> IndexEntry | None:
        """Open a record that the index does not know; tell the index if it was asked."""
        try:
            record = self.read(address)
        except RecordTooNew as error:
            _log.warning("%s", error)
            return None
        if record is None:
            return None
        if is_bulk:
            self._index.add(record, file)
        return entry_of(record, file)


def _status_in(entry: IndexEntry | None, file: os.stat_result) -> Status | None:
    """What an index entry says of a record file; None if it is about another one, or damaged."""
    if entry is None or not is_about(entry, file):
        return None
    try:
        return status_of(entry)
    except (LookupError, TypeError, ValueError):  # a state that only a newer flowlib knows, say
        return None


@contextmanager
def no_garbage() -> Iterator[None]:
    """Keep the collector from searching thousands of new objects, again and again, in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _names(folder: str) -> list[str]:
    """The names of the records in the folder of a task."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if name.endswith(SUFFIX)]


def _quick_summary(path: str, *, is_long: bool) -> tuple[Summary | None, os.stat_result | None]:
    """What a list shows of the record in a file, if the usual way leads to it; and the file."""
    found = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            data = os.read(descriptor, _USUAL_BYTES)
        finally:
            os.close(descriptor)
        if len(data) >= _USUAL_BYTES:
            return None, found
        return summary_in(data.decode(), is_long=is_long), found
    except (OSError, UnicodeDecodeError):
        return None, found


def address_in(path: str) -> Address | None:
    """The address that a record itself tells, where the names of its files do not."""
    try:
        with open(path, "rb") as file:
            return Record.from_json(file.read().decode(), path).address
    except (OSError, RecordDamaged, RecordTooNew, UnicodeDecodeError) as error:
        _log.warning("%s", error)
        return None
