"""What does a process have that computes a key of a file store? A file that is its own."""

from __future__ import annotations

import os

from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease of this process.

    Attributes:
        number: Of the attempt.
        path: Its file.
        descriptor: Open for writing the record behind the owner.
        marks: Numbers between the record's and this one: nobody can commit them any more.
    """

    number: int
    path: str
    descriptor: int
    marks: range

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
        return own if os.path.samestat(there, own) else None
