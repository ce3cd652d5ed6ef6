"""Which records lie in which folder of a store of files, and which file is each? None is opened
whose name tells."""

from __future__ import annotations

import os
from collections.abc import Iterator

from stores.file_layout import SUFFIX, Layout, are_plain_keys, is_plain_key
from stores.file_lines import AppendedLines
from stores.file_marks import told_task
from stores.file_records import address_in
from stores.index_entry import narrow
from stores.record import Address


class RecordFolders:
    """The folders of one store.

    Args:
        layout: Where they lie.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._tasks: dict[str, str] = {}
        self._odd: dict[str, Address] = {}

    def of_tasks(self) -> Iterator[tuple[str, str]]:
        """The task and the path of each folder; of those that are gone meanwhile there are none."""
        for folder in self._layout.task_folders():
            try:
                task = self._tasks.get(folder) or self._layout.task_of(folder)
                if (
                    task is None
                    and (task := told_task(self._layout, folder, address_in)) is not None
                ):
                    self._tasks[folder] = task
            except (FileNotFoundError, NotADirectoryError):
                continue
            if task is not None:
                yield task, folder

    def files(self, folder: str) -> list[tuple[int, str]]:
        """The number and the name, without its end, of each file that may hold a record."""
        cut = -len(SUFFIX)
        with os.scandir(folder) as entries:
            found = [
                (entry.inode(), entry.name[:cut])
                for entry in entries
                if entry.name.endswith(SUFFIX)
            ]
        largest = max([inode for inode, _ in found], default=0)
        if largest == narrow(largest):
            return found
        return [(narrow(inode), stem) for inode, stem in found]

    def inodes(self, folder: str) -> dict[str, int]:
        """The number of the file of each key in the folder of a task."""
        found = {stem: inode for inode, stem in self.files(folder)}
        if not are_plain_keys(found):
            for stem in [stem for stem in found if not is_plain_key(stem)]:
                inode, key = found.pop(stem), self.key_of(folder, stem)
                if key is not None:
                    found[key] = inode
        return found

    def key_of(self, folder: str, stem: str) -> str | None:
        """The key of the record in the file of this name; None if none is looked for there."""
        if is_plain_key(stem):
            return stem
        name = f"{stem}{SUFFIX}"
        key = self._layout.key_of(name) or self._told_key(f"{folder}/{name}")
        return key if key is not None and self._layout.record_name(key) == name else None

    def index(self, task: str) -> list[str]:
        """The files of the index of a task."""
        folder = self._layout.index(task)
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [f"{folder}/{name}" for name in names if name.endswith(".jsonl")]

    def texts(self, task: str, lines: AppendedLines) -> Iterator[str]:
        """The lines of the index of a task that were not read before, some at a time."""
        for path in self.index(task):
            yield from lines.texts(path)

    def _told_key(self, path: str) -> str | None:
        if path not in self._odd:
            address = address_in(path)
            if address is None:
                return None
            self._odd[path] = address
        return self._odd[path].key
