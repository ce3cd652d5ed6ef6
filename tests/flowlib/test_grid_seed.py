"""Expansion as fluidml 0.3.4 was measured to do it, and where flowlib differs on purpose."""

from __future__ import annotations

import copy

import pytest

from flowlib.errors import SweepError
from flowlib.grid import expand_config

FOUR = [1, 2, 3, 4]
LAYERS = [[64, 32, 16, 8]]

NESTED = {
    "model": [{"depth": [1, 2]}, {"depth": 4}],
    "data": {"size": [1, 2, 3], "name": "digits", "extra": {}},
    "train": {"fast": True, "more": {"layers": LAYERS, "deep": False}},
}
LOCKSTEP = {
    "model": {"inner": {"depth": [None, None, 4, None]}, "width": FOUR},
    "data": {"size": [True, False, False, False], "name": ["digits"], "extra": {}},
    "train": {"fast": True, "more": {"layers": LAYERS, "deep": [False]}},
}
LOCKSTEP_GROUP = {
    "model": {"inner": {"depth": [None, None, 4, None, "@x"]}, "width": [*FOUR, "@x"]},
    "data": {"size": [True, False, False, False, "@x"], "name": ["digits"], "extra": {}},
    "train": {"fast": True, "more": {"layers": LAYERS, "deep": [False]}},
}
DICTS = [{"v": number} for number in FOUR]
LOCKSTEP_DICTS = {
    "model": {"inner": {"depth": DICTS}, "width": DICTS},
    "data": {"size": DICTS, "name": ["digits"]},
}
GROUPS_IN_GROUP = {
    "encoder": [{"dim": [1, 2, "@dim"]}, {"dim": [1, 2, "@dim"]}, "@which"],
    "decoder": [
        {
            "heads": [3, 4, "@heads"],
            "fixed": {"a": 99, "layers": [[5, 6]]},
            "dim": [1, 2, "@dim"],
            "drop": {"in": [1, 2, "@heads"], "out": [3, 4, "@heads"]},
        },
        {"fixed": 99, "dim": [1, 2]},
        "@which",
    ],
}
ONE_GROUP_IN_GROUP = {
    "encoder": [{"dim": [1, 2, "@dim"]}, {"dim": [1, 2, "@dim"]}, "@which"],
    "decoder": [
        {"heads": [3, 4, "@dim"], "drop": {"in": [1, 2, "@dim"], "out": [3, 4, "@dim"]}},
        {"fixed": 99, "dim": [1, 2, "@dim"]},
        "@which",
    ],
}
NO_GROUPS = {
    "encoder": [{"dim": [1, 2]}, {"dim": [1, 2]}],
    "decoder": [
        {"heads": [3, 4], "dim": [1, 2], "drop": {"in": [1, 2], "out": [3, 4]}},
        {"fixed": 99, "dim": [1, 2]},
    ],
}
REACHING = {
    "model": [{"dim": [1, 2, "@x"]}, {"dim": 4}],
    "data": {"size": [1, 2, "@x"]},
    "train": {"fast": [True, False], "more": {"deep": [True, False, "@x"]}},
}
TWO_REACHING = {
    "model": [{"dim": [1, 2, "@x"]}, {"dim": 4}, "@z"],
    "data": {"size": [1, 2, "@x"], "extra": {}},
    "train": {"fast": [True, False, "@z"], "more": {"deep": [True, False, "@x"]}},
}


def values(config, expand, group_prefix=None):
    points = expand_config(config, expand, group_prefix=group_prefix)
    return [{name: choice.value for name, choice in point.items()} for point in points]


@pytest.mark.parametrize(
    ("config", "expand", "count"),
    [
        ({}, "product", 1),
        (NESTED, "product", 9),
        (LOCKSTEP, "zip", 4),
        (LOCKSTEP_GROUP, "product", 4),
        (LOCKSTEP_DICTS, "zip", 4),
        (GROUPS_IN_GROUP, "product", 8),
        (ONE_GROUP_IN_GROUP, "product", 4),
        (NO_GROUPS, "product", 72),
        (REACHING, "product", 8),
        (TWO_REACHING, "product", 4),
        ({name: list(range(10)) for name in "abcde"}, "zip", 10),
    ],
)
def test_as_many_configs_as_the_seed_makes(config, expand, count):
    """Counts seen in fluidml's own tests for configs of the same build."""
    before = copy.deepcopy(config)
    found = values(config, expand, "@")
    assert len(found) == count
    assert config == before


@pytest.mark.parametrize(
    ("config", "prefix", "expected"),
    [
        ({"a": [1, 2], "b": [3, 4]}, None, [(1, 3), (1, 4), (2, 3), (2, 4)]),
        ({"a": {}}, None, [({},)]),
        ({"a": [{}]}, None, [({},)]),
        ({"a": [[1, 2]]}, None, [([1, 2],)]),
        ({"a": [[[1, 2], [3]]]}, None, [([[1, 2], [3]],)]),
        (
            {"a": [True, False, "@x"], "b": [[[1, 2]], [[3]], "@x"]},
            "@",
            [(True, [[1, 2]]), (False, [[3]])],
        ),
        ({"a": [{"x": [1, 2]}, {"y": 3}]}, None, [({"x": 1},), ({"x": 2},), ({"y": 3},)]),
        ({"a": [{"x": [1, 2]}, 5]}, None, [({"x": 1},), ({"x": 2},), (5,)]),
        (
            {"a": {"b": [{"c": [1, 2]}, {"d": [3, 4]}]}},
            None,
            [({"b": {"c": 1}},), ({"b": {"c": 2}},), ({"b": {"d": 3}},), ({"b": {"d": 4}},)],
        ),
        ({"a": [None, 1]}, None, [(None,), (1,)]),
        (
            {"a": [1, 2, "@x"], "b": [1, 2, 3], "c": [1, 2, "@x"]},
            "@",
            [(1, 1, 1), (1, 2, 1), (1, 3, 1), (2, 1, 2), (2, 2, 2), (2, 3, 2)],
        ),
        ({"a": [1, 2, "@x"], "c": [1, 2, "@y"]}, "@", [(1, 1), (1, 2), (2, 1), (2, 2)]),
        ({"a": [1, 2, "@x"], "n": {"c": [1, 2, "@x"]}}, "@", [(1, {"c": 1}), (2, {"c": 2})]),
        ({"a": [[1, 2, "@x"]], "b": [3]}, "@", [([1, 2, "@x"], 3)]),
        ({"a": ["u", "@v"]}, "@", [("u",)]),
    ],
)
def test_product_as_measured(config, prefix, expected):
    """Rows of the parity page that flowlib keeps: values and order."""
    assert [tuple(each.values()) for each in values(config, "product", prefix)] == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"a": [1, 2], "b": [3, 4]}, [(1, 3), (2, 4)]),
        ({"a": [1, 2], "b": 7, "c": [8]}, [(1, 7, 8), (2, 7, 8)]),
        ({"a": [[1, 2]]}, [([1, 2],)]),
        ({"a": [{"x": 1}, {"x": 2}], "b": [10, 20]}, [({"x": 1}, 10), ({"x": 2}, 20)]),
        ({"a": {"x": [1, 2]}, "b": [10, 20]}, [({"x": 1}, 10), ({"x": 2}, 20)]),
    ],
)
def test_zip_as_measured(config, expected):
    """Rows of the parity page that flowlib keeps."""
    assert [tuple(each.values()) for each in values(config, "zip")] == expected


def test_three_lists_without_a_prefix_are_a_product_with_the_marker():
    """`config_group_prefix=None`: 3 x 3 x 3, the marker is a value."""
    config = {"a": [1, 2, "@x"], "b": [1, 2, 3], "c": [1, 2, "@x"]}
    assert len(values(config, "product")) == 27


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"a": [[1, 2], [3]]}, [[1, 2], [3]]),
        ({"a": [1, [2, 3]]}, [1, [2, 3]]),
        ({"a": [[1, 2], 3]}, [[1, 2], 3]),
    ],
)
def test_lists_among_choices_are_not_flattened(config, expected):
    """D13: fluidml makes three tasks of each of these."""
    assert [each["a"] for each in values(config, "product")] == expected


@pytest.mark.parametrize(
    ("config", "expand", "words"),
    [
        ({"a": []}, "product", "empty list of choices"),
        ({"a": "@x"}, "product", "names a group, but stands alone"),
        ({"a": ["@x"]}, "product", "empty list of choices beside the name of its group"),
        ({"a": [1, 2, 3], "b": [4, 5]}, "zip", "differ in length: a has 3, b has 2"),
        ({"a": [1, 2, "@x"], "c": [1, 2, 3, "@x"]}, "product", "a has 2, c has 3"),
        (NESTED, "zip", "differ in length|could ever be reached"),
        ({"a": [{"x": [1, 2]}, {"y": 3}], "b": [1, 2]}, "zip", "could ever be reached"),
        (NO_GROUPS, "zip", "could ever be reached"),
        ({"a": [{"x": [1, 2, "@x"]}, {"y": 3}, "@x"]}, "product", "could ever be reached"),
        ({"a": [1, 2]}, "undefined", "undefined"),
    ],
)
def test_what_the_seed_loses_silently_is_an_error(config, expand, words):
    """No tasks at all, or fewer than the lists hold."""
    with pytest.raises(SweepError, match=words):
        expand_config(config, expand, group_prefix="@")


def test_six_zipped_lists_are_ten_configs():
    """D11: fluidml walks through a million combinations to find them."""
    names = "abcdef"
    found = values({name: list(range(10)) for name in names}, "zip")
    assert found == [dict.fromkeys(names, i) for i in range(10)]
