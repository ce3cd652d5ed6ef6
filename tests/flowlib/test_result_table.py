"""Do results become a table of what varies, in the order that is asked for?"""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime

import pytest

from flowlib import ColumnUnknown, Flow, ResultTable, TaskSpec
from flowlib.result_groups import Spread
from flowlib.signs import ASCII_SIGNS
from stores import InMemoryStore
from tests.flowlib.result_rows import NOW, shown, table, text_of

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
