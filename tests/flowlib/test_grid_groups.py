"""Choices that advance together: zip, groups and `zipped`."""

from __future__ import annotations

import pytest

from flowlib.choices import sweep, zipped
from flowlib.errors import SweepError
from flowlib.grid import expand_config
from tests.flowlib.grid_values import calls_of, values


def test_zip_advances_lists_of_every_depth_together():
    """Scalars, and lists of one element, go with every point."""
    config = {
        "a": [1, 2],
        "n": {"b": [3, 4], "m": {"c": sweep(5, 6)}},
        "d": 7,
        "e": [8],
        "f": [[9]],
    }
    assert values(config, "zip") == [
        {"a": a, "n": {"b": b, "m": {"c": c}}, "d": 7, "e": 8, "f": [9]}
        for a, b, c in ((1, 3, 5), (2, 4, 6))
    ]


def test_zip_of_unequal_lengths_names_every_path_and_length():
    """No configuration is lost silently."""
    with pytest.raises(SweepError) as caught:
        expand_config({"a": [1, 2], "n": {"b": [1, 2, 3]}, "c": [1]}, "zip", spec="Train")
    assert str(caught.value) == (
        'Train.a: lists that advance together (expand="zip") differ in length: a has 2, n.b has 3'
    )
    assert (caught.value.spec, caught.value.path) == ("Train", "a")


def test_groups_keep_their_own_pace_under_zip():
    """Only lists without a group are zipped."""
    config = {"a": [1, 2], "b": [3, 4], "c": [5, 6, 7, "@x"]}
    found = [tuple(point.values()) for point in values(config, "zip", group_prefix="@")]
    assert found == [(a, b, c) for a, b in ((1, 3), (2, 4)) for c in (5, 6, 7)]


def test_a_group_takes_the_place_of_its_first_list():
    """In lockstep at any depth, in product with the rest."""
    config = {"a": [1, 2, "@x"], "b": [3, 4], "n": {"c": [5, 6, "@x"]}}
    assert values(config, group_prefix="@") == [
        {"a": a, "b": b, "n": {"c": c}} for a, c in ((1, 5), (2, 6)) for b in (3, 4)
    ]


def test_a_group_reaches_into_a_dict_among_choices():
    """Where its list is not reached, the group goes on with the others."""
    config = {"m": [{"k": [1, 2, "@x"]}, {"z": 0}], "b": [10, 20, "@x"]}
    assert values(config, group_prefix="@") == [
        {"m": {"k": 1}, "b": 10},
        {"m": {"k": 2}, "b": 20},
        {"m": {"z": 0}, "b": 10},
        {"m": {"z": 0}, "b": 20},
    ]


def test_what_stands_between_the_lists_of_a_reaching_group_keeps_its_place():
    """Product order, the last key fastest, holds there too."""
    config = {"m": [{"k": [1, 2, "@x"]}, 0], "c": [5, 6], "b": [10, 20, "@x"], "d": [7, 8]}
    assert [(p["m"], p["c"], p["b"], p["d"]) for p in values(config, group_prefix="@")] == [
        *(({"k": k}, c, b, d) for k, b in ((1, 10), (2, 20)) for c in (5, 6) for d in (7, 8)),
        *((0, c, b, d) for c in (5, 6) for b in (10, 20) for d in (7, 8)),
    ]


def test_lists_of_a_group_may_hold_dicts_with_choices():
    """Each index of the group has the choices found there."""
    config = {"a": [{"u": [1, 2]}, 3, "@x"], "b": [{"v": [4, 5]}, 6, "@x"]}
    found = [(p["a"], p["b"]) for p in values(config, group_prefix="@")]
    assert found == [*(({"u": u}, {"v": v}) for u in (1, 2) for v in (4, 5)), (3, 6)]


def test_lists_of_a_group_of_unequal_length_are_an_error():
    """Every list of the group is named, with one element too."""
    config = {"a": [1, 2, "@x"], "n": [{"b": [1, "@x"]}, 2]}
    with pytest.raises(SweepError, match=r"\(@x\) differ in length: a has 2, n\[0\]\.b has 1"):
        expand_config(config, "product", group_prefix="@")


@pytest.mark.parametrize(
    ("config", "expand", "path"),
    [
        ({"a": [{"x": [1, 2]}, {"y": 3}], "b": [1, 2]}, "zip", "a[0].x"),
        ({"a": [0, {"x": {"y": [1, 2, "@x"]}}, "@x"]}, "product", "a[1].x.y"),
    ],
)
def test_values_that_could_never_be_reached_are_an_error(config, expand, path):
    """A list inside a choice of its own group would lose all but one of its values."""
    with pytest.raises(
        SweepError, match="only one of its 2 values could ever be reached"
    ) as caught:
        expand_config(config, expand, group_prefix="@")
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"a": []}, r"T\.a: an empty list of choices leaves no task"),
        ({"a": [{"b": []}, 1]}, r"T\.a\[0\]\.b: an empty list"),
        ({"a": sweep()}, r"T\.a: an empty list"),
        ({"a": ["@x"]}, r"T\.a: an empty list of choices beside the name of its group, '@x'"),
        ({"a": {"b": "@x"}}, r"T\.a\.b: '@x' names a group, but stands alone"),
    ],
)
def test_no_choice_at_all_is_an_error(config, words):
    """Instead of a sweep without tasks."""
    with pytest.raises(SweepError, match=words):
        expand_config(config, "product", group_prefix="@", spec="T")


def test_without_a_prefix_there_are_no_groups():
    """`"@x"` is an ordinary value, in a list and alone."""
    assert values({"a": [1, "@x"], "b": "@y"}) == [{"a": 1, "b": "@y"}, {"a": "@x", "b": "@y"}]


def test_a_name_of_a_group_counts_only_at_the_end_of_a_list_of_choices():
    """A list that is a value may hold anything."""
    config = {"a": [[1, "@x"]], "b": ["@home", 2, "@g"], "c": [3, 4, "@g"]}
    assert values(config, group_prefix="@") == [
        {"a": [1, "@x"], "b": "@home", "c": 3},
        {"a": [1, "@x"], "b": 2, "c": 4},
    ]


def test_zipped_values_advance_together_whatever_expand_is():
    """Those of one group; another group stands in product with them."""
    config = {
        "a": zipped(1, 2),
        "b": {"c": zipped(3, 4)},
        "d": zipped(5, 6, group="g"),
        "e": [7, 8],
    }
    expected = [(a, c, d) for a, c in ((1, 3), (2, 4)) for d in (5, 6)]
    assert [(p["a"], p["b"]["c"], p["d"]) for p in values(config, None)] == expected


def test_zipped_joins_the_group_of_a_list():
    """The name as it is written in the list."""
    config = {"a": [1, 2, "@x"], "b": zipped(3, 4, group="@x")}
    assert values(config, group_prefix="@") == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]


@pytest.mark.parametrize(
    ("make", "expand"),
    [
        (lambda n: {name: list(range(n)) for name in "abcdef"}, "zip"),
        (lambda n: {name: [*range(n), "@x"] for name in "abcdef"}, "product"),
        (lambda n: {"m": [{"k": [*range(n), "@x"]}, 0], "b": [*range(n), "@x"]}, "product"),
        (lambda n: {f"p{i}": zipped(*range(n)) for i in range(6)}, None),
        (
            lambda n: {"k": [1, 2], **{f"p{i}": sweep(*range(n)).when(k=9) for i in range(6)}},
            "product",
        ),
    ],
)
def test_dependent_lists_cost_as_much_as_their_results(make, expand):
    """Ten times the choices are ten times the calls, not ten to the number of lists."""

    def steps(n):
        return calls_of(lambda: values(make(n), expand, group_prefix="@"))

    values(make(2), expand, group_prefix="@")
    assert steps(1000) < 12 * steps(100)
