"""A table as CSV, JSON or Markdown."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from flowlib.console_text import encodable, harmless
from flowlib.result_cells import as_json, cell_text, for_spreadsheet, is_number, title_of
from flowlib.result_sheet import Sheet
from stores.cells import Column, Row

SCHEMA: Final = 1
"""Of the JSON; parts may be added without another number."""

_MARKUP: Final = str.maketrans({each: f"\\{each}" for each in "\\`*_{}[]<>|~$"})


def csv_text(names: Sequence[str], rows: Iterable[Row]) -> str:
    """A table as CSV; a missing value is an empty cell."""
    written = _Lines()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(map(for_spreadsheet, names))
    writer.writerows(
        [for_spreadsheet(row[name]) if name in row else "" for name in names] for row in rows
    )
    return encodable("".join(written.lines))


class _Lines:
    """What `csv.writer` writes; it quotes a carriage return only where lines end with one."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """Take one row, and end it as all texts of ours end."""
        self.lines.append(line.removesuffix("\r\n") + "\n")


def document_of(
    columns: Iterable[Column], names: Iterable[str], rows: Iterable[Row]
) -> dict[str, Any]:
    """Columns and rows as plain JSON values.

    Args:
        columns: All that are known.
        names: Those that programs want, parts of means among them.
        rows: By these names.
    """
    kinds = {each.name: each.kind for each in columns}
    return {
        "columns": [{"name": name, "kind": kinds.get(name, "value")} for name in names],
        "rows": [as_json(row) for row in rows],
    }


def json_text(document: dict[str, Any]) -> str:
    """A document as text, with the number of its schema."""
    whole = {"schema": SCHEMA, **document}
    return encodable(json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def markdown_text(sheet: Sheet, now: float) -> str:
    """A table of GitHub's Markdown; whatever cells hold is shown as it is.

    Args:
        sheet: What is shown.
        now: Unix time, for how long ago something was.
    """
    values = {c.name: [row[c.name] for row in sheet.rows if c.name in row] for c in sheet.columns}
    sides = [bool(found) and all(map(is_number, found)) for found in values.values()]
    lines = [
        [_marked(title_of(each)) for each in sheet.columns],
        ["---:" if is_right else "---" for is_right in sides],
        *([_marked(cell_text(each, row, now)) for each in sheet.columns] for row in sheet.rows),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) if sheet.columns else ""


def _marked(text: str) -> str:
    return harmless(text).translate(_MARKUP)


def written(text: str, path: str | Path | None) -> str:
    """A text, which is written to a file in UTF-8 if there is one."""
    if path is not None:
        Path(path).write_text(text, encoding="utf-8", newline="")
    return text
