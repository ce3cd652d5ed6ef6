"""A table as static HTML: the first rows for a notebook, all of them for a page."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from flowlib.console_text import elided, encodable
from flowlib.result_cells import cell_text, is_number, title_of
from flowlib.result_sheet import Sheet, no_room_note
from flowlib.vocabulary import shown_state
from stores.cells import Column, Row

_MOST_ROWS: Final = 20
_MOST_BYTES: Final = 35_000
"""Of the table in a notebook; with the longest note it stays under 50 kB."""

_LONGEST_CELL: Final = 60
_LONGEST_NOTE: Final = 2000
_PAGE_STYLE: Final = (
    ":root{color-scheme:light dark}body{font-family:sans-serif}"
    "td,th{padding:2px 8px}tr:hover{background:#8883}"
)


def short_html(sheet: Sheet, now: float) -> str:
    """The first 20 rows, and how many there are; less than 50 kB, whatever the cells hold.

    Args:
        sheet: The table.
        now: Unix time, for how long ago something was.
    """
    rows, notes = sheet.rows[:_MOST_ROWS], list(sheet.notes)
    drawn = [_drawn(each, rows, now, _LONGEST_CELL) for each in sheet.columns]
    sizes = accumulate(sum(len(cell.encode()) for cell in each) for each in drawn)
    count = sum(size < _MOST_BYTES for size in sizes)
    if len(sheet.rows) > len(rows):
        notes.insert(1, f"the first {len(rows)} are shown")
    if hidden := sheet.columns[count:]:
        notes.insert(1, no_room_note([each.name for each in hidden]))
    note = " · ".join(notes)
    if len(note) > _LONGEST_NOTE:
        note = f"{note[: _LONGEST_NOTE // 2]} … {note[-_LONGEST_NOTE // 2 + 3 :]}"
    return f"<div>{_table(drawn[:count], len(rows))}<div>{_escaped(note)}</div></div>"


def whole_page(sheet: Sheet, now: float) -> str:
    """All rows, as a page that needs nothing from anywhere.

    Args:
        sheet: The table.
        now: Unix time, for how long ago something was.
    """
    title, note = _escaped(sheet.title), _escaped(" · ".join(sheet.notes))
    drawn = [_drawn(each, sheet.rows, now) for each in sheet.columns]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_PAGE_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f"{_table(drawn, len(sheet.rows))}\n<p>{note}</p></body></html>\n"
    )


def _table(drawn: Sequence[Sequence[str]], rows: int) -> str:
    if not drawn:
        return ""
    lines = [f"<tr>{''.join(each[number] for each in drawn)}</tr>" for number in range(rows + 1)]
    body = "\n".join(lines[1:])
    return (
        '<table style="border-collapse:collapse">'
        f"<thead>{lines[0]}</thead>\n<tbody>\n{body}\n</tbody></table>"
    )


def _drawn(
    column: Column, rows: Iterable[Row], now: float, longest: int | None = None
) -> list[str]:
    """The head and the cells of a column."""
    head = f"<th>{_escaped(title_of(column), longest)}</th>"
    return [head, *(_cell(column, row, now, longest) for row in rows)]


def _cell(column: Column, row: Row, now: float, longest: int | None) -> str:
    value = row.get(column.name)
    text = cell_text(column, row, now)
    if column.name == "state" and value is not None:
        state = shown_state(row["state"])
        text = f"{state.icon} {state.word}"
    elif column.name == "ended" and row.get("cached"):
        text = f"{text} {shown_state('cached').icon}"
    side = "right" if is_number(value) else "left"
    return f'<td style="text-align:{side}">{_escaped(text, longest)}</td>'


def _escaped(text: str, longest: int | None = None) -> str:
    return html.escape(encodable(text if longest is None else elided(text, longest, "…")))
