"""Which records of a file store were written or removed since the last look? None is read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from stores.file_layout import SUFFIX, Layout
from stores.record import Address

_SETTLED_S: Final = 2.0
"""The clocks of file systems may stand still for so long: who changes a folder twice within this
time may leave it with the time of the first change."""


def file_marks(
    layout: Layout, seen: dict[str, object], told_by: Callable[[str], Address | None]
) -> Iterator[tuple[str, Mapping[str, object] | None]]:
    """For each task its keys, each with a number that changes when its record is replaced.

    A record comes by a rename and goes by an unlink, and both change the time of the folder: while
    that stays, there is None in place of the keys.

    Args:
        layout: Where they lie.
        seen: Kept by the caller from one look to the next.
        told_by: The address that a record tells, where the names of its files do not.
    """
    for folder in layout.task_folders():
        try:
            time_ns = os.stat(folder).st_mtime_ns
            task = layout.task_of(folder) or told_task(layout, folder, told_by)
            if task is not None:
                is_same = is_settled(folder, time_ns, seen)
                yield task, None if is_same else dict(_marks(folder, layout, told_by))
        except (FileNotFoundError, NotADirectoryError):
            continue


def is_settled(folder: str, time_ns: int, seen: dict[str, object]) -> bool:
    """Whether a folder was looked at when its last change was some time ago.

    Args:
        folder: It.
        time_ns: When it was changed last.
        seen: Kept by the caller from one look to the next.
    """
    if was_settled(folder, time_ns, seen):
        return True
    now, before = time.monotonic(), seen.get(folder)
    first = before[1] if isinstance(before, tuple) and before[0] == time_ns else now
    seen[folder] = (time_ns, first, now)
    return False


def was_settled(folder: str, time_ns: int, seen: dict[str, object]) -> bool:
    """The same for who does not look now."""
    before = seen.get(folder)
    if not isinstance(before, tuple) or before[0] != time_ns:
        return False
    _, first, looked = before
    return bool(looked - first >= _SETTLED_S)


def _marks(
    folder: str, layout: Layout, told_by: Callable[[str], Address | None]
) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(SUFFIX):
                continue
            try:
                found = entry.stat()
            except OSError:
                continue
            key = layout.key_of(entry.name)
            if key is None:
                address = told_by(entry.path)
                key = None if address is None else address.key
            if key is not None:
                yield key, hash((found.st_ino, found.st_size, found.st_mtime_ns))


def told_task(layout: Layout, folder: str, told_by: Callable[[str], Address | None]) -> str | None:
    """The task of a folder, as its records tell it.

    None if none can be read, or if the folder of that task is another one, of which this may be a
    copy: `Train (copy)`.
    """
    for name in os.listdir(folder):
        address = told_by(f"{folder}/{name}") if name.endswith(SUFFIX) else None
        if address is not None:
            return address.task if layout.task_folder(address.task) == folder else None
    return None
