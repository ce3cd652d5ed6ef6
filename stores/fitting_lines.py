"""Which lines of an index are about the very files that are there? One of each key, if any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stores.index_entry import ListedParts, time_of


class FittingLines:
    """Picks lines, told in any order; of a key never more than one.

    Args:
        inodes: Of the files that are there, by key.
    """

    def __init__(self, inodes: Mapping[str, int]) -> None:
        self._marks: dict[str, int | str] = dict(inodes)
        """The inode of a file, or the stamp of the line about it that was picked."""
        self._newest: dict[str, int] = {}
        """The newest time of the lines of a key that were not picked."""
        self._count = 0

    def of(self, lines: Iterable[ListedParts]) -> list[ListedParts]:
        """Those of these lines that are about a file of which none was picked before."""
        picked, marks = [], self._marks
        for line in lines:
            key = line[0]
            mark = marks.get(key)
            if mark == line[1]:
                marks[key] = line[2]
                picked.append(line)
            elif mark is not None and mark != line[2]:
                self._newest[key] = max(time_of(line[2]), self._newest.get(key, 0))
        self._count += len(picked)
        return picked

    def outdated(self) -> list[str]:
        """The keys of lines that were picked, although another one is newer."""
        marks = self._marks
        return [
            key
            for key, time_ns in self._newest.items()
            if isinstance(mark := marks[key], str) and time_of(mark) < time_ns
        ]

    def missing(self) -> list[str]:
        """The keys of files that no line is about."""
        if self._count == len(self._marks):
            return []
        return [key for key, mark in self._marks.items() if not isinstance(mark, str)]
