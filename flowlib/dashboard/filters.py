"""Does a row fit a question? Each filter is a test that it has to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.selectors import Condition


def fitting(asked: Question, stock: Stock) -> Iterator[Row]:
    """The rows that fit."""
    tests = [*_tests(asked, stock)]
    if not tests:
        yield from stock.rows()
        return
    for row in stock.rows():
        if all(test(row) for test in tests):
            yield row


def _tests(asked: Question, stock: Stock) -> Iterator[Callable[[Row], bool]]:
    """What a row has to pass, the cheapest first."""
    if asked.task:
        yield lambda row: f"{row.task}/{row.key}".startswith(asked.task)
    for name in ("executor", "host", "user", "run"):
        if wanted := getattr(asked, name):
            yield lambda row, name=name, wanted=wanted: getattr(row, name) == wanted  # type: ignore[misc]
    yield from _times(asked)
    yield from _states(asked, stock)
    for condition in asked.config_filter:
        yield _Holds(condition)
    if words := asked.text.casefold().split():
        yield lambda row: _has_words(row, words)


def _states(asked: Question, stock: Stock) -> Iterator[Callable[[Row], bool]]:
    if asked.state:
        yield lambda row: stock.shown(row) == asked.state
    if asked.result_status:
        yield lambda row: stock.words(row).result == asked.result_status
    if asked.attempt_status:
        yield lambda row: stock.words(row).attempt == asked.attempt_status


def _times(asked: Question) -> Iterator[Callable[[Row], bool]]:
    for name in ("started", "updated"):
        after, before = getattr(asked, f"{name}_after"), getattr(asked, f"{name}_before")
        if after is not None:
            yield lambda row, n=name, a=after: (at := getattr(row, n)) is not None and at >= a  # type: ignore[misc]
        if before is not None:
            yield lambda row, n=name, b=before: (at := getattr(row, n)) is not None and at < b  # type: ignore[misc]


class _Holds:
    """Whether a row has a value at a path; paths are looked up once for all rows of a kind."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._places: dict[tuple[str, ...], int] = {}

    def __call__(self, row: Row) -> bool:
        wanted = self._condition
        at = self._places.get(row.paths)
        if at is None:
            at = row.paths.index(wanted.path) if wanted.path in row.paths else -1
            self._places[row.paths] = at
        if at < 0:
            return wanted.holds(row.config)
        found = row.values[at]
        if wanted.pattern:
            return isinstance(found, str) and fnmatchcase(found, wanted.pattern)
        if type(found) in _NUMBERS or type(wanted.value) in _NUMBERS:
            both = type(found) in _NUMBERS and type(wanted.value) in _NUMBERS
            return both and found == wanted.value
        return wanted.holds({wanted.path: found})


_NUMBERS: Final = frozenset((int, float))


def _has_words(row: Row, words: Sequence[str]) -> bool:
    config = [f"{path}={value}" for path, value in zip(row.paths, row.values, strict=True)]
    names = [f"{row.task}/{row.key}", row.run, row.unique_name, row.error, *config]
    text = "\n".join(names).casefold()
    return all(word in text for word in words)
