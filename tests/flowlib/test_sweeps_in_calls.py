"""Where may a sweep stand in calls, in `.map`, in `.reduce`, and what does it mean there?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from flowlib import CallError, Flow, InMemoryStore, SweepError, sweep, task, zipped


@dataclass(frozen=True)
class Pair:
    """Holds something."""

    one: Any
    other: Any = 0


@task
def load(n: int) -> list[int]:
    """Data."""
    return list(range(n))


@task
def fit(data: Any, lr: float = 0.1) -> float:
    """A number that tells what it was made of."""
    return lr * sum(data)


@task
def both(one: Any, other: Any = 0) -> Any:
    """Its arguments."""
    return [one, other]


@task
def part(one: Any, other: Any = 0) -> Any:
    """The same, to be gathered."""
    return [one, other]


def values(*specs: Any) -> list[Any]:
    """The values of the tasks of the last spec, in order."""
    run = Flow(list(specs)).run(num_workers=1, results_store=InMemoryStore())
    return [each.unwrap() for each in run[specs[-1].name]]


def fits() -> Any:
    """Two models: 3.0 and 6.0."""
    return fit(load(3), lr=sweep(1.0, 2.0))


ALL = [3.0, 6.0]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: both.reduce(fits()), [[ALL, 0]]),
        (lambda: both.reduce(fits(), sweep("x", "y")), [[ALL, "x"], [ALL, "y"]]),
        (lambda: both.reduce(fits(), other=sweep("x", "y")), [[ALL, "x"], [ALL, "y"]]),
        (lambda: both.reduce([fits(), sweep(7, 8)]), [[[ALL, 7], 0], [[ALL, 8], 0]]),
        (
            lambda: both.reduce({"a": fits(), "b": [sweep(7, 8)]}),
            [[{"a": ALL, "b": [7]}, 0], [{"a": ALL, "b": [8]}, 0]],
        ),
        (
            lambda: both.reduce([Pair(fits())], other=Pair(sweep(1, 2))),
            [[[Pair(ALL)], Pair(1)], [[Pair(ALL)], Pair(2)]],
        ),
        (lambda: both.reduce(part(zipped(1, 2), zipped(3, 4))), [[[[1, 3], [2, 4]], 0]]),
        (
            lambda: both.reduce(fits(), other=(zipped(1, 2), zipped(3, 4))),
            [[ALL, (1, 3)], [ALL, (2, 4)]],
        ),
    ],
)
def test_sweeps_in_a_reduce(call: Any, expected: list[Any]) -> None:
    """A spec stands for all of its values; a sweep of the call itself makes several calls."""
    assert values(call()) == expected


def test_reduce_over_one_of_several() -> None:
    """A call for each data set, and for each choice of its own."""
    models = fit(load(sweep(2, 3)), lr=sweep(1.0, 2.0))
    gathered = [[1.0, 2.0], [3.0, 6.0]]
    assert values(both.reduce_over("lr")(models)) == [[each, 0] for each in gathered]
    found = values(both.reduce_over("lr")(models, other=sweep("x", "y")))
    assert found == [[each, other] for each in gathered for other in ("x", "y")]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (lambda: both.map([sweep(1, 2), 3], other=9), [[1, 9], [2, 9], [3, 9]]),
        (lambda: both.map([1, 2], other=sweep(5, 6)), [[1, 5], [1, 6], [2, 5], [2, 6]]),
        (
            lambda: both.map([[sweep(1, 2)], {"k": sweep(3, 4)}]),
            [[[1], 0], [[2], 0], [{"k": 3}, 0], [{"k": 4}, 0]],
        ),
        (lambda: both.map([load(1)], [sweep(load(2), 7)]), [[[0], [0, 1]], [[0], 7]]),
    ],
)
def test_sweeps_in_a_map(calls: Any, expected: list[Any]) -> None:
    """Each call of a map may be several tasks."""
    assert values(*calls()) == expected


def test_a_reduce_of_a_map_with_sweeps() -> None:
    """Every call stands for the list of its values; without reduce all combinations are made."""
    calls = part.map([1, 2], other=sweep(5, 6))
    lists = [[[1, 5], [1, 6]], [[2, 5], [2, 6]]]
    assert values(both.reduce(calls)) == [[lists, 0]]
    assert values(both.reduce(calls, other=sweep("u", "v"))) == [[lists, "u"], [lists, "v"]]
    found = [one for one, _ in values(both(calls))]
    assert found == [[a, b] for a in lists[0] for b in lists[1]]


def test_keys_do_not_depend_on_how_a_sweep_is_written() -> None:
    """By position or by name, in a sweep or one by one."""
    one_by_one = [both.reduce(fits(), each).key for each in ("x", "y")]
    assert both.reduce(fits(), sweep("x", "y")).keys == one_by_one
    assert both.reduce(one=fits(), other=sweep("x", "y")).keys == one_by_one
    mapped = [each.key for each in both.map([1, 2], other=5)]
    assert both(sweep(1, 2), 5).keys == mapped


def test_where_a_sweep_has_no_meaning_it_is_an_error_that_shows_it_as_written() -> None:
    """In sets and keys, and in place of a list of values."""
    for call in (lambda: both({sweep(1, 2)}), lambda: both({zipped(1, 2): 3})):
        with pytest.raises(SweepError, match=r"^(sweep|zipped)\(1, 2\) is no value"):
            values(call())
    with pytest.raises(CallError, match=r"not a sweep, .* by itself: both\(sweep\(1, 2\)\)$"):
        both.map(sweep(1, 2))
    assert values(both(sweep(1, 2))) == [[1, 0], [2, 0]]
