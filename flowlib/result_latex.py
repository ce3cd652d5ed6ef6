"""A table as LaTeX, with the best of each column that rows are ordered by in bold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowlib.console_text import harmless
from flowlib.result_cells import cell_text, is_comparable, is_number, title_of
from flowlib.result_columns import SortKey
from flowlib.result_groups import Spread
from flowlib.result_sheet import Sheet
from stores.cells import Column, Row

_SPECIAL: Final = str.maketrans(
    {
        **{each: f"\\{each}" for each in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "±": r"$\pm$",
        "–": "--",
    }
)


def latex_text(sheet: Sheet, now: float) -> str:
    """A `tabular` that needs no package; what cells hold is shown, not obeyed.

    Args:
        sheet: What is shown. Of results by which rows are ordered upwards the smallest is the
            best, else the largest.
        now: Unix time, for how long ago something was.
    """
    sides = "".join("r" if _is_right(each, sheet.rows) else "l" for each in sheet.columns)
    best = {key.name: _best(key, sheet) for key in sheet.keys}
    rows = [
        " & ".join(_cell(each, row, now, best.get(each.name)) for each in sheet.columns)
        for row in sheet.rows
    ]
    head = " & ".join(_escaped(title_of(each)) for each in sheet.columns)
    lines = [
        f"% {harmless(' · '.join(sheet.notes))}",
        f"\\begin{{tabular}}{{{sides}}}",
        r"\hline",
        f"{head} \\\\",
        r"\hline",
        *(f"{row} \\\\" for row in rows),
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _best(key: SortKey, sheet: Sheet) -> float | None:
    """The best number of a column of results; None if there is none."""
    if all(each.kind != "value" for each in sheet.columns if each.name == key.name):
        return None
    values = (row.get(key.name) for row in sheet.rows)
    numbers = [_number(value) for value in values if is_comparable(value)]
    pick = max if key.is_descending else min
    return pick(numbers, default=None)


def _number(value: object) -> float:
    number = value.mean if isinstance(value, Spread) else value
    assert isinstance(number, (int, float))  # noqa: S101  # it is comparable
    return number


def _cell(column: Column, row: Row, now: float, best: float | None) -> str:
    text = _escaped(cell_text(column, row, now))
    value = row.get(column.name)
    is_best = best is not None and is_comparable(value) and _number(value) == best
    return f"\\textbf{{{text}}}" if is_best else text


def _is_right(column: Column, rows: Iterable[Row]) -> bool:
    values = [row[column.name] for row in rows if column.name in row]
    return bool(values) and all(map(is_number, values))


def _escaped(text: str) -> str:
    return harmless(text).translate(_SPECIAL)
