"""Do rows of results become the lines that they should?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import ColumnUnknown, Flow, InMemoryStore, ResultTable, TaskSpec, parallel_coordinates
from flowlib.coordinates import NONE_HEIGHT, axis_of, coordinates_of
from flowlib.result_groups import Spread
from tests.acceptance import tasks


def axis(*values):
    """The axis of a column; None is a missing cell."""
    return axis_of("x", [{} if each is None else {"x": each} for each in values])


def names_of(source, *arguments):
    table = ResultTable.of(source)
    return [each.name for each in coordinates_of(table.grid, table.tasks, *arguments).axes]


def measured(lr, batch, seed):
    return {"acc": lr * batch, "metrics": {"loss": 1 / batch, "kind": "a"}}


@pytest.fixture(scope="module")
def run():
    config = {"lr": [1e-3, 1e-2, 1e-1], "batch": [32, 64], "seed": 0}
    spec = TaskSpec(measured, config, name="Train", expand="product")
    return Flow([spec]).run(num_workers=1, results_store=InMemoryStore())


def test_constant_columns_are_dropped_and_the_metric_comes_last(run):
    """Configs, then results, then the metric, which is the first result unless it is named."""
    assert names_of(run["Train"]) == ["Train.batch", "Train.lr", "metrics.loss", "acc"]
    assert names_of(run["Train"], "loss", "min")[-1] == "metrics.loss"
    assert names_of(run["Train"], "batch") == ["Train.lr", "acc", "metrics.loss", "Train.batch"]
    with pytest.raises(ColumnUnknown, match="nonsense"):
        names_of(run["Train"], "nonsense")
    with pytest.raises(ValueError, match="neither|mode is"):
        names_of(run["Train"], None, "best")


def test_records_of_a_store_and_tables_give_the_same_lines(run):
    """Also those that were joined over an axis."""
    pytest.importorskip("bokeh")
    of_run = names_of(run["Train"])
    assert names_of(run.store.records("Train")) == of_run
    assert parallel_coordinates(run.store.records("Train")).title == "Train"
    table = run["Train"].table(mean_over="lr")
    assert parallel_coordinates(table, "acc").title == "Train"
    assert run["Train"].parallel_coordinates("acc").title == "Train"


def test_the_best_row_comes_first(run):
    """In the direction of the mode; a row without the metric is the last."""
    table = ResultTable.of(run["Train"])
    best = coordinates_of(table.grid, table.tasks, "acc").rows
    assert [row["acc"] for row in best] == sorted((row["acc"] for row in best), reverse=True)
    worst = coordinates_of(table.grid, table.tasks, "acc", "min").rows
    assert [row["acc"] for row in worst] == sorted(row["acc"] for row in best)


def test_numbers_far_apart_have_a_log_axis():
    """Positive ones whose largest is more than fifty times the smallest; else they are linear."""
    far = axis(*[10.0 ** (power / 2) for power in range(-10, 1)])
    assert far.scale == "log"
    assert far.heights == pytest.approx([n / 10 for n in range(11)])
    assert [text for _, text in far.ticks] == ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1"]
    near = axis(*range(1, 51))
    assert near.scale == "linear"
    assert near.heights[10] == pytest.approx(10 / 49)
    assert axis(*range(51)).scale == "linear"
    assert axis(*[-1, *range(1, 100)]).scale == "linear"


def test_words_and_few_numbers_have_rungs():
    """In order; True and False are words, and so are None in the text of a value."""
    assert axis(128, 32, 64).ticks == ((0.0, "32"), (0.5, "64"), (1.0, "128"))
    assert axis("sgd", "adam", "sgd").heights == (1.0, 0.0, 1.0)
    assert axis(True, False).ticks == ((0.0, "False"), (1.0, "True"))
    assert axis("a").heights == (0.5,)
    assert axis([1, 2], [1, 3]).ticks == ((0.0, "[1, 2]"), (1.0, "[1, 3]"))
    mixed = axis(*range(20), "auto")
    assert mixed.scale == "rungs"
    assert mixed.heights[-1] == 1.0


def test_what_has_no_value_is_on_the_rung_below():
    """Missing, None, NaN and infinite, in an axis of numbers and in one of words."""
    numbers = axis(*range(20), None, math.nan, math.inf)
    assert numbers.heights[-3:] == (NONE_HEIGHT,) * 3
    assert numbers.ticks[0] == (NONE_HEIGHT, "none")
    assert numbers.heights[:2] == pytest.approx((0, 1 / 19))
    words = axis_of("x", [{"x": "a"}, {"x": None}, {}])
    assert words.heights == (0.5, NONE_HEIGHT, NONE_HEIGHT)
    assert axis(None, None).ticks == ((NONE_HEIGHT, "none"),)


def test_a_mean_is_as_high_as_a_number():
    """What was joined over seeds is drawn by its means."""
    found = axis(*[Spread(float(n), 0.1, 3, 3) for n in range(20)])
    assert found.scale == "linear"
    assert found.heights[-1] == 1.0


@given(
    st.lists(
        st.none() | st.integers() | st.floats() | st.booleans() | st.text(max_size=5)
        | st.lists(st.integers(), max_size=2),
        max_size=30,
    )
)  # fmt: skip
def test_every_value_has_a_place(values):
    """Between 0 and 1, or on the rung below; larger numbers are never lower."""
    found = axis(*values)
    assert len(found.heights) == len(values)
    assert all(height == NONE_HEIGHT or 0 <= height <= 1 for height in found.heights)
    if found.scale != "rungs":
        pairs = [(v, h) for v, h in zip(values, found.heights, strict=True) if h != NONE_HEIGHT]
        heights = [height for _, height in sorted(pairs)]
        assert heights == sorted(heights)
        assert (heights[0], heights[-1]) == (0.0, 1.0)


def test_tasks_that_failed_are_there(run):
    """With their configs, and no results."""
    flow = Flow(
        [TaskSpec(tasks.Failing, {"x": [1, 2], "how": ["error", "none"]}, expand="product")]
    )
    failed = flow.run(num_workers=1, exit_on_error=False, results_store=InMemoryStore())
    assert "Failing.x" in names_of(failed["Failing"])
