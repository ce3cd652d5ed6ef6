"""Do results become a table: what varies, in order, joined over seeds, as text and as files?"""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowlib import ColumnUnknown, Flow, ResultTable, TaskSpec
from flowlib.console_text import plain
from flowlib.result_groups import Spread
from flowlib.result_page import short_html
from flowlib.result_text import table_lines
from flowlib.signs import ASCII_SIGNS, UNICODE_SIGNS
from stores import InMemoryStore
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


# -- which columns -----------------------------------------------------------------------------


def test_only_what_varies_is_shown():
    """Constant configs are named in the line below; results and times always stand there."""
    found = table(
        {"Load.n": 1, "Train.lr": 0.1, "Train.batch": 64, "acc": 0.5, "duration_s": 1.0},
        {"Load.n": 2, "Train.lr": 0.2, "Train.batch": 64, "acc": 0.5, "duration_s": 1.0},
    )
    assert shown(found) == ["id", "Train.lr", "Load.n", "acc", "duration_s"]
    assert text_of(found) == (
        "id              Train.lr  Load.n  acc   time\n"
        "────────────────────────────────────────────\n"
        "Train/00000000       0.1       1  0.5  1.0 s\n"
        "Train/00000001       0.2       2  0.5  1.0 s\n"
        '2 rows · constant columns hidden (batch=64; columns="all")\n'
    )


def test_all_columns_on_request():
    """Nothing is hidden then."""
    found = table({"Train.lr": 1, "run": "x"}, {"Train.lr": 1, "run": "x"}, columns="all")
    assert shown(found) == ["id", "task", "key", "state", "run", "Train.lr"]
    assert "hidden" not in text_of(found)
    assert shown(found.with_columns("varying")) == ["id"]
    with pytest.raises(ValueError, match='"varying", "all" or a list'):
        table(columns="some")


def test_some_columns_alone():
    """In the order that is asked for, behind the id; in files, too."""
    rows = [{"Train.lr": n, "Train.batch": 64, "acc": n, "note": "x"} for n in (1, 2)]
    found = table(*rows, columns=["acc", "batch"])
    assert shown(found) == ["id", "acc", "Train.batch"]
    assert found.to_csv().splitlines()[0] == "id,acc,Train.batch"
    assert text_of(found).splitlines()[-1] == "2 rows"
    means = table(*rows, group_by="batch", columns=["acc"])
    assert shown(means) == ["acc"]
    with pytest.raises(ColumnUnknown, match="no column 'loss'"):
        found.with_columns(["loss"])


def test_states_are_shown_as_soon_as_one_is_not_finished():
    """With icon and word."""
    found = table({"acc": 1}, {"state": "upstream_failed"})
    assert shown(found) == ["id", "state", "acc"]
    assert "⊘ skipped" in text_of(found)
    assert "/ skipped" in text_of(found, signs=ASCII_SIGNS)


def test_what_was_found_has_a_mark():
    """At the end of the line, however little room there is."""
    ended = datetime.fromtimestamp(NOW - 250, UTC)
    lines = text_of(table({"ended": ended, "cached": True}, {"ended": ended, "cached": False}))
    assert lines.splitlines()[2:4] == [
        "Train/00000000  4 min ago ≡",
        "Train/00000001  4 min ago",
    ]
    cached = text_of(table({"ended": ended, "cached": True}), 16, ASCII_SIGNS).splitlines()
    assert cached[2] == "Train/00000000 ="
    assert " ".join(cached[3:]) == "1 row | no room for 1 column (ended)"


# -- which column is meant ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("Train.lr", "Train.lr"),
        ("lr", "Train.lr"),
        ("train.LR", "Train.lr"),
        ("seed", "Train.seed"),
        ("Load.seed", "Load.seed"),
        ("time", "duration_s"),
        ("when", "ended"),
        ("loss", "metrics.loss"),
    ],
)
def test_a_column_is_called_by_as_much_as_tells_it_from_others(wanted, meant):
    """The task's own column wins over those of its ancestors."""
    row = {
        "Load.seed": 1,
        "Train.lr": 0.1,
        "Train.seed": 2,
        "duration_s": 1.0,
        "ended": datetime.now(UTC),
        "metrics.loss": 1,
    }
    assert table(row).column(wanted) == meant


def test_a_column_that_is_not_there_is_an_error_with_a_hint():
    """And so is one that may be several."""
    found = table({"Load.n": 1, "Embed.n": 2, "acc": 1})
    with pytest.raises(ColumnUnknown, match="no column 'ac'. Did you mean acc"):
        found.sorted("-ac")
    with pytest.raises(ColumnUnknown, match="any of Load.n, Embed.n"):
        found.values("n")
    with pytest.raises(ColumnUnknown, match="no parameter"):
        found.mean_over("acc")


# -- order -------------------------------------------------------------------------------------


def test_rows_are_ordered_by_several_columns():
    """The first counts most; equal rows keep their order; the first key has an arrow."""
    found = table(
        {"Train.lr": 1, "acc": 0.5}, {"Train.lr": 2, "acc": 0.7}, {"Train.lr": 1, "acc": 0.7}
    )
    assert found.sorted("-acc", "lr").values("id") == [
        "Train/00000002",
        "Train/00000001",
        "Train/00000000",
    ]
    assert "acc ▾" in text_of(found.sorted("-acc"))
    assert "acc ^" in text_of(found.sorted("acc"), signs=ASCII_SIGNS)
    assert found.sorted().values("id") == found.values("id")


MIXED = [{"v": "b"}, {}, {"v": math.nan}, {"v": 2}, {"v": None}, {"v": True}, {"v": -math.inf}]


@pytest.mark.parametrize(
    ("key", "order"), [("v", [6, 3, 5, 0, 4, 2, 1]), ("-v", [3, 6, 5, 0, 4, 2, 1])]
)
def test_mixed_kinds_have_an_order(key, order):
    """Numbers, True, words, None, NaN, and last what is missing, whatever the direction."""
    keys = [int(row["key"], 16) for row in table(*MIXED, sort=key)]
    assert keys == order


def test_the_first_rows_are_taken():
    """The line below tells of how many; columns that varied stay."""
    found = table({"Train.lr": 1, "acc": 1}, {"Train.lr": 2, "acc": 3}, sort="-acc", top=1)
    assert [row["acc"] for row in found] == [3]
    assert "1 of 2 rows" in text_of(found)
    assert "Train.lr" in shown(found)
    assert (found[0]["acc"], len(found[:1]), len(found.top(0))) == (3, 1, 0)
    with pytest.raises(ValueError, match="top is -1"):
        found.top(-1)


def test_the_best_row():
    """Of those that have a number; NaN is none."""
    found = table({"acc": math.nan}, {"acc": 0.5}, {"acc": 0.7}, {"acc": "x"}, {})
    assert found.best("acc")["acc"] == 0.7
    assert found.best("acc", mode="min")["acc"] == 0.5
    with pytest.raises(ValueError, match="max"):
        found.best("acc", mode="most")
    with pytest.raises(ValueError, match="no row has a number in id"):
        found.best("id")


# -- mean and spread ---------------------------------------------------------------------------


def test_rows_that_differ_in_a_seed_are_joined():
    """Mean, standard deviation of the sample, how many there are, and how many lack a number."""
    found = table(
        {"Train.lr": 1, "Train.seed": 1, "acc": 0.90, "word": "x"},
        {"Train.lr": 1, "Train.seed": 2, "acc": 0.94, "word": "x"},
        {"Train.lr": 2, "Train.seed": 1, "acc": 0.5, "word": "x"},
        {"Train.lr": 2, "Train.seed": 2, "word": "y"},
        mean_over="seed",
        sort="-acc",
    )
    assert shown(found) == ["Train.lr", "rows", "acc", "word"]
    first, second = found
    assert (first["rows"], first["acc"].count, first["word"]) == (2, 2, "x")
    assert first["acc"].mean == pytest.approx(0.92)
    assert first["acc"].std == pytest.approx(0.02 * math.sqrt(2))
    assert second == {"Train.lr": 2, "rows": 2, "acc": Spread(0.5, None, 1, 2)}
    assert text_of(found) == (
        "Train.lr  rows          acc ▾  word\n"
        "───────────────────────────────────\n"
        "       1     2  0.920 ± 0.028  x\n"
        "       2     2   0.5 (1 of 2)  –\n"
        "2 rows\n"
    )
    assert found.best("acc", mode="min")["Train.lr"] == 2


def test_types_tell_rows_apart_and_what_is_lost_is_named():
    """1 is not True; words that differ everywhere leave with a note."""
    found = table(
        {"Train.x": 1, "Train.seed": 1, "note": "a"},
        {"Train.x": True, "Train.seed": 1, "note": "b"},
        {"Train.x": 1, "Train.seed": 2, "note": "c"},
        {"Train.x": True, "Train.seed": 2, "note": "d"},
        mean_over=["seed"],
    )
    assert [(row["Train.x"], row["rows"]) for row in found] == [(1, 2), (True, 2)]
    assert "words that differ within rows left out (note)" in text_of(found)


def test_rows_are_joined_by_some_columns_alone():
    """Whatever the others hold."""
    found = table(
        {"Train.lr": 1, "Train.a": 1, "acc": 1},
        {"Train.lr": 1, "Train.a": 2, "acc": 3},
        {"Train.lr": 2, "Train.a": 3, "acc": 5},
        group_by="lr",
    )
    assert [(row["Train.lr"], row["acc"].mean, row["rows"]) for row in found] == [
        (1, 2.0, 2),
        (2, 5.0, 1),
    ]


@pytest.mark.parametrize(
    ("numbers", "mean", "std", "text"),
    [
        ([1.0], 1.0, None, "1"),
        ([2.0, 2.0], 2.0, 0.0, "2 ± 0"),
        ([1 / 3] * 3, 1 / 3, 0.0, "0.333333 ± 0"),
        ([1.0, 3.0], 2.0, math.sqrt(2), "2.0 ± 1.4"),
        ([1000.0, 3000.0], 2000.0, 1000 * math.sqrt(2), "2000 ± 1414"),
        ([1e308, 1.5e308], 1.25e308, 0.5e308 / math.sqrt(2), "1.25e+308 ± 3.5e+307"),
        ([1e-30, 3e-30], 2e-30, math.sqrt(2) * 1e-30, "2e-30 ± 1.4e-30"),
    ],
)
def test_a_spread_tells_mean_and_deviation(numbers, mean, std, text):
    """With as many digits as the deviation has."""
    found = Spread.of(numbers, len(numbers))
    assert found.mean == pytest.approx(mean)
    assert found.std == (None if std is None else pytest.approx(std))
    assert str(found) == text


def test_nan_and_infinity_are_not_swept_under_the_mean():
    """One NaN makes it NaN, as numpy does."""
    assert math.isnan(Spread.of([1.0, math.nan], 2).mean)
    assert Spread.of([1.0, math.inf], 2).mean == math.inf
    assert str(Spread.of([1.0, math.inf], 2)) == "inf ± nan"


# -- the terminal ------------------------------------------------------------------------------

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


# -- files -------------------------------------------------------------------------------------

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


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.lists(st.integers(), max_size=2)
)
ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), CELLS), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.lists(st.sampled_from(["a", "-a", "b", "-b"]), max_size=2))
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


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2, max_size=9))
def test_a_spread_is_what_statistics_says(numbers):
    """Against the standard library."""
    found = Spread.of(numbers, len(numbers))
    scale = max(map(abs, numbers)) or 1.0
    assert found.mean == pytest.approx(statistics.fmean(numbers), rel=1e-9, abs=scale * 1e-9)
    assert found.std == pytest.approx(statistics.stdev(numbers), rel=1e-6, abs=scale * 1e-9)
    assert str(found)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_joined_rows_add_up(rows):
    """Every row is in one group, however odd the cells are."""
    grouped = table(*({f"Train.{name}": row[name] for name in row} for row in rows))
    if "Train.a" in {each.name for each in grouped.grid.columns}:
        assert sum(row["rows"] for row in grouped.group_by("a")) == len(rows)


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


# -- runs and stores ---------------------------------------------------------------------------


def load(n=1):
    return {"data": n}


def train(data, lr, seed=0, batch=64):
    if lr < 0:
        raise ValueError("negative")
    return {"acc": 1 - lr + seed / 100, "metrics": {"loss": lr}, "model": {1, 2}}


@pytest.fixture(scope="module")
def runs():
    loads = TaskSpec(load, {"n": [1, 2]}, expand="product", name="Load")
    config = {"lr": [0.25, 0.5, -1.0], "seed": [1, 2]}
    trains = TaskSpec(train, config, expand="product", name="Train").requires(loads)
    flow, store = Flow([loads, trains]), InMemoryStore()
    first = flow.run(num_workers=1, results_store=store, exit_on_error=False)
    return first, flow.run(num_workers=1, results_store=store, exit_on_error=False), store


def test_a_run_and_its_store_give_the_same_table(runs):
    """Columns, constants and cells; the run knows besides what was cached."""
    first, _, store = runs
    of_run, of_store = first["Train"].table(sort="key"), ResultTable.of(store.records("Train"))
    of_store = of_store.sorted("key")
    expected = ["id", "state", "Train.lr", "Train.seed", "Load.n", "acc", "metrics.loss"]
    assert shown(of_run) == shown(of_store) == [*expected, "duration_s", "ended"]
    assert of_run.constant == of_store.constant == {"Train.batch": 64}
    for ours, theirs in zip(of_run, of_store, strict=True):
        assert ours.pop("cached") is False
        assert ours == theirs
    assert of_run.to_csv().count("\n") == of_store.to_csv().count("\n") == 13


def test_a_second_run_marks_what_it_has_found(runs):
    """Cached results keep the time when they were computed."""
    first, second, _ = runs
    found = second["Train"].table(sort="-acc", top=8)
    assert set(found.values("cached")) == {True}
    assert str(found).count("≡") == 8
    before = {row["key"]: row["ended"] for row in first["Train"].table()}
    assert all(row["ended"] == before[row["key"]] for row in found)


def test_results_are_a_table_by_themselves(runs):
    """As text, in a notebook, for pandas; the best one is found in dicts, too."""
    first, _, _ = runs
    results = first["Train"]
    assert str(results) == str(results.table())
    assert results._repr_html_().count("<tr>") == 13
    assert results.best("metrics.loss", mode="min").config["lr"] == 0.25
    mean = results.table(mean_over=["seed", "Load.n"], sort="-acc")
    assert [row["Train.lr"] for row in mean] == [0.25, 0.5, -1.0]
    assert mean[0]["acc"] == Spread(pytest.approx(0.765), pytest.approx(0.01 / math.sqrt(3)), 4, 4)
    assert "acc" not in mean[2]


def test_nothing_heavy_is_loaded_for_a_table():
    """No numpy, no pandas, no networkx."""
    from tests.architecture.sources import output_of

    code = (
        "import sys; from flowlib import ResultTable; from stores import InMemoryStore;"
        "table = ResultTable.of(InMemoryStore().records()); str(table), table.to_html();"
        "print([m for m in ('numpy', 'pandas', 'networkx', 'pydantic', 'asyncio') if m in sys.modules])"
    )
    assert output_of(code) == "[]"
    assert "flowlib" in sys.modules
