"""What of a table do people see? Columns, rows, their order, and what is said below."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from flowlib.console_text import elided, harmless
from flowlib.result_columns import SortKey
from stores.cells import Column, Row
from stores.lazy_dataclass import dataclass

_LONGEST_VALUE: Final = 40


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown of a table.

    Attributes:
        columns: Those that are shown, in order.
        rows: Those that are shown, in order.
        keys: What they are ordered by.
        notes: What is said below; the first tells how many rows there are.
        title: The tasks.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    keys: Sequence[SortKey]
    notes: Sequence[str]
    title: str


def count_note(count: int, total: int) -> str:
    """How many rows there are: `4 of 11 rows`."""
    rows = "row" if total == 1 else "rows"
    return f"{count} {rows}" if count == total else f"{count} of {total} {rows}"


def hidden_note(constant: Mapping[str, object], tasks: Collection[str], hint: str) -> str:
    """What has one value in all rows: `constant columns hidden (batch=64 Load.n=3; hint)`."""
    only = f"{next(iter(tasks))}." if len(tasks) == 1 else ""
    told = " ".join(
        f"{name.removeprefix(only)}={elided(harmless(str(value)), _LONGEST_VALUE, '…')}"
        for name, value in constant.items()
    )
    return f"constant columns hidden ({told}; {hint})"


def no_room_note(names: Sequence[str]) -> str:
    """What does not fit: `no room for 2 columns (acc, time)`."""
    columns = "column" if len(names) == 1 else "columns"
    return f"no room for {len(names)} {columns} ({', '.join(names)})"
