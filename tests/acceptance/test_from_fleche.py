"""Do memoised calls follow version, ignored and required arguments? (row 3 of the parity page)"""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from flowlib import Ignore, task
from flowlib.errors import SpecError
from stores import InMemoryStore

CALLS: list[Any] = []
"""What the functions below were called with; each test empties it."""


@task(ignore=["verbose"], require=["seed"])
def draw(n: int, seed: int = 0, verbose: bool = False, where: Annotated[str, Ignore] = "") -> int:
    """Has arguments that count, that do not, and one that has to be given."""
    CALLS.append((n, seed, verbose, where))
    return n * 10 + seed


def made(version: object) -> Any:
    """The same function in another version."""

    def measure(x: int) -> int:
        CALLS.append((version, x))
        return x + (version if isinstance(version, int) else 0)

    return task(name="measure", version=version)(measure)


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Nothing was called yet."""
    CALLS.clear()


def test_ignored_arguments_reach_the_function_and_count_for_nothing() -> None:
    """Named by the decorator or by the annotation; the first call alone is made."""
    store = InMemoryStore()
    assert draw.call(1, seed=2, verbose=True, where="here", store=store) == 12
    assert draw.call(1, seed=2, store=store) == 12
    assert draw.call(1, 2, False, "elsewhere", store=store) == 12
    assert CALLS == [(1, 2, True, "here")]
    assert draw.call(1, seed=3, store=store) == 13
    assert CALLS[1:] == [(1, 3, False, "")]
    assert draw.key(1, seed=2) == draw.key(1, 2, True, "x") != draw.key(1, seed=3)


def test_a_required_argument_has_to_be_given_although_it_has_a_default() -> None:
    """By every way to ask."""
    for ask in (draw, draw.key, draw.exists, lambda n: draw.call(n, store=InMemoryStore())):
        with pytest.raises(SpecError, match=r"draw\(\) is missing seed"):
            ask(1)
    assert CALLS == []


def test_another_version_is_another_call() -> None:
    """Results of the older one stay, and are found again by it."""
    store = InMemoryStore()
    first, second = made(None), made(2)
    assert [each.call(1, store=store) for each in (first, second, first, second)] == [1, 3, 1, 3]
    assert CALLS == [(None, 1), (2, 1)]
    assert first.key(1) != second.key(1)
    assert made(2).key(1) == second.key(1)
