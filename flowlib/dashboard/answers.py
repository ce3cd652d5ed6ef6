"""Which rows fit a question, in which order? Searched in memory, kept until something changes."""

from __future__ import annotations

import heapq
import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from flowlib.dashboard.catalogue import Catalogue, Tasks
from flowlib.dashboard.live_runs import Live, LiveRuns
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.statuses import Words, words_of
from flowlib.record_list import short
from flowlib.selectors import Condition
from flowlib.vocabulary import shown_state
from stores.config_paths import ABSENT

_MOST_KEPT: Final = 24
_CHUNK: Final = 5_000
"""So many rows are sorted at once: while Python sorts, no other thread runs."""

_SOON: Final = 2_000
"""Up to this row the first are picked, which is quicker than to sort all."""


@dataclass(frozen=True, slots=True)
class Stock:
    """All that is known at one moment.

    Attributes:
        tasks: The rows of records by task and key.
        live: The runs.
        version: Another one for another moment.
    """

    tasks: Tasks
    live: Live
    version: tuple[int, int]

    def rows(self) -> Iterator[Row]:
        """All rows: of records, and of tasks of runs that go on without a record."""
        for rows in self.tasks.values():
            yield from rows.values()
        for key, row in self.live.planned.items():
            if key in self.live.states and key not in self.tasks.get(row.task, {}):
                yield row

    def find(self, task: str, key: str) -> Row | None:
        """The row of a task; None if nothing is known of it."""
        found = self.tasks.get(task, {}).get(key)
        if found is None:
            planned = self.live.planned.get(key)
            return planned if planned is not None and planned.task == task else None
        return found

    def words(self, row: Row) -> Words:
        """What furu calls the state of a task."""
        live = self.live.states.get(row.key)
        return words_of(row.state or None, row.last_state or None, row.error, live)

    def shown(self, row: Row) -> str:
        """The word of the vocabulary for the state of a task."""
        live = self.live.states.get(row.key)
        if live is not None and (live == "running" or not row.state):
            return live
        return shown_state(row.state).word if row.state else "pending"


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of rows.

    Attributes:
        rows: In order.
        total: How many fit, exactly.
        offset: How many of them stand before.
    """

    rows: Sequence[Row]
    total: int
    offset: int


class Answers:
    """Answers questions about a store. Any number of threads may ask.

    Args:
        catalogue: The records.
        runs: The runs.
    """

    def __init__(self, catalogue: Catalogue, runs: LiveRuns) -> None:
        self.catalogue, self.runs = catalogue, runs
        self._kept: OrderedDict[object, Any] = OrderedDict()
        self._lock = threading.Lock()

    def stock(self) -> Stock:
        """All that is known now."""
        self.runs.refresh()
        self.catalogue.refresh()
        live, tasks = self.runs.now, self.catalogue.tasks
        return Stock(tasks, live, (self.catalogue.version, live.version))

    def answer(self, question: Question, stock: Stock) -> Answer:
        """The page that is asked for."""
        rows = self.fitting(question, stock)
        end = min(len(rows), question.offset + question.limit)
        whole = replace(question, limit=1, offset=0)
        if end <= _SOON and len(rows) > _SOON:
            first = self.remembered(
                ("first", whole), stock, lambda: _ordered(rows, question.sort, stock, _SOON)
            )
            return Answer(first[question.offset : end], len(rows), question.offset)
        every = self.remembered(
            ("all", whole), stock, lambda: _ordered(rows, question.sort, stock, None)
        )
        return Answer(every[question.offset : end], len(rows), question.offset)

    def fitting(self, question: Question, stock: Stock) -> Sequence[Row]:
        """All rows that fit, in no particular order."""
        asked = question.filters
        found: Sequence[Row] = self.remembered(
            ("fit", asked), stock, lambda: [*_fitting(asked, stock)]
        )
        return found

    def counts(self, stock: Stock) -> Mapping[str, Counter[str]]:
        """For each task how many are in which state, by the words of the vocabulary."""

        def count() -> dict[str, Counter[str]]:
            found: dict[str, Counter[str]] = {}
            for row in stock.rows():
                found.setdefault(row.task, Counter())[stock.shown(row)] += 1
            return found

        counted: Mapping[str, Counter[str]] = self.remembered("counts", stock, count)
        return counted

    def remembered(self, what: object, stock: Stock, make: Callable[[], Any]) -> Any:
        """Something that is made once for a moment."""
        key = (stock.version, what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            for old in [each for each in self._kept if each[0] != stock.version]:  # type: ignore[index]  # as above
                del self._kept[old]
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return made


def _fitting(asked: Question, stock: Stock) -> Iterator[Row]:
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


def _ordered(rows: Sequence[Row], sort: str, stock: Stock, most: int | None) -> Sequence[Row]:
    """Rows in order, those without a value last; no other thread waits long for it."""
    is_down = sort.startswith("-")
    value = _value_of(sort.removeprefix("-"), stock)

    def rank(pair: tuple[object, Row]) -> tuple[Any, ...]:
        found, row = pair
        if isinstance(found, (int, float)):
            return 0, _height(found, is_down=is_down), row.task, row.key
        return 1, _Upside(str(found)) if is_down else str(found), row.task, row.key

    there: list[tuple[object, Row]] = []
    missing: list[Row] = []
    for row in rows:
        found = value(row)
        if found is None or found is ABSENT:
            missing.append(row)
        else:
            there.append((found, row))
    if most is not None:
        picked = [row for _, row in heapq.nsmallest(most, there, key=rank)]
        return [*picked, *missing[: most - len(picked)]]
    starts = range(0, len(there), _CHUNK)
    chunks = [sorted(there[start : start + _CHUNK], key=rank) for start in starts]
    return [*(row for _, row in heapq.merge(*chunks, key=rank)), *missing]


def _height(number: float, *, is_down: bool) -> float:
    """A number as it is sorted: NaN last, and others upside down if the largest come first."""
    if number != number:
        return math.inf
    return -number if is_down else number


class _Upside:
    """Text that comes the sooner the later it is in the alphabet."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: _Upside) -> bool:
        return self.text > other.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Upside) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]  # only compared


def _value_of(name: str, stock: Stock) -> Callable[[Row], object]:
    known: dict[str, Callable[[Row], object]] = {
        "id": lambda row: f"{row.task}/{row.key}",
        "task": lambda row: row.task,
        "state": stock.shown,
        "time": lambda row: row.duration_s,
        "when": lambda row: row.when,
        "updated": lambda row: row.updated,
        "run": lambda row: row.run or None,
    }
    return known.get(name) or (lambda row: _comparable(row.value(name)))


def _comparable(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return value if value is None or value is ABSENT else short(value)
    return value
