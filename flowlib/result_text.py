"""A table for the terminal: as wide as it is, and what has no room is named below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from flowlib.console_text import Line, Span, elided, harmless, merged
from flowlib.result_cells import MISSING, cell_text, is_number, title_of
from flowlib.result_columns import SortKey
from flowlib.result_sheet import Sheet, no_room_note
from flowlib.signs import Signs
from flowlib.vocabulary import shown_state
from stores.cells import Column, Row
from stores.lazy_dataclass import dataclass

_GAP: Final = "  "
_LONGEST_CELL: Final = 40
_CACHED: Final = "cached"


def table_lines(sheet: Sheet, width: int, signs: Signs, now: float) -> list[Line]:
    """Draw a table.

    Columns are left out from the right until it fits, those it is ordered by last; the line
    below says which.

    Args:
        sheet: The table.
        width: Cells of a line.
        signs: What it is made of.
        now: Unix time, for how long ago something was.
    """
    drawn = [_Drawn.of(each, sheet, signs, now) for each in sheet.columns]
    mark = f" {signs.icon(_CACHED)}" if any(row.get(_CACHED) for row in sheet.rows) else ""
    room = max(1, width - cell_len(mark))
    kept, dropped = _fitting(drawn, {each.name for each in sheet.keys}, room)
    lines: list[Line] = []
    if kept:
        head = [Span(_placed(each.title, each), "bold") for each in kept]
        rule = signs.box[4] * min(width, _total(kept))
        lines = [_row(head, room, signs), (Span(rule, "dim"),)]
        for number, row in enumerate(sheet.rows):
            cells = [Span(_placed(each.cells[number], each), _style(each, row)) for each in kept]
            line = _row(cells, room, signs)
            lines.append((*line, Span(mark[:width], "cyan")) if row.get(_CACHED) else line)
    notes = list(sheet.notes)
    if dropped:
        notes.insert(1, no_room_note([each.column.name for each in dropped]))
    return [*lines, *_wrapped(notes, width, signs)]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A column as text.

    Attributes:
        column: Which it is.
        title: What stands above it.
        cells: One for each row.
        width: Of the widest.
        is_right: Whether it holds numbers.
    """

    column: Column
    title: str
    cells: Sequence[str]
    width: int
    is_right: bool

    @classmethod
    def of(cls, column: Column, sheet: Sheet, signs: Signs, now: float) -> _Drawn:
        title = _said(title_of(column) + _arrow(column, sheet.keys, signs), signs)
        cells = [_said(_text(column, row, signs, now), signs) for row in sheet.rows]
        values = [row[column.name] for row in sheet.rows if column.name in row]
        is_right = bool(values) and all(map(is_number, values)) and column.name != "ended"
        return cls(column, title, cells, max(map(cell_len, [title, *cells])), is_right)


def _text(column: Column, row: Row, signs: Signs, now: float) -> str:
    if column.name == "state" and column.name in row:
        word = shown_state(row["state"]).word
        return f"{signs.icon(word)} {word}"
    text = cell_text(column, row, now)
    return "-" if text == MISSING and signs.is_ascii else text


def _said(text: str, signs: Signs) -> str:
    plain = text.replace("±", "+-") if signs.is_ascii else text
    return elided(harmless(plain, signs.encoding), _LONGEST_CELL, signs.more)


def _arrow(column: Column, keys: Sequence[SortKey], signs: Signs) -> str:
    down, up = (" v", " ^") if signs.is_ascii else (" ▾", " ▴")
    for key in keys[:1]:
        if key.name == column.name:
            return down if key.is_descending else up
    return ""


def _fitting(
    drawn: Sequence[_Drawn], keys: set[str], width: int
) -> tuple[list[_Drawn], list[_Drawn]]:
    """What is shown, and what is left out; the first column stays whatever the width."""
    kept, dropped = list(drawn), []
    order = [each for each in reversed(drawn[1:]) if each.column.name not in keys]
    order += [each for each in reversed(drawn[1:]) if each.column.name in keys]
    for each in order:
        if _total(kept) <= width:
            break
        kept.remove(each)
        dropped.append(each)
    return kept, [each for each in drawn if each in dropped]


def _total(drawn: Sequence[_Drawn]) -> int:
    return sum(each.width for each in drawn) + len(_GAP) * (len(drawn) - 1)


def _placed(text: str, drawn: _Drawn) -> str:
    spaces = " " * (drawn.width - cell_len(text))
    return f"{spaces}{text}" if drawn.is_right else f"{text}{spaces}"


def _style(drawn: _Drawn, row: Row) -> str:
    if drawn.column.name == "state":
        return shown_state(row["state"]).colour
    return "dim" if drawn.column.name not in row else ""


def _row(cells: Sequence[Span], width: int, signs: Signs) -> Line:
    spaced = [span for cell in cells for span in (Span(_GAP), cell)][1:]
    if len(cells) == 1:
        only = Span(elided(cells[0].text.rstrip(), width, signs.more), cells[0].style)
        return merged([only])
    return merged(spaced)


def _wrapped(notes: Sequence[str], width: int, signs: Signs) -> Iterator[Line]:
    """The notes, with dots between them, broken between words."""
    text = f" {signs.dot} ".join(harmless(each, signs.encoding) for each in notes)
    line = ""
    for word in text.split(" "):
        if line and cell_len(line) + 1 + cell_len(word) > width:
            yield (Span(line, "dim"),)
            line = ""
        line = f"{line} {word}" if line else elided(word, width, signs.more)
    if line:
        yield (Span(line, "dim"),)
