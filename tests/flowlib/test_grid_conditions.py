"""Parameters that are there under a condition, unions, samples, and the paths that vary."""

from __future__ import annotations

import pytest

from flowlib.choices import integers, sweep, uniform, union, zipped
from flowlib.errors import SweepError
from flowlib.grid import expand_config, varying_paths
from tests.flowlib.grid_values import values

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
