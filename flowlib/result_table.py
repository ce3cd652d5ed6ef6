"""The results of a run or of a store as a table: what varies, in order, joined over seeds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Unpack, overload

from flowlib.bulk import paused_collection
from flowlib.console_text import plain
from flowlib.errors import ColumnUnknown
from flowlib.result_cells import as_json, flat, is_comparable
from flowlib.result_columns import (
    SortKey,
    TableWishes,
    find_column,
    in_order,
    sort_keys,
    worth_showing,
)
from flowlib.result_exports import csv_text, document_of, json_text, markdown_text, written
from flowlib.result_groups import grouped
from flowlib.result_latex import latex_text
from flowlib.result_order import ordered
from flowlib.result_page import short_html, whole_page
from flowlib.result_sheet import Sheet, count_note, hidden_note
from flowlib.result_text import table_lines
from flowlib.signs import Signs
from flowlib.terminal import shows_unicode, terminal_width
from stores.cells import Column, Grid, Row, constants
from stores.lazy_dataclass import dataclass
from stores.table import Columns, as_frame


class Tabular(Protocol):
    """What a table is made of: `run["Train"]`, `store.records("Train")`."""

    def grid(self) -> Grid: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ResultTable(Sequence[Row]):
    """Rows of results. Every method gives another table and leaves this one as it is.

    A row is a dict by the names of columns; a value that is missing is not in it.

    Attributes:
        grid: All columns and rows.
        constant: Columns of configs that have one value in all rows, and that value.
        tasks: The tasks whose results these are.
        total: How many rows there were before the first of them were taken.
        keys: What the rows are ordered by.
        wanted: Which columns are shown: "varying" or "all", or the names of some.
        lost: Columns that rows were joined without: their words differ wherever one looks.
    """

    grid: Grid
    constant: Mapping[str, object]
    tasks: frozenset[str]
    total: int
    keys: tuple[SortKey, ...] = ()
    wanted: Columns | tuple[str, ...] = "varying"
    lost: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Tabular, **wishes: Unpack[TableWishes]) -> ResultTable:
        """The table of the results of a run, or of records of a store.

        Columns are called `id`, `Train.lr`, `acc`, `time`, `when`; `lr` alone is enough where it
        can be one column only, and among several that of the task itself.

        Args:
            source: `run["Train"]`, or `store.records("Train")`.
            **wishes: See `TableWishes`.

        Raises:
            ColumnUnknown: there is no such column, or several are called so.
            ValueError: a wish does not fit.
        """
        with paused_collection():
            grid = source.grid()
        tasks = frozenset(row["task"] for row in grid.rows)
        table = cls(grid, constants(grid.columns, grid.rows), tasks, len(grid.rows))
        if group_by := _several(wishes.get("group_by", ())):
            table = table.group_by(*group_by)
        if mean_over := _several(wishes.get("mean_over", ())):
            table = table.mean_over(*mean_over)
        table = table.sorted(*_several(wishes.get("sort", ())))
        table = table.with_columns(wishes.get("columns", "varying"))
        top = wishes.get("top")
        return table if top is None else table.top(top)

    def __len__(self) -> int:
        return len(self.grid.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> ResultTable: ...
    def __getitem__(self, index: int | slice) -> Row | ResultTable:
        if isinstance(index, slice):
            return self._with(self.grid.rows[index])
        return self.grid.rows[index]

    def __repr__(self) -> str:
        return f"<ResultTable of {len(self)} rows: {', '.join(each.name for each in self.columns)}>"

    def __str__(self) -> str:
        signs = Signs.of(has_unicode=shows_unicode(sys.stdout))
        return plain(table_lines(self.sheet(), terminal_width(), signs, time.time())).rstrip("\n")

    def _repr_html_(self) -> str:
        return short_html(self.sheet(), time.time())

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that people are shown, in order."""
        chosen = self._chosen()
        if self.wanted == "varying":
            return worth_showing(chosen, self.grid.rows, self.tasks)
        return in_order(chosen, self.tasks) if self.wanted == "all" else tuple(chosen)

    @property
    def hidden(self) -> Mapping[str, object]:
        """The columns that are not shown because they have one value, and that value."""
        return self.constant if self.wanted == "varying" else {}

    def values(self, column: str) -> list[Any]:
        """What stands in a column, row by row; None where nothing does.

        Raises:
            ColumnUnknown: there is no such column.
        """
        name = self.column(column)
        return [row.get(name) for row in self.grid.rows]

    def column(self, name: str) -> str:
        """The whole name of the column that is called so.

        Raises:
            ColumnUnknown: there is none, or there are several.
        """
        return find_column(self.grid.columns, name, self.tasks)

    def sorted(self, *keys: str) -> ResultTable:
        """The rows in the order of some columns, the first counts most; `-acc` is descending.

        None, NaN and missing values come last, numbers before words.
        """
        if not keys:
            return self
        wanted = sort_keys(self.grid.columns, keys, self.tasks)
        return replace(self._with(ordered(self.grid.rows, wanted)), keys=wanted)

    def top(self, count: int) -> ResultTable:
        """The first rows.

        Raises:
            ValueError: `count` is negative.
        """
        if count < 0:
            raise ValueError(f"top is {count}; give 0 or more")
        return self._with(self.grid.rows[:count])

    def best(self, metric: str, *, mode: str = "max") -> Row:
        """The row with the best number in a column.

        Args:
            metric: The column.
            mode: "max" if the largest is the best, "min" if the smallest is.

        Raises:
            ColumnUnknown: no row has it, or none has a number there.
            ValueError: `mode` is neither "max" nor "min".
        """
        if mode not in ("max", "min"):
            raise ValueError(f'mode is "max" or "min", not {mode!r}')
        name = self.column(metric)
        numbers = [row for row in self.grid.rows if is_comparable(row.get(name))]
        if not numbers:
            raise ColumnUnknown(f"no row has a number in {name}")
        key = SortKey(name, is_descending=mode == "max")
        return ordered(numbers, [key])[0]

    def mean_over(self, *axes: str) -> ResultTable:
        """Rows that agree in all columns of configs but some, such as `seed`, joined."""
        left_out = {self.column(each) for each in axes}
        configs = [each.name for each in self.grid.columns if each.kind == "config"]
        if wrong := sorted(left_out.difference(configs)):
            raise ColumnUnknown(f"{wrong[0]!r} is no parameter of a config, to take a mean over")
        return self._joined([name for name in configs if name not in left_out])

    def group_by(self, *columns: str) -> ResultTable:
        """Rows that agree in some columns, joined, whatever the others hold."""
        return self._joined([*self.constant, *(self.column(each) for each in columns)])

    def with_columns(self, columns: Columns | Sequence[str]) -> ResultTable:
        """With the columns that vary, with all, or with those of these names behind the id.

        Raises:
            ColumnUnknown: there is no such column.
            ValueError: a text is neither "varying" nor "all".
        """
        if columns == "varying" or columns == "all":
            return replace(self, wanted=columns)
        if isinstance(columns, str):
            raise ValueError(f'columns are "varying", "all" or a list of names, not {columns!r}')
        return replace(self, wanted=tuple(map(self.column, columns)))

    def sheet(self, hint: str = 'columns="all"') -> Sheet:
        """What people see of the table.

        Args:
            hint: How to see what is hidden.
        """
        notes = [count_note(len(self), self.total)]
        if self.hidden:
            notes.append(hidden_note(self.hidden, self.tasks, hint))
        if self.lost:
            notes.append(f"words that differ within rows left out ({', '.join(self.lost)})")
        title = ", ".join(sorted(self.tasks)) or "results"
        return Sheet(self.columns, self.grid.rows, self.keys, notes, title)

    def to_dicts(self) -> list[Row]:
        """The rows with all that programs want to know; a mean is three cells, `acc.mean`, …."""
        return self._flat()[1]

    def to_pandas(self) -> Any:
        """`to_dicts` as a `pandas.DataFrame`.

        Raises:
            StoreError: pandas is not installed.
        """
        return as_frame(self.to_dicts())

    def to_csv(self, path: str | Path | None = None) -> str:
        """The table as CSV, with a head; text that begins like a formula gets a `'` before it.

        Args:
            path: Where it is written, too.
        """
        return written(csv_text(*self._flat()), path)

    def to_document(self) -> dict[str, Any]:
        """The table as plain JSON values: `columns`, `constant`, `total`, `rows`."""
        names, rows = self._flat()
        return {
            **document_of(self.grid.columns, names, rows),
            "constant": as_json(self.hidden),
            "sort": [str(key) for key in self.keys],
            "total": self.total,
        }

    def to_json(self, path: str | Path | None = None) -> str:
        """`to_document` as text."""
        return written(json_text(self.to_document()), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The columns that people are shown, as a table of Markdown."""
        return written(markdown_text(self.sheet(), time.time()), path)

    def to_latex(self, path: str | Path | None = None) -> str:
        """The same as a `tabular` of LaTeX, the best of what rows are ordered by in bold."""
        return written(latex_text(self.sheet(), time.time()), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """The columns that people are shown, as a whole page of static HTML."""
        return written(whole_page(self.sheet(), time.time()), path)

    def _chosen(self) -> list[Column]:
        if isinstance(self.wanted, str):
            return [each for each in self.grid.columns if each.name not in self.hidden]
        known = {each.name: each for each in self.grid.columns}
        return [known[name] for name in dict.fromkeys(("id", *self.wanted)) if name in known]

    def _flat(self) -> tuple[list[str], list[Row]]:
        return flat(self._chosen(), self.grid.rows)

    def _with(self, rows: Iterable[Row]) -> ResultTable:
        return replace(self, grid=Grid(self.grid.columns, tuple(rows)))

    def _joined(self, keys: Sequence[str]) -> ResultTable:
        grid = grouped(self.grid, keys)
        constant = constants(grid.columns, grid.rows) if len(grid.rows) > 1 else self.constant
        kept = {name: value for name, value in constant.items() if name in keys}
        names = {each.name for each in grid.columns}
        lost = [c.name for c in self.grid.columns if c.kind == "value" and c.name not in names]
        return replace(
            self, grid=grid, constant=kept, total=len(grid.rows), keys=(), lost=tuple(lost)
        )


def _several(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given
