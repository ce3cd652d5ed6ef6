"""
What is known of thousands of keys without opening a record? The index: lines of JSON.

Each writing process appends to a file of its own, so no line is ever torn by another. A line holds
the inode, the size and the time of the record file it tells about, and counts only as long as the
file has them: an index that was lost, is old or is wrong costs time, never truth. What it does not
know is opened and indexed again.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from typing import Any, Final

from stores.errors import StoreError
from stores.file_layout import Layout, encoded, make_folder
from stores.file_lines import AppendedLines
from stores.index_entry import FIELDS, TIME, IndexEntry, entry_of, line_of
from stores.part_texts import compact
from stores.record import Record, RecordText

_MANY_FILES: Final = 16
"""From this number on the files of dead writers are folded into one."""

_WORTH_A_FILE: Final = 8
"""The index of a task begins with so many records of one process: fewer are opened as quickly as
an index is, and a flow of many tasks with few nodes makes fewer files."""

_MOST_OPEN: Final = 64
"""Index files that a process keeps open."""


class FileIndex:
    """The index of one store, and what this process has read of it.

    Args:
        layout: Where it lies.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._entries: dict[str, dict[str, IndexEntry]] = {}
        self._appended = AppendedLines()
        self._writers: dict[str, int] = {}
        self._waiting: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._writer_pid = 0

    def known(self, task: str) -> dict[str, IndexEntry]:
        """The newest entry of every key of a task, as far as they were read before."""
        return self._entries.setdefault(task, {})

    def refreshed(self, task: str) -> dict[str, IndexEntry]:
        """The newest entry of every key of a task; reads only what was written since."""
        entries = self.known(task)
        folder = self._layout.index(task)
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return entries
        for name in names:
            if name.endswith(".jsonl"):
                self._merge(self._new_lines(f"{folder}/{name}"), entries)
        dead = [name for name in names if _is_of_dead(name)] if len(names) > _MANY_FILES else []
        if len(dead) > _MANY_FILES:
            self._fold(folder, dead)
        return entries

    def add(self, record: Record, found: os.stat_result, text: RecordText | None = None) -> None:
        """Note a record that lies in the file that was found; without raising: it can be lost.

        Args:
            record: It.
            found: The file.
            text: The record as it was written, if it was just now.
        """
        task = record.address.task
        entry = compact(entry_of(record, found)) if text is None else line_of(record, text, found)
        line = f"{entry}\n"
        if self._writer_pid != os.getpid():  # a fork must not append to its parent's file
            self._forget()
        with self._lock:
            try:
                writer = self._writers.get(task)
                if writer is None:
                    waiting = self._waiting.setdefault(task, [])
                    waiting.append(line)
                    if len(waiting) < _WORTH_A_FILE and not os.path.isdir(self._layout.index(task)):
                        return
                    line = "".join(self._waiting.pop(task))
                    writer = self._new_writer(task)
                os.write(writer, line.encode())
            except (OSError, StoreError):
                return

    def close(self) -> None:
        """Close the files that are open for appending."""
        if self._writer_pid == os.getpid():
            for descriptor in self._writers.values():
                os.close(descriptor)
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()  # another thread may have held it when this process forked
        self._writers.clear()
        self._waiting.clear()
        self._writer_pid = os.getpid()

    def _new_writer(self, task: str) -> int:
        """Open this process's file for a task; the oldest is closed where many are open."""
        if len(self._writers) >= _MOST_OPEN:
            os.close(self._writers.pop(next(iter(self._writers))))
        folder = self._layout.index(task)
        make_folder(folder)
        path = f"{folder}/{encoded(os.uname().nodename)}-{os.getpid()}.jsonl"
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
        if os.fstat(descriptor).st_size:  # of a process that had this number before
            os.write(descriptor, b"\n")
        self._writers[task] = descriptor
        return descriptor

    def _new_lines(self, path: str) -> list[Any]:
        """The lines after those read before; a torn or damaged one is left out."""
        return _parsed("".join(self._appended.texts(path)))

    def _merge(self, lines: list[Any], entries: dict[str, IndexEntry]) -> None:
        """Keep the entry of the newest record of each key."""
        for line in lines:
            if type(line) is not list or len(line) != FIELDS:
                continue  # of another version, or damaged
            if type(line[0]) is not str or type(line[TIME]) is not int:
                continue
            known = entries.get(line[0])
            if known is None or known[TIME] <= line[TIME]:
                entries[line[0]] = line

    def _fold(self, folder: str, dead: list[str]) -> None:
        """Replace the files of dead writers of this host by one.

        Somebody else may do the same at the same time: then some lines are there twice.
        """
        entries: dict[str, IndexEntry] = {}
        for name in dead:
            path = f"{folder}/{name}"
            self._appended.forget(path)
            self._merge(self._new_lines(path), entries)
        lines = [compact(entry) for entry in entries.values()]
        temporary = f"{folder}/.{os.urandom(16).hex()}"
        with contextlib.suppress(OSError):
            with open(temporary, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
            os.replace(temporary, f"{folder}/folded-{os.urandom(16).hex()}.jsonl")
            for name in dead:
                os.unlink(f"{folder}/{name}")
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _parsed(text: str) -> list[Any]:
    """The lines of JSON in a text that can be read."""
    joined = text.strip("\n").replace("\n\n", "\n").replace("\n", ",")
    try:
        found: list[Any] = json.loads(f"[{joined}]")
        return found
    except (ValueError, RecursionError):
        return [line for each in text.split("\n") if (line := _line(each)) is not None]


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_of_dead(name: str) -> bool:
    host, _, pid = name.removesuffix(".jsonl").rpartition("-")
    if host == "folded":
        return True
    if host != encoded(os.uname().nodename) or not Layout.is_number(pid):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # no process has such a number
        return False
    return False
