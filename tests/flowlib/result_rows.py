"""Tables of rows that come from nowhere, for the tests of results."""

from __future__ import annotations

from hypothesis import strategies as st

from flowlib import ResultTable
from flowlib.console_text import plain
from flowlib.result_text import table_lines
from flowlib.signs import UNICODE_SIGNS
from stores.cells import Column, Grid

NOW = 1_000_000.0


class Source:
    """Rows that come from nowhere; columns are told by what they look like."""

    def __init__(self, *rows, task="Train"):
        self.rows = [
            {
                "id": f"{task}/{number:08x}",
                "task": task,
                "key": f"{number:032x}",
                "state": "finished",
            }
            | row
            for number, row in enumerate(rows)
        ]

    def grid(self):
        names = dict.fromkeys(name for row in self.rows for name in row)
        return Grid(tuple(Column(name, _kind(name)) for name in names), tuple(self.rows))


def _kind(name):
    if name in ("id", "task", "key", "state", "run", "cached"):
        return "identity"
    if name in ("duration_s", "ended"):
        return "time"
    return "config" if "." in name and name[0].isupper() else "value"


def table(*rows, **wishes):
    return ResultTable.of(Source(*rows), **wishes)


def text_of(found, width=100, signs=UNICODE_SIGNS):
    return plain(table_lines(found.sheet(), width, signs, NOW))


def shown(found):
    return [each.name for each in found.columns]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.lists(st.integers(), max_size=2)
)
ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), CELLS), max_size=8)
