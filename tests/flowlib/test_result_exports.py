"""Do tables of results become files and pages that keep and harm nothing?"""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowlib.result_page import short_html
from tests.flowlib.result_rows import NOW, ROWS, Source, table, text_of

NASTY = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1", 'a"b,c\nd', "ü", "", "-", "x-"]


def test_csv_comes_back_and_holds_no_formula():
    """Text that begins like a formula is quoted; numbers are not."""
    found = table(*({"note": word, "acc": -0.5} for word in NASTY))
    head, *rows = csv.reader(io.StringIO(found.to_csv()))
    assert head == ["id", "task", "key", "state", "note", "acc"]
    assert [row[4] for row in rows] == [
        *("'=1+1 '+1 '-1 '@x '\t=1".split(" ")),
        "' =1",
        "'\uff1d1",
        'a"b,c\nd',
        "ü",
        "",
        "'-",
        "x-",
    ]
    assert {row[5] for row in rows} == {"-0.5"}


def test_a_mean_is_three_columns_for_programs(tmp_path):
    """Names that are taken are not used twice; missing ones are empty."""
    rows = [{"Train.seed": n, "acc": n, "acc.mean": "x"} for n in (1, 3)]
    found = table(*rows, {"Train.seed": 4, "acc.mean": "x"}, mean_over="seed")
    path = tmp_path / "ü.csv"
    text = found.to_csv(path)
    assert path.read_text(encoding="utf-8") == text
    (row,) = csv.DictReader(io.StringIO(text))
    assert row == {
        "rows": "3",
        "acc.mean_": "2.0",
        "acc.std": "1.4142135623730951",
        "acc.count": "2",
        "acc.mean": "x",
    }


def test_json_is_strict_and_tells_all():
    """NaN and infinities are words, times are ISO 8601, missing values are not there."""
    ended = datetime(2026, 1, 2, tzinfo=UTC)
    row = {"Train.layers": [64, (1, 2)], "acc": math.nan, "low": -math.inf, "ended": ended}
    found = table(row, {"Train.layers": [1], "Train.x": 1}, sort="-acc")
    whole = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert whole["schema"] == 1
    assert (whole["total"], whole["sort"], whole["constant"]) == (2, ["-acc"], {})
    assert {"name": "acc", "kind": "value"} in whole["columns"]
    assert whole["rows"][0] == {
        **Source({}).rows[0],
        "Train.layers": [64, [1, 2]],
        "acc": "NaN",
        "low": "-Infinity",
        "ended": "2026-01-02T00:00:00+00:00",
    }
    assert "acc" not in whole["rows"][1]
    assert json.loads(table({"Train.b": 1}, {"Train.b": 1}).to_json())["constant"] == {"Train.b": 1}


def test_markdown_keeps_its_cells():
    """Pipes, line breaks and markup in values are shown; numbers stand to the right."""
    found = table({"note": "a|b\n*c* <d>", "acc": 1.5}, {"acc": -2})
    assert found.to_markdown().splitlines() == [
        "| id | note | acc |",
        "| --- | --- | ---: |",
        r"| Train/00000000 | a\|b\\n\*c\* \<d\> | 1.5 |",
        "| Train/00000001 | – | -2 |",
    ]


def test_latex_has_the_best_in_bold(tmp_path):
    """Of what rows are ordered by; ties are bold alike; nothing in a cell is obeyed."""
    rows = [{"acc": 0.5, "loss": 2, "note": r"50% \{a}_b^~#$&<|>"}, {"acc": 0.7, "loss": 1}]
    found = table(*rows, {"acc": 0.7, "loss": 3}, {"acc": math.nan}, sort=["-acc", "loss"])
    path = tmp_path / "t.tex"
    lines = found.to_latex(path).splitlines()
    assert path.read_text() == found.to_latex()
    assert lines == [
        "% 4 rows",
        r"\begin{tabular}{lrrl}",
        r"\hline",
        r"id & acc & loss & note \\",
        r"\hline",
        r"Train/00000001 & \textbf{0.7} & \textbf{1} & -- \\",
        r"Train/00000002 & \textbf{0.7} & 3 & -- \\",
        r"Train/00000000 & 0.5 & 2 & 50\% \textbackslash{}\{a\}\_b\textasciicircum{}"
        r"\textasciitilde{}\#\$\&\textless{}\textbar{}\textgreater{} \\",
        r"Train/00000003 & nan & -- & -- \\",
        r"\hline",
        r"\end{tabular}",
    ]
    means = table(*({"Train.s": n, "acc": n / 8} for n in (1, 3)), mean_over="s", sort="acc")
    assert r"\textbf{0.25 $\pm$ 0.18}" in means.to_latex()
    assert r"\textbf" not in table(*rows).to_latex()
    assert table().to_latex().startswith("% 0 rows")


class _Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


EVIL = '<script>alert("1")</script>&'


def test_a_notebook_shows_the_first_twenty_rows():
    """Escaped, with the number of all; no colour is named."""
    found = table(*({"Train.x": f"{EVIL}{n}", "acc": n} for n in range(30)))
    text = found._repr_html_()
    read = _Cells(text)
    assert (read.tags.count("tr"), "script" in read.tags) == (21, False)
    assert f"{EVIL}19" in read.texts
    assert "30 rows · the first 20 are shown" in read.texts
    assert "color" not in text


def test_a_notebook_is_never_flooded():
    """Wide tables are cut, and say of what; the page has everything."""
    rows = [{f'Train."{EVIL}{n}"': f"{EVIL * 20}{row}" for n in range(300)} for row in range(30)]
    found = table(*rows)
    text = found._repr_html_()
    assert len(text.encode()) < 50_000
    assert "no room for" in text
    page = _Cells(found.to_html())
    assert (page.tags.count("tr"), page.tags.count("th"), "script" in page.tags) == (31, 301, False)
    assert short_html(found.sheet(), NOW).startswith("<div><table")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.lists(st.sampled_from(["a", "-a", "b", "-b"]), max_size=2))
@example([{"a": "\r0"}], [])  # a carriage return alone is quoted, too
def test_any_cells_can_be_ordered_and_written(rows, keys):
    """Nothing is lost, equal rows keep their order, and every form can be read again."""
    found = table(*rows)
    keys = [key for key in keys if any(key[-1] in row for row in rows)]
    again = found.sorted(*keys)
    assert sorted(again.values("key")) == found.values("key") if rows else len(again) == 0
    assert again.sorted(*keys).values("key") == again.values("key") if rows else True
    read = list(csv.reader(io.StringIO(again.to_csv())))
    assert len(read) == len(rows) + 1
    assert all(len(line) == len(read[0]) for line in read if line)
    whole = json.loads(again.to_json(), parse_constant=pytest.fail)
    assert [row["key"] for row in whole["rows"]] == (again.values("key") if rows else [])
    assert again.to_markdown().count("\n") == (len(rows) + 2 if rows else 0)
    for width in (10, 60):
        assert all(cell_len(line) <= width for line in text_of(again, width).splitlines())


def test_names_that_could_not_be_decoded_are_told(tmp_path):
    """Files are UTF-8 whatever the text is."""
    found = table({"note": "a\udc80b", "Train.x": "\udcff"}, {"Train.x": 1})
    for form in ("csv", "json", "markdown", "html"):
        path = tmp_path / form
        text = getattr(found, f"to_{form}")(path)
        assert "a\\udc80b" in text.replace("\\\\", "\\")
        assert path.read_text(encoding="utf-8") == text
    assert json.loads(found.to_json())["rows"][0]["note"] == "a\udc80b"
    assert "a\\udc80b" in text_of(found)
    assert "a\\udc80b" in found._repr_html_()
