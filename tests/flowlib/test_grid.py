"""Tests of how a config with choices becomes concrete configs."""

from __future__ import annotations

import copy
import itertools
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.choices import sweep
from flowlib.errors import SweepError
from flowlib.expansions.product import Product
from flowlib.grid import expand_config
from flowlib.grid_reader import Reading, read_tree
from flowlib.grid_walk import alternatives
from tests.flowlib.grid_values import values

# --- what is a choice, what is a value ---------------------------------------------------------


def test_without_an_expansion_lists_are_values():
    """`expand=None` leaves a config as it is, at every depth."""
    config = {"a": [1, 2], "b": {"c": [3, [4]], "d": []}, "e": ["@x"], "f": "@x"}
    assert values(config, None, group_prefix="@") == [config]


@pytest.mark.parametrize(
    "value", [(1, 2), range(3), {1, 2}, frozenset({1}), "ab", b"ab", Path("a")]
)
def test_only_lists_are_choices(value):
    """Tuples, ranges, sets and everything else are values, and stay the same object."""
    [point] = expand_config({"a": value, "b": {"c": value}}, "product")
    assert point["a"].value is value
    assert point["b"].value == {"c": value}


def test_an_array_is_a_value():
    """Arrays are neither compared nor walked."""
    array = pytest.importorskip("numpy").arange(3)
    points = list(expand_config({"a": array, "b": [array, 1]}, "product"))
    assert [point["a"].value is array for point in points] == [True, True]
    assert points[0]["b"].value is array


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"a": [[1, 2]]}, [{"a": [1, 2]}]),
        ({"a": [[1, 2], [3]]}, [{"a": [1, 2]}, {"a": [3]}]),
        ({"a": [1, [2, 3]]}, [{"a": 1}, {"a": [2, 3]}]),
        ({"a": [[{"x": [1, 2]}]]}, [{"a": [{"x": [1, 2]}]}]),
        ({"a": [[]]}, [{"a": []}]),
        ({"a": [1]}, [{"a": 1}]),
        ({"a": {"b": [1], "c": [[1]]}}, [{"a": {"b": 1, "c": [1]}}]),
        ({"a": [{"x": [1, 2]}, {"y": [3]}]}, [{"a": {"x": 1}}, {"a": {"x": 2}}, {"a": {"y": 3}}]),
    ],
)
def test_a_choice_that_is_a_list_is_a_value_and_a_dict_is_walked(config, expected):
    """Lists can be swept over; dicts among choices may hold choices."""
    assert values(config) == expected


def test_explicit_sweeps_are_choices_always():
    """In dicts, among choices, and inside lists and tuples that are values."""
    config = {"a": {"b": sweep(1, 2)}, "c": [3, sweep(4, 5)], "d": (sweep(6, 7), {"e": [8]})}
    expected = [
        {"a": {"b": b}, "c": [3, c], "d": (d, {"e": [8]})}
        for b, c, d in itertools.product((1, 2), (4, 5), (6, 7))
    ]
    assert values(config, None) == expected


def test_a_sweep_among_choices_adds_to_them():
    """Choices of choices are one list of alternatives."""
    assert values({"a": [1, sweep(2, 3)]}) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_dicts_in_a_sweep_follow_the_config_around_them():
    """Lists in them are values without an expansion, choices with one."""
    config = {"a": sweep({"x": [1, 2]}, 0)}
    assert values(config, None) == [{"a": {"x": [1, 2]}}, {"a": 0}]
    assert values(config) == [{"a": {"x": 1}}, {"a": {"x": 2}}, {"a": 0}]


def test_a_sweep_in_a_set_is_an_error():
    """A set has no order in which it could vary."""
    with pytest.raises(SweepError, match=r"T\.a: a set cannot hold a sweep"):
        expand_config({"a": {sweep(1, 2)}}, None, spec="T")


def test_dicts_that_do_not_vary_stay_the_same_object():
    """Types derived from dict survive where nothing has to be chosen."""
    inner = OrderedDict(x=1)
    [point] = expand_config({"a": inner}, "product")
    assert point["a"].value is inner


def test_a_config_that_contains_itself_is_an_error():
    """Instead of a recursion without end."""
    config: dict[str, object] = {"a": {}}
    config["a"] = config
    with pytest.raises(SweepError, match=r"T\.a\.a\.a: the config contains itself"):
        expand_config(config, "product", spec="T")


def test_an_empty_config_is_one_point():
    """A task without parameters is one task."""
    assert values({}) == values({}, None) == values({}, "zip") == [{}]


# --- product ----------------------------------------------------------------------------------

GRIDS = st.lists(st.lists(st.integers(), min_size=1, max_size=3), max_size=4)


@given(GRIDS)
def test_product_has_the_order_of_itertools(lists):
    """As many points as the product of the sizes, the last key fastest."""
    config = {f"p{i}": {"v": choices} if i % 2 else choices for i, choices in enumerate(lists)}
    flat = [
        [value["v"] if isinstance(value, dict) else value for value in point.values()]
        for point in values(config)
    ]
    assert flat == [list(combination) for combination in itertools.product(*lists)]


CONFIGS = st.recursive(
    st.one_of(st.integers(0, 3), st.none(), st.lists(st.integers(), min_size=2, max_size=2)),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        st.lists(inner, min_size=1, max_size=2),
        st.lists(st.one_of(st.integers(), inner), min_size=2, max_size=2).map(lambda v: [*v, "@x"]),
        st.lists(st.integers(), min_size=3, max_size=3).map(lambda v: [*v, "@y"]),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abcd"), CONFIGS, max_size=4))
def test_independent_axes_agree_with_the_walk_through_the_tree(config):
    """Taking a config apart into axes gives what walking it step by step gives, in its order."""
    before = copy.deepcopy(config)
    try:
        found = values(config, group_prefix="@")
    except SweepError:
        return
    tree = read_tree(config, Reading(True, Product().group, "@"))
    assert found == [value for value, _ in alternatives(tree.root, tree, {})]
    assert config == before
    sampled = values(config, {"random": {"n": len(found)}}, group_prefix="@")
    assert sorted(map(repr, sampled)) == sorted(map(repr, found))


def test_equal_alternatives_of_a_parameter_are_one_object():
    """Who encodes a parameter can remember what it has encoded."""
    points = list(
        expand_config({"a": [{"x": [1, 2]}, 3], "b": [1, 2, 3], "c": {"d": 4}}, "product")
    )
    assert len(points) == 9
    assert len({id(point["a"]) for point in points}) == 3
    assert len({id(point["b"]) for point in points}) == 3
    assert len({id(point["c"]) for point in points}) == 1


def test_points_are_made_when_they_are_asked_for():
    """A grid of 10**12 points can be begun."""
    config = {f"p{i}": {"v": list(range(100))} for i in range(6)}
    points = expand_config(config, "product")
    assert [next(points)["p5"].value["v"] for _ in range(3)] == [0, 1, 2]
