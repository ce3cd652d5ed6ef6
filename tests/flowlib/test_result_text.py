"""Is a table of results readable in a terminal of any width?"""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len

from flowlib import ResultTable
from flowlib.signs import ASCII_SIGNS, UNICODE_SIGNS
from stores import InMemoryStore
from tests.flowlib.result_rows import table, text_of

WIDE = [
    {"Train.lr": 0.1 * n, "acc": n, "loss": -n, "note": "ünï" * 20, "duration_s": 1.0}
    for n in range(3)
]


@pytest.mark.parametrize("width", [1, 10, 20, 35, 50, 80, 200])
@pytest.mark.parametrize("signs", [UNICODE_SIGNS, ASCII_SIGNS])
def test_no_line_is_wider_than_the_terminal(width, signs):
    """And what has no room is named."""
    lines = text_of(table(*WIDE, sort="acc"), width, signs).splitlines()
    assert max(map(cell_len, lines)) <= width
    if signs.is_ascii:
        assert all(map(str.isascii, lines))


def test_columns_without_room_are_named():
    """From the right; what rows are ordered by stays longest."""
    found = table(*WIDE, sort="-loss")
    lines = text_of(found, 40).splitlines()
    assert lines[0].split() == ["id", "Train.lr", "acc", "loss", "▾"]
    assert " ".join(lines[5:]) == "3 rows · no room for 2 columns (note, duration_s)"
    assert text_of(found, 23).splitlines()[0].split() == ["id", "loss", "▾"]


def test_what_users_write_cannot_harm_a_terminal():
    """Control characters are shown, in heads, cells and notes."""
    found = table({"Train.a": "x\x1b[31m", "b\n": "\r"}, {"Train.a": "x\x1b[31m", "b\n": "y"})
    text = text_of(found)
    assert "\x1b" not in text
    assert "\r" not in text
    assert r"b\n" in text
    assert r"a=x\x1b[31m" in text


def test_an_empty_table_says_so():
    """In every form."""
    found = table()
    assert text_of(found) == "0 rows\n"
    assert (found.to_csv(), found.to_markdown(), found.to_dicts()) == ("\n", "", [])
    assert json.loads(found.to_json())["rows"] == []
    assert "0 rows" in found._repr_html_()
    assert "0 rows" in str(InMemoryStoreTable())


def InMemoryStoreTable():
    return ResultTable.of(InMemoryStore().records("Nobody"), sort=(), top=3)
