"""Tests of how a config with choices becomes concrete configs."""

from __future__ import annotations

import copy
import itertools
import sys
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.choices import integers, sweep, uniform, union, zipped
from flowlib.errors import SweepError
from flowlib.expansions.product import Product
from flowlib.grid import expand_config, varying_paths
from flowlib.grid_reader import Reading, read_tree
from flowlib.grid_walk import alternatives


def values(config, expand="product", **options):
    points = expand_config(config, expand, **options)
    return [{name: choice.value for name, choice in point.items()} for point in points]


def calls_of(function):
    """How many functions and builtins are called while `function` runs."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


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


# --- zip and groups ---------------------------------------------------------------------------


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


# --- conditions -------------------------------------------------------------------------------


def test_a_parameter_is_absent_where_its_condition_does_not_hold():
    """And each remaining combination is there once, in product order."""
    config = {
        "kernel": ["rbf", "linear"],
        "C": [1, 10],
        "gamma": sweep(0.1, 0.2).when(kernel="rbf"),
        "tol": [5],
    }
    assert values(config) == [
        {"kernel": "rbf", "C": 1, "gamma": 0.1, "tol": 5},
        {"kernel": "rbf", "C": 1, "gamma": 0.2, "tol": 5},
        {"kernel": "rbf", "C": 10, "gamma": 0.1, "tol": 5},
        {"kernel": "rbf", "C": 10, "gamma": 0.2, "tol": 5},
        {"kernel": "linear", "C": 1, "tol": 5},
        {"kernel": "linear", "C": 10, "tol": 5},
    ]


def test_a_condition_may_stand_before_what_it_asks_for():
    """The keys keep their order, the tasks follow what is asked."""
    config = {"gamma": sweep(1, 2).when(kernel="rbf"), "kernel": ["rbf", "linear"]}
    found = values(config)
    assert found == [
        {"gamma": 1, "kernel": "rbf"},
        {"gamma": 2, "kernel": "rbf"},
        {"kernel": "linear"},
    ]
    assert list(found[0]) == ["gamma", "kernel"]


def test_a_condition_looks_in_its_own_dict_first_and_then_at_the_top():
    """A parameter of the same dict hides one of the config."""
    near = {"on": ["a", "b"], "m": {"on": [1, 2], "x": sweep(7).when(on=1)}}
    assert [p["m"] for p in values(near)] == [{"on": 1, "x": 7}, {"on": 2}] * 2
    far = {"on": ["a", "b"], "m": {"x": sweep(7, 8).when(on="a"), "y": 0}}
    assert values(far) == [
        {"on": "a", "m": {"x": 7, "y": 0}},
        {"on": "a", "m": {"x": 8, "y": 0}},
        {"on": "b", "m": {"y": 0}},
    ]


def test_a_condition_reaches_out_of_a_dict_among_choices():
    """The top of the config is seen from everywhere."""
    config = {"m": [{"x": sweep(7, 8).when(on="a")}, 0], "on": ["a", "b"]}
    found = values(config)
    assert sorted(map(repr, found)) == sorted(
        map(repr, [
            {"m": {"x": 7}, "on": "a"}, {"m": {"x": 8}, "on": "a"}, {"m": 0, "on": "a"},
            {"m": {}, "on": "b"}, {"m": 0, "on": "b"},
        ])
    )  # fmt: skip


def test_conditions_on_what_does_not_vary_are_decided_at_once():
    """A constant decides for all points."""
    config = {"k": "rbf", "a": sweep(1, 2).when(k="rbf"), "b": sweep(1, 2).when(k=("x", "y"))}
    assert values(config) == [{"k": "rbf", "a": 1}, {"k": "rbf", "a": 2}]


def test_several_conditions_must_all_hold_and_may_follow_each_other():
    """A condition on a parameter that is absent does not hold."""
    config = {
        "a": [1, 2],
        "b": sweep(3, 4).when(a=1),
        "c": sweep(5).when(b=(3, 4), a={1}),
        "d": sweep(6).when(b=3),
    }
    assert values(config) == [{"a": 1, "b": 3, "c": 5, "d": 6}, {"a": 1, "b": 4, "c": 5}, {"a": 2}]


def test_a_zipped_parameter_may_be_absent():
    """Its group goes on without it."""
    config = {"k": ["r", "s"], "a": zipped(1, 2).when(k="r"), "b": zipped(3, 4)}
    assert values(config, None) == [
        {"k": ["r", "s"], "b": 3},
        {"k": ["r", "s"], "b": 4},
    ]
    assert values(config) == [
        {"k": "r", "a": 1, "b": 3},
        {"k": "r", "a": 2, "b": 4},
        {"k": "s", "b": 3},
        {"k": "s", "b": 4},
    ]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"kernel": 1, "g": sweep(1).when(kernl=1)}, r"T\.g: when\(kernl=…\).*Did you mean kernel"),
        ({"a": sweep(1).when(b=1), "b": sweep(1).when(a=1)}, "conditions of a and b ask for each"),
        ({"k": {"x": 1}, "g": sweep(1).when(k=1)}, "can ask for a plain value or choices only"),
        ({"g": [1, sweep(2).when(g=1)]}, r"T\.g\[1\]: when\(\) has a meaning only for a parameter"),
        ({"g": [{"x": sweep(2).when(g=1)}, 3]}, "conditions of g ask for each other"),
    ],
)
def test_conditions_that_cannot_be_decided_are_errors(config, words):
    """The parameter, what it asks for, and the nearest name."""
    with pytest.raises(SweepError, match=words):
        expand_config(config, "product", spec="T")


# --- unions and samples -----------------------------------------------------------------------


def test_a_union_is_one_sub_grid_after_the_other():
    """As a whole config, with parameters of their own."""
    both = union({"kernel": "rbf", "gamma": [1, 2]}, {"kernel": "linear", "C": [3, 4]})
    expected = [
        {"kernel": "rbf", "gamma": 1},
        {"kernel": "rbf", "gamma": 2},
        {"kernel": "linear", "C": 3},
        {"kernel": "linear", "C": 4},
    ]
    assert values(both) == expected
    assert values({"model": both, "b": 0}) == [{"model": each, "b": 0} for each in expected]
    sampled = values(both, {"random": {"n": 4}})
    assert sorted(map(repr, sampled)) == sorted(map(repr, expected))


def test_a_union_of_nothing_and_a_config_that_is_no_dict_are_errors():
    """The kind found is named."""
    with pytest.raises(SweepError, match="a union needs at least one grid"):
        expand_config(union(), "product")
    with pytest.raises(SweepError, match=r"T: a config is a dict or a union of dicts, found list"):
        expand_config([1], "product", spec="T")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_distributions_are_drawn_wherever_they_stand(method):
    """At the top, in dicts among choices, in values, behind conditions, in a union."""
    pytest.importorskip("scipy")
    config = union(
        {
            "lr": uniform(1e-4, 1e-1, log=True),
            "m": [{"p": uniform(2, 3)}, 0],
            "k": ["r", "s"],
            "g": uniform(5, 6).when(k="r"),
            "t": (uniform(7, 8), [integers(9, 10)]),
        },
        {"only": uniform(20, 21)},
    )
    found = values(config, {method: {"n": 64, "seed": 1}})
    assert len(found) == 64
    first = [point for point in found if "lr" in point]
    assert 0 < len(first) < 64
    for point in first:
        assert 1e-4 <= point["lr"] < 1e-1
        assert point["m"] == 0 or 2 <= point["m"]["p"] < 3
        assert (5 <= point["g"] < 6) if point["k"] == "r" else "g" not in point
        assert 7 <= point["t"][0] < 8
        assert point["t"][1][0] in (9, 10)
    assert len({point["lr"] for point in first}) == len(first)
    assert all(20 <= point["only"] < 21 for point in found if "only" in point)


def test_integers_are_a_finite_axis():
    """Without replacement, so that eleven draws of eleven are all of them."""
    found = values({"n": integers(-5, 5)}, {"random": {"n": 11}})
    assert sorted(point["n"] for point in found) == list(range(-5, 6))


def test_integers_may_be_conditional():
    """Absent where the condition does not hold, and counted once there."""
    config = {"k": ["r", "s"], "d": integers(1, 3).when(k="r")}
    found = values(config, {"random": {"n": 4}})
    expected = [{"k": "s"}, *({"k": "r", "d": d} for d in (1, 2, 3))]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


@pytest.mark.parametrize("expand", [None, "product", "zip"])
@pytest.mark.parametrize("value", [uniform(0, 1), integers(0, 9)])
def test_distributions_need_an_expansion_that_samples(expand, value):
    """The error names the path and shows what to write."""
    with pytest.raises(SweepError, match=r'T\.m\.x: uniform\(\).*expand={"random": {"n": 20}}'):
        expand_config({"m": {"x": value}}, expand, spec="T")


def test_a_condition_cannot_ask_for_a_drawn_number():
    """A number of an interval equals nothing."""
    with pytest.raises(SweepError, match="can ask for a plain value or choices only"):
        expand_config({"a": uniform(0, 1), "b": sweep(1).when(a=1)}, {"random": {"n": 2}})


def test_a_small_sample_of_a_huge_nested_space_is_quick():
    """Dicts among choices are not written out to draw from them."""
    deep = {f"p{i}": list(range(100)) for i in range(20)}
    found = values({"m": [deep, {"q": [deep, deep]}], "n": [1, 2]}, {"random": {"n": 30}})
    assert len(found) == len({repr(point) for point in found}) == 30


# --- varying paths ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "expand", "expected"),
    [
        ({"a": [1, 2], "b": {"c": [1], "d": [1, 2]}, "e": 3}, "product", ["a", "b.d"]),
        ({"m": [{"x": [1, 2]}, {"x": [3, 4]}]}, "product", ["m", "m.x"]),
        ({"a": [1, 2], "b": sweep(1, 2)}, None, ["b"]),
        ({"k": "r", "g": sweep(1).when(k="r")}, None, ["g"]),
        ({"u": uniform(0, 1), "i": integers(1, 2)}, {"random": {"n": 2}}, ["u", "i"]),
        ({"l": [[1, sweep(2, 3)]]}, "product", ["l"]),
        (union({"a": [1, 2]}, {"a": [1, 2], "b": [3, 4]}), "product", ["a", "b"]),
        ({}, "product", []),
    ],
)
def test_varying_paths_are_those_that_differ_between_points(config, expand, expected):
    """Dotted, in the order of the config, each once."""
    assert varying_paths(config, expand) == expected
