"""Are rows that differ in a seed joined, with mean and spread?"""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlib.result_groups import Spread
from tests.flowlib.result_rows import ROWS, shown, table, text_of


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
