"""How is a small table shown in a page? Static HTML with the colours of the page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

from flowlib.console_text import encodable

_MOST_ROWS: Final = 100
_MOST_BYTES: Final = 40_000
_LONGEST_CELL: Final = 60


def page_table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    note: str = "",
    most_bytes: int = _MOST_BYTES,
) -> str:
    """A table; whatever the cells hold is shown, not run. Long cells and tables are cut.

    Args:
        head: Names of the columns.
        rows: Their values; numbers stand to the right.
        note: A line below; empty for none.
        most_bytes: How large the rows may be, together.
    """
    lines: list[str] = []
    for row in rows[:_MOST_ROWS]:
        line = _row("td", row)
        most_bytes -= len(line.encode())
        if most_bytes < 0:
            break
        lines.append(line)
    hidden = len(rows) - len(lines)
    notes = [f"… and {hidden} more"] * (hidden > 0) + [note] * bool(note)
    below = "".join(f"<div>{html.escape(each)}</div>" for each in notes)
    return f"<div><table>{_row('th', head)}{''.join(lines)}</table>{below}</div>"


def _row(kind: str, cells: Sequence[object]) -> str:
    return f"<tr>{''.join(_cell(kind, each) for each in cells)}</tr>"


def _cell(kind: str, value: object) -> str:
    side = "right" if isinstance(value, int) else "left"
    text = encodable(str(value))
    text = text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
    return f'<{kind} style="text-align:{side}">{html.escape(text)}</{kind}>'
