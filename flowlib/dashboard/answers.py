"""Which rows fit a question, in which order? Searched in memory, kept until something changes."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from flowlib.bulk import paused_collection
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.filters import fitting
from flowlib.dashboard.live_runs import LiveRuns
from flowlib.dashboard.orders import ordered
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.run_history import RunHistories
from flowlib.dashboard.stock import Stock
from stores.lazy_dataclass import dataclass

_MOST_KEPT: Final = 24
_SOON: Final = 2_000
"""Up to this row the first are picked, which is quicker than to sort all."""


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

    Attributes:
        histories: What happened in runs.
        knows_all: Whether the rows that fit are all there are, and not those of one page.
    """

    knows_all: ClassVar[bool] = True

    def __init__(self, catalogue: Catalogue, runs: LiveRuns) -> None:
        self.catalogue, self.runs = catalogue, runs
        self.histories = RunHistories()
        self._kept: OrderedDict[object, Any] = OrderedDict()
        self._lock = threading.Lock()

    def stock(self) -> Stock:
        """All that is known now."""
        self.runs.refresh()
        self.catalogue.refresh()
        version = self.catalogue.version  # before its rows: older ones never count as newer
        live, tasks = self.runs.now, self.catalogue.tasks
        return Stock(tasks, live, (version, live.version))

    def answer(self, question: Question, stock: Stock) -> Answer:
        """The page that is asked for."""
        rows = self.fitting(question, stock)
        end = min(len(rows), question.offset + question.limit)
        whole = replace(question, limit=1, offset=0)
        if end <= _SOON and len(rows) > _SOON:
            first = self.remembered(
                ("first", repr(whole)), stock, lambda: ordered(rows, question.sort, stock, _SOON)
            )
            return Answer(first[question.offset : end], len(rows), question.offset)
        every = self.remembered(
            ("all", repr(whole)), stock, lambda: ordered(rows, question.sort, stock, None)
        )
        return Answer(every[question.offset : end], len(rows), question.offset)

    def fitting(self, question: Question, stock: Stock) -> Sequence[Row]:
        """All rows that fit, in no particular order."""
        asked = question.filters
        found: Sequence[Row] = self.remembered(
            ("fit", repr(asked)), stock, lambda: [*fitting(asked, stock)]
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
        """Something that is made once for a moment.

        Args:
            what: What it is; of a question its `repr`, for 1 equals True and is another question.
            stock: The moment.
            make: Makes it.
        """
        key = (stock.version, what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with paused_collection():  # it would stop all threads to look through what is being made
            made = make()
        with self._lock:
            self._kept[key] = made
            for old in [each for each in self._kept if each[0] != stock.version]:  # type: ignore[index]  # as above
                del self._kept[old]
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return made
