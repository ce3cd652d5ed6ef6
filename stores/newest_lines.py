"""
Which records of a task ended last? Told by the lines of its index; of no other one much is kept.

Nearly all lines tell the one record of their key, and are about the file that is there. Of those no
more is read than key, inode and the last time: half of what it takes to know all that they say. Of
a key that several lines tell, which of them is right is found in a second reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from itertools import compress, repeat
from typing import Final

from stores.fitting_lines import FittingLines
from stores.index_entry import ListedParts, listed_in

KEPT: Final = 250
"""So many are found: five pages."""

_HEAD: Final = re.compile(r'\n\["([^"]+)",(\d{1,18}),', re.ASCII)
_LAST: Final = re.compile(r"e,[^],]+,([^],]+)\]\n")
"""Each begins with letters that rarely stand elsewhere, which are found several times as fast."""

Ended = tuple[float, str]
"""When a record ended, as `late` has it, and its key."""


def late(moment: float | None) -> float:
    """A time as a number that is the smaller the later it is, and the largest if there is none."""
    return math.inf if moment is None or math.isnan(moment) else -moment


class NewestLines:
    """Finds them in lines that are told in any order.

    Args:
        files: The key of each file that is there, by its inode.
    """

    def __init__(self, files: Mapping[int, str]) -> None:
        self._files, self._left = files, dict(files)
        self._several: set[str] = set()
        self._outdated: list[str] = []
        self._found_again: list[Ended] = []
        self._best: list[Ended] = []
        self._last = math.inf
        """All that ended later than this are among the best."""
        self._is_cut = False

    def take(self, text: str) -> None:
        """Take some lines."""
        keys, inodes, moments = _told(text)
        there = [*map(self._left.pop, inodes, repeat(""))]
        if there != keys:
            self._left.update((i, key) for i, key in zip(inodes, there, strict=True) if key)
            first = [*map(self._is_first, inodes, keys)]
            keys, moments = [*compress(keys, first)], [*compress(moments, first)]
        if len(moments) > KEPT:
            self._last = min(self._last, -sorted(moments)[-KEPT])
            self._is_cut = True
        least = -self._last
        self._best += [
            (-moment, key) for moment, key in zip(moments, keys, strict=True) if moment >= least
        ]
        if len(self._best) > 4 * KEPT:
            self._best = nsmallest(KEPT, self._best)
            self._last = min(self._last, self._best[-1][0])
            self._is_cut = True

    def _is_first(self, inode: int, key: str) -> bool:
        """Whether no line was about this file before; if not, all about its key are doubtful."""
        if self._left.get(inode) == key:
            del self._left[inode]
            return True
        self._several.add(key)
        return False

    def take_again(self, texts: Iterable[str]) -> None:
        """Take all lines again, or more: what they say of the keys that several lines tell."""
        keys = self._several
        if not keys:
            return
        lines = FittingLines({
            key: inode
            for inode, key in self._files.items()
            if key in keys and inode not in self._left
        })  # fmt: skip
        found: list[ListedParts] = []
        for text in texts:
            told = [line for line in text.split("\n") if line[2 : line.find('"', 2)] in keys]
            found += lines.of(listed_in("\n".join(told)))
        outdated = set(lines.outdated())
        self._outdated = [*lines.missing(), *outdated]
        self._found_again = [
            (late(_ended(each)), each[0]) for each in found if each[0] not in outdated
        ]

    def unknown(self) -> list[str]:
        """The keys of files that no line is about, or of which a newer line is about another."""
        return [*self._left.values(), *self._outdated]

    def first(self) -> tuple[list[Ended], bool]:
        """Those that ended last, in order, and whether these are all that are known."""
        best = [each for each in self._best if each[1] not in self._several]
        every = best + self._found_again
        found = nsmallest(KEPT, every)
        if self._is_cut and len(best) < len(self._best):  # those left out had displaced others
            found = [each for each in found if each[0] < self._last]
        return found, not self._is_cut and len(found) == len(every)


def _told(text: str) -> tuple[list[str], list[int], list[float]]:
    """Of each line its key, its inode and when the record ended, or began."""
    pairs = _HEAD.findall(f"\n{text}")
    try:
        moments = [*map(float, _LAST.findall(text))]
    except ValueError:  # some have not ended
        moments = []
    if len(pairs) == len(moments) == text.count("\n") and math.isfinite(sum(moments)):
        return [key for key, _ in pairs], [int(inode) for _, inode in pairs], moments
    listed = listed_in(text)
    return (
        [each[0] for each in listed],
        [each[1] for each in listed],
        [-late(_ended(each)) for each in listed],
    )


def _ended(listed: ListedParts) -> float | None:
    *_, started, ended = listed
    return started if ended is None else ended
