"""Which column of a table does a user mean, and which are worth looking at?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypedDict

from flowlib.errors import ColumnUnknown, nearest
from stores.cells import Column, Row
from stores.lazy_dataclass import dataclass
from stores.table import Columns

_ALIASES: Final = {"time": "duration_s", "when": "ended"}
_FOR_PROGRAMS: Final = ("task", "key", "run", "cached")
"""What a person sees from the id, and from the mark of what was cached."""


class TableWishes(TypedDict, total=False):
    """What a table is to show.

    Attributes:
        columns: "varying" leaves out configs that are the same in all rows, "all" shows everything,
            and a list of names these columns alone, behind the id.
        sort: Columns to order by; `-acc` has the largest first. Missing values come last.
        top: How many rows are kept, of those that come first.
        group_by: Columns; rows that agree in them are joined as in `mean_over`.
        mean_over: Columns of configs, such as `seed`; rows that agree in all others are joined,
            and their numbers become mean ± standard deviation of the sample.
    """

    columns: Columns | Sequence[str]
    sort: str | Sequence[str]
    top: int | None
    group_by: str | Sequence[str]
    mean_over: str | Sequence[str]


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that rows are ordered by.

    Attributes:
        name: Of the column.
        is_descending: Whether the largest comes first.
    """

    name: str
    is_descending: bool = False

    def __str__(self) -> str:
        return f"-{self.name}" if self.is_descending else self.name


def find_column(columns: Iterable[Column], wanted: str, tasks: Collection[str] = ()) -> str:
    """The name of the column that a user means.

    `Train.lr` may be called `lr` where nothing else is, and where several tasks have it that of
    `tasks` counts; `time` and `when` are `duration_s` and `ended`; case matters only if it must.

    Raises:
        ColumnUnknown: there is none, or there are several.
    """
    names = [each.name for each in columns]
    meant = _ALIASES.get(wanted, wanted) if wanted not in names else wanted
    if meant in names:
        return meant
    own = {f"{task}.{meant}" for task in tasks}
    for fold in (str, str.casefold):
        word = fold(meant)
        ends = [name for name in names if fold(name) == word or fold(name).endswith(f".{word}")]
        found = [name for name in ends if fold(name) in set(map(fold, own))] or ends
        if len(found) == 1:
            return found[0]
        if found:
            raise ColumnUnknown(f"{wanted!r} may be any of {', '.join(found)}: say which")
    raise ColumnUnknown(
        f"the table has no column {wanted!r}.{nearest(wanted, names)} "
        f"It has: {', '.join(names) or 'none'}"
    )


def sort_keys(
    columns: Sequence[Column], wanted: str | Sequence[str], tasks: Collection[str] = ()
) -> tuple[SortKey, ...]:
    """The columns that a user wants rows to be ordered by: `-acc` is the largest first.

    Raises:
        ColumnUnknown: there is no such column.
    """
    texts = [wanted] if isinstance(wanted, str) else wanted
    return tuple(
        SortKey(find_column(columns, text.removeprefix("-"), tasks), text.startswith("-"))
        for text in texts
    )


def worth_showing(
    columns: Sequence[Column], rows: Sequence[Row], tasks: Collection[str]
) -> tuple[Column, ...]:
    """The columns that tell rows apart, in the order in which they are read.

    Configs of the tasks themselves come before those of their ancestors, then results, then times;
    states only if a row has not finished.
    """
    skipped = set(_FOR_PROGRAMS)
    if all(row.get("state", "finished") == "finished" for row in rows):
        skipped.add("state")
    return in_order((each for each in columns if each.name not in skipped), tasks)


def in_order(columns: Iterable[Column], tasks: Collection[str]) -> tuple[Column, ...]:
    """Columns in the order in which they are read."""
    return tuple(sorted(columns, key=lambda each: _rank(each, tasks)))


def _rank(column: Column, tasks: Collection[str]) -> int:
    if column.kind == "config":
        return 1 if any(column.name.startswith(f"{task}.") for task in tasks) else 2
    return {"identity": 0, "count": 3, "value": 4, "time": 5}[column.kind]
