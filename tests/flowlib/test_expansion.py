"""Tests of the methods that combine axes, and of how a user asks for one."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib.choices import sweep
from flowlib.errors import MissingExtra, SweepError
from flowlib.expansion import Axis, Expansion, expansions, find_expansion, register_expansion
from flowlib.expansions.product import Product
from flowlib.expansions.random import Random
from flowlib.expansions.sobol import Sobol
from flowlib.expansions.zip import Zip
from flowlib.grid import expand_config, varying_paths

RANDOM_GRID = [[3, 2], [0, 8], [0, 7], [4, 5]]
RANDOM_MIXED = (0.323832764833, 1)


class Diagonal(Expansion):
    """The first point of every axis, then the second, as far as the shortest goes."""

    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        for index in range(min(axis.size or 1 for axis in axes)):
            yield [index] * len(axes)


def axes(*sizes: int | None) -> list[Axis]:
    return [Axis(f"p{i}", size) for i, size in enumerate(sizes)]


def values(config, expand, **options):
    points = expand_config(config, expand, **options)
    return [{name: choice.value for name, choice in point.items()} for point in points]


@given(st.lists(st.integers(1, 4), max_size=5))
def test_product_is_itertools_product(sizes):
    """All combinations of indices, the last axis fastest."""
    expected = list(itertools.product(*map(range, sizes)))
    assert [tuple(row) for row in Product().combine(axes(*sizes))] == expected


def test_zip_gives_ungrouped_lists_one_group_and_keeps_the_others():
    """A named group stays a group of its own."""
    one, other = Axis("a", 3), Axis("b", 3)
    assert Zip().group(one) == Zip().group(other) is not None
    assert Zip().group(Axis("c", 2, "@x")) == "@x"
    assert Product().group(one) is None


@given(st.lists(st.integers(1, 9), max_size=4), st.data())
def test_random_points_of_a_finite_space_are_distinct_and_in_it(sizes, data):
    """Sampling is without replacement, up to the whole space."""
    space = set(itertools.product(*map(range, sizes)))
    n = data.draw(st.integers(1, len(space)))
    rows = [tuple(row) for row in Random(n, data.draw(st.integers(0, 99))).combine(axes(*sizes))]
    assert len(rows) == len(set(rows)) == n
    assert set(rows) <= space


def test_random_is_even():
    """Every point of a small space is drawn about as often as every other."""
    counts = dict.fromkeys(itertools.product(range(2), range(3)), 0)
    for seed in range(1200):
        [row] = Random(1, seed).combine(axes(2, 3))
        counts[tuple(row)] += 1
    assert all(140 < count < 260 for count in counts.values())


def test_random_numbers_are_the_documented_ones():
    """The numbers of a seed are part of our promise: they never change."""
    assert [list(row) for row in Random(4, seed=7).combine(axes(10, 10))] == RANDOM_GRID
    [[share, index]] = Random(1, seed=7).combine(axes(None, 10))
    assert (round(share, 12), index) == RANDOM_MIXED


def test_random_reaches_into_spaces_larger_than_any_machine_word():
    """A space of 10**40 points is sampled as quickly as a small one."""
    rows = [tuple(row) for row in Random(50).combine(axes(*[10] * 40))]
    assert len(set(rows)) == 50
    assert {index for row in rows for index in row} == set(range(10))


def test_random_leaves_the_global_generator_alone():
    """Neither reads nor moves the state of the random module."""
    random.seed(1)
    before = random.getstate()
    first = list(Random(5).combine(axes(9, None)))
    assert random.getstate() == before
    random.seed(2)
    assert list(Random(5).combine(axes(9, None))) == first


def test_more_samples_than_points_is_an_error():
    """A finite space never gives fewer tasks than were asked for."""
    with pytest.raises(SweepError, match=r"T.expand: the space has only 6 points, 7 are asked for"):
        expand_config({"a": [1, 2], "b": [1, 2, 3]}, Random(7), spec="T")


@pytest.mark.parametrize("method", [Random(0), Sobol(0)])
def test_no_samples_is_an_error(method):
    """`n` must be at least one."""
    with pytest.raises(SweepError, match="needs n >= 1, found 0"):
        expand_config({"a": [1, 2]}, method)


def test_sobol_cuts_every_axis_into_equal_parts():
    """Eight points meet each eighth of a continuous axis once, each half of a pair four times."""
    pytest.importorskip("scipy")
    rows = [tuple(row) for row in Sobol(8, seed=3).combine(axes(None, 2))]
    assert sorted(int(share * 8) for share, _ in rows) == list(range(8))
    assert sorted(index for _, index in rows) == [0] * 4 + [1] * 4
    assert rows == [tuple(row) for row in Sobol(8, seed=3).combine(axes(None, 2))]
    assert rows != [tuple(row) for row in Sobol(8, seed=4).combine(axes(None, 2))]


def test_sobol_of_any_length_is_a_prefix_and_warns_of_nothing(recwarn):
    """Five points are the first five of eight."""
    pytest.importorskip("scipy")
    eight = [tuple(row) for row in Sobol(8).combine(axes(None, 5))]
    assert [tuple(row) for row in Sobol(5).combine(axes(None, 5))] == eight[:5]
    assert list(recwarn) == []


def test_sobol_of_no_axes_is_one_point():
    """A config without choices is one task, sampled or not."""
    assert values({"a": 1}, Sobol(4)) == [{"a": 1}]


def test_sobol_without_scipy_names_the_extra(monkeypatch):
    """A missing dependency tells what to install, before the first point."""
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtra, match=r"flowlib-runner\[sobol\]"):
        expand_config({"a": [1, 2]}, Sobol(2))


def test_a_method_is_named_configured_or_given():
    """A name, a name with options, and an object mean the same."""
    assert type(find_expansion("product")) is Product
    assert find_expansion({"random": {"n": 3, "seed": 1}}) == Random(3, 1)
    given_object = Random(3)
    assert find_expansion(given_object) is given_object


def test_the_names_are_the_modules():
    """What a user may write is what stands in the folder."""
    assert set(expansions.names) >= {"product", "zip", "random", "sobol"}


def test_an_unknown_name_lists_the_known_and_the_nearest():
    """Unknown expansion: the spec, the choices, a suggestion."""
    with pytest.raises(SweepError) as caught:
        expand_config({"a": 1}, "prodct", spec="Train")
    message = str(caught.value)
    assert message.startswith("Train.expand: ")
    assert all(name in message for name in ("prodct", "product", "random", "sobol", "zip"))


@pytest.mark.parametrize(
    ("expand", "words"),
    [
        ("random", 'options of "random" are: n, seed'),
        ({"random": {"n": 3, "sed": 1}}, "unexpected keyword argument 'sed'"),
        ({"random": 3}, "found {'random': 3}"),
        (5, "found 5; allowed are None, a name"),
        ({}, "found {}"),
    ],
)
def test_a_wrong_request_is_an_error_that_shows_the_right_one(expand, words):
    """What was found, and what may be written."""
    with pytest.raises(SweepError, match=words):
        expand_config({"a": [1, 2]}, expand)


def test_a_class_can_be_registered():
    """A method of one's own is one class."""
    register_expansion("test_diagonal", Diagonal)
    assert values({"a": [1, 2], "b": [3, 4, 5]}, "test_diagonal") == [
        {"a": 1, "b": 3},
        {"a": 2, "b": 4},
    ]


def test_a_function_of_the_seed_can_be_registered():
    """`fn(config, group_prefix=None) -> list of dicts` works, and equal values are shared."""

    def halves(config, group_prefix=None):
        return [{"a": a, "rest": config["rest"], "prefix": group_prefix} for a in config["a"][:2]]

    register_expansion("test_halves", halves)
    config = {"a": [1, 2, 3], "rest": [[9]]}
    points = list(expand_config(config, "test_halves", group_prefix="@"))
    assert [point["a"].value for point in points] == [1, 2]
    assert points[0]["prefix"].value == "@"
    assert points[0]["rest"] is points[1]["rest"]
    assert varying_paths(config, "test_halves") == ["a"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda config, group_prefix=None: [3], "T.expand: test_bad gave a int, not a dict"),
        (lambda config, group_prefix=None: [], "T.expand: test_bad gave no point"),
        (lambda config, group_prefix=None: [{"a": sweep(1)}], "T.a: left unexpanded"),
    ],
)
def test_a_function_that_gives_no_configs_is_an_error(function, words):
    """What a function returns is checked at once."""
    register_expansion("test_bad", function)
    with pytest.raises(SweepError, match=words):
        expand_config({"a": 1}, "test_bad", spec="T")


def test_an_expansion_that_gives_rows_of_wrong_length_is_an_error():
    """The name of the class and both numbers are told."""

    class Short(Expansion):
        def combine(self, axes):
            yield [0]

    with pytest.raises(SweepError, match="Short gave 1 indices for 2 axes"):
        expand_config({"a": [1, 2], "b": [1, 2]}, Short())


def test_an_expansion_that_gives_nothing_is_an_error():
    """A sweep without tasks is never silent."""

    class Empty(Expansion):
        def combine(self, axes):
            return iter(())

    with pytest.raises(SweepError, match="Empty gave no point"):
        expand_config({"a": [1, 2]}, Empty())


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31))
def test_samples_do_not_depend_on_the_process(seed):
    """Another process with another hash seed draws the same points."""
    config = "{'a': list('abcdefgh'), 'b': {'c': uniform(0, 1)}, 'd': integers(1, 99)}"
    code = (
        "from flowlib.choices import *; from flowlib.grid import expand_config\n"
        f"points = expand_config({config}, {{'random': {{'n': 3, 'seed': {seed}}}}})\n"
        "print([{k: c.value for k, c in p.items()} for p in points])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(runs) == 1
