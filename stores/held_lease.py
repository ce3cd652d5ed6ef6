"""What does a process have that computes a key of a file store? A file that is its own."""

from __future__ import annotations

import os
from typing import NamedTuple

from stores.lazy_dataclass import dataclass


class KeyPaths(NamedTuple):
    """What belongs to one key.

    Attributes:
        record: The file of its record.
        lease: The path of its leases, without the number of the attempt.
        folder: The folder with its attempts.
    """

    record: str
    lease: str
    folder: str


@dataclass(slots=True, eq=False)  # not frozen: it is made for every task
class HeldLease:
    """A lease of this process.

    Attributes:
        number: Of the attempt.
        path: Its file.
        descriptor: Open for writing the record behind the owner.
        marks: Numbers between the record's and this one: nobody can commit them any more.
        key: Where its record goes, and what else belongs to its key.
    """

    number: int
    path: str
    descriptor: int
    marks: range
    key: KeyPaths

    def is_in_place(self) -> bool:
        """Whether the file is still where it was made, and not another one of the same name."""
        return self.found_in_place() is not None

    def found_in_place(self) -> os.stat_result | None:
        """What the file is, if it is still where it was made."""
        try:
            there = os.stat(self.path)  # noqa: PTH116  # for each task; Path takes longer
            own = os.fstat(self.descriptor)
        except OSError:
            return None
        is_it = there.st_ino == own.st_ino and there.st_dev == own.st_dev
        return own if is_it else None
