"""Tests of what can stand in a config in place of a value."""

from __future__ import annotations

import pickle

import pytest

from flowlib.choices import Choices, Condition, integers, sweep, uniform, union, zipped
from flowlib.errors import SweepError


def test_sweep_keeps_its_values_in_order():
    """A sweep is its values, and a list among them is one value."""
    assert sweep(3, "a", [1, 2]).values == (3, "a", [1, 2])


def test_linear_range_has_clean_numbers_and_exact_ends():
    """Evenly spaced numbers are rounded to twelve digits, so that 0.3 is 0.3."""
    assert sweep.linear(0, 1, 11).values[3] == 0.3
    assert sweep.linear(0.1, 0.7, 3).values == (0.1, 0.4, 0.7)
    assert sweep.linear(5, 9, 1).values == (5,)


def test_log_range_has_a_constant_ratio():
    """Powers of ten come out as powers of ten."""
    assert sweep.log(1e-4, 1e-1, 4).values == (1e-4, 1e-3, 1e-2, 1e-1)


def test_integer_range_is_pythons():
    """`sweep.range` takes what `range` takes."""
    assert sweep.range(3).values == (0, 1, 2)
    assert sweep.range(2, 10, 3).values == (2, 5, 8)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sweep.log(0, 1, 3), "sweep.log needs positive ends, found 0 and 1"),
        (lambda: sweep.linear(0, 1, 0), "num >= 1, found 0"),
        (lambda: uniform(2, 1), "uniform needs low < high, found 2 and 1"),
        (lambda: uniform(0, float("inf")), "uniform needs low < high"),
        (lambda: uniform(0, 1, log=True), "log=True needs low > 0, found 0"),
        (lambda: integers(3, 2), "integers needs low <= high, found 3 and 2"),
    ],
)
def test_impossible_ranges_are_refused_where_they_are_written(make, words):
    """The error names the numbers found."""
    with pytest.raises(SweepError, match=words):
        make()


def test_conditions_accumulate_and_leave_the_original_alone():
    """`when` gives a new object of the same kind."""
    plain = sweep(1, 2)
    twice = plain.when(kernel="rbf").when(degree=(2, 3))
    assert plain.conditions == ()
    assert twice.values == plain.values
    assert twice.conditions == (Condition("kernel", ("rbf",)), Condition("degree", (2, 3)))


def test_every_kind_takes_conditions():
    """Zipped lists, unions and distributions may depend on another parameter too."""
    for kind in (zipped(1, 2), union({"a": 1}), uniform(0, 1), integers(1, 2)):
        conditional = kind.when(on=True)
        assert type(conditional) is type(kind)
        assert conditional.conditions == (Condition("on", (True,)),)


def test_a_condition_tells_true_from_one():
    """1 and 1.0 are the same to a condition, True is neither."""
    assert Condition("x", (1,)).holds(1.0)
    assert not Condition("x", (1,)).holds(True)
    assert Condition("x", (1, "a")).holds("a")


def test_uniform_maps_a_share_to_its_interval():
    """Half of the interval, or half of the magnitudes with `log`."""
    assert uniform(2, 4).value(0.5) == 3.0
    assert uniform(1e-4, 1e-2, log=True).value(0.5) == 1e-3
    assert uniform(2, 4).value(0.0) == 2.0


def test_groups_of_zipped_have_a_common_default():
    """Two calls without a group belong together."""
    assert zipped(1, 2).group == zipped(3, 4).group != zipped(3, 4, group="other").group


def test_union_copies_the_grids_it_is_given():
    """Changing a grid later does not change the union."""
    grid = {"a": [1, 2]}
    both = union(grid, {"b": 3})
    grid["a"] = []
    assert both.values == ({"a": [1, 2]}, {"b": 3})


def test_choices_survive_pickling():
    """Specs with sweeps can be sent to another process."""
    for each in (sweep(1, [2]).when(k="r"), zipped(1, 2), uniform(0, 1), integers(0, 3), sweep):
        again = pickle.loads(pickle.dumps(each))
        assert type(again) is type(each)
        if isinstance(again, Choices):
            assert again == each


def test_a_sweep_is_never_part_of_an_identity():
    """Where a sweep was not expanded it is refused, not encoded."""
    with pytest.raises(SweepError, match="is no value"):
        sweep(1, 2).__flowlib_identity__()
