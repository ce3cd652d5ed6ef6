"""
What can be shown of a store before all of it was read? Pages that the store finds by itself.

A list by time, id, state or duration, of all tasks or those in a state, is asked of the store,
one page at a time. All else waits until every record was read once: also a page with a damaged
record, for nobody knows yet how many others there are, which are no part of totals.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Final

from flowlib.dashboard.answers import Answer, Answers
from flowlib.dashboard.live_runs import Live
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.shared import Shared
from flowlib.dashboard.stock import Stock
from flowlib.vocabulary import shown_state
from stores import ResultsStore, TaskState
from stores.lazy_dataclass import dataclass
from stores.listing import ORDERS, Listing

_AS_WORDS: Final = ("finished", "failed", "killed", "upstream_failed")
"""States of records whose words stand in the same order as they do."""

_BEFORE_ALL: Final = -1
"""Versions of what is known before all is: every look is another one."""

_AGE_S: Final = 5.0
"""Once all were read, the rows of many records are as old as this, too."""

_looks = itertools.count()


@dataclass(frozen=True, slots=True)
class FirstLook:
    """One page of a store that was not read yet.

    Attributes:
        answers: Answer one question, and what follows from the rows of its page.
        stock: These rows.
    """

    answers: Answers
    stock: Stock


def first_look(store: ResultsStore, answers: Answers, asked: Question) -> FirstLook | None:
    """The page that is asked for; None if only all records together tell it.

    Args:
        store: It is asked for one page.
        answers: Those of all records; their runs are used.
        asked: Which tasks, in which order, which page.
    """
    is_known = asked.filters in (Question(), Question(state=asked.state))
    order = asked.sort.removeprefix("-")
    if not store.can_page or not is_known or order not in ORDERS:
        return None
    answers.runs.refresh()
    live = answers.runs.now
    if (asked.state or order == "state") and live.states:
        return None  # those of the runs that go on are in no record
    if order == "state" and _has_odd_states(store):
        return None
    states = _states(asked.state) if asked.state else None
    absent = _absent(store, live)
    if absent and order not in ("when", "time"):
        return None  # they stand among the others, and not behind them
    age_s = 0.0 if live.planned else _AGE_S  # what has just ended must not be counted twice
    wanted = Listing(None, states, asked.sort, asked.limit, asked.offset, age_s)
    with answers.catalogue.standing_aside():
        page = store.page(wanted)
    shared = Shared()
    found = [shared.row_or_none(each, None) for each in page.summaries]
    rows = [row for row in found if row is not None]
    if len(rows) < max(0, min(asked.limit, page.total - asked.offset)):
        return None
    start = max(0, asked.offset - page.total)
    late = absent[start : start + asked.limit - len(rows)] if len(rows) < asked.limit else []
    answer = Answer([*rows, *late], page.total + len(absent), asked.offset)
    tasks: dict[str, dict[str, Row]] = {}
    for row in rows:
        tasks.setdefault(row.task, {})[row.key] = row
    known = replace(live, planned={row.key: row for row in late})
    stock = Stock(tasks, known, (_BEFORE_ALL, next(_looks)))
    return FirstLook(_FirstAnswers(answers, answer), stock)


def _has_odd_states(store: ResultsStore) -> bool:
    """Whether there are records whose words stand elsewhere than their states do."""
    odd = frozenset(each for each in TaskState if each.value not in _AS_WORDS)
    return store.page(Listing(None, odd, limit=1, age_s=_AGE_S)).total > 0


def _states(word: str) -> frozenset[TaskState]:
    """The states that are shown by a word."""
    return frozenset(each for each in TaskState if shown_state(each.value).word == word)


def _absent(store: ResultsStore, live: Live) -> list[Row]:
    """The rows of tasks of runs that go on, of which no record is there yet, in order."""
    planned = [row for key, row in live.planned.items() if key in live.states]
    there = store.statuses([row.address for row in planned]) if planned else {}
    absent = [row for row in planned if row.key not in there]
    return sorted(absent, key=lambda row: (row.task, row.key))


class _FirstAnswers(Answers):
    """Answers one question only."""

    knows_all = False

    def __init__(self, all_: Answers, answer: Answer) -> None:
        super().__init__(all_.catalogue, all_.runs)
        self._answer = answer

    def answer(self, question: Question, stock: Stock) -> Answer:
        return self._answer
