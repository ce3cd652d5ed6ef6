"""The first page: how many tasks are in which state, the newest, and the runs that go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from flowlib.age import ago
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.frame import (
    counted,
    counts_bar,
    run_url,
    section,
    state_mark,
    table,
    task_link,
    url,
)
from flowlib.dashboard.markup import Child, Markup, tag
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.stored_runs import StoredRun
from flowlib.vocabulary import SHOWN_STATES

NEWEST: Final = Question(limit=10)
"""The tasks that stand on it."""

_MOST_RUNS: Final = 5
_MOST_TASKS: Final = 100


def overview(answers: Answers, stock: Stock, now: float) -> Markup:
    """What stands on it.

    Args:
        answers: Answers questions.
        stock: What is known.
        now: Unix time.
    """
    counts = answers.counts(stock)
    total: Counter[str] = Counter()
    for each in counts.values():
        total.update(each)
    unreadable = answers.catalogue.unreadable
    return tag(
        "div",
        tag("h1", counted(total.total(), "task")),
        tag("p", *_cards(total), class_="cards"),
        tag("p", f"{unreadable:,} records cannot be read", class_="warning")
        if unreadable
        else None,
        _runs(stock.live.runs[:_MOST_RUNS], len(stock.live.runs)),
        _by_task(counts),
        _newest(answers.answer(NEWEST, stock).rows, stock, now),
        class_="live",
    )


def first_overview(answers: Answers, stock: Stock, now: float) -> Markup:
    """What stands on it before all records were read, which alone tell the counts.

    Args:
        answers: Know the newest tasks, and how many there are.
        stock: What is known.
        now: Unix time.
    """
    found, read = answers.answer(NEWEST, stock), answers.catalogue.read
    return tag(
        "div",
        tag("h1", counted(found.total, "task")),
        tag("p", f"counts follow: {read:,} records are read so far …", class_="count"),
        _runs(stock.live.runs[:_MOST_RUNS], len(stock.live.runs)),
        _newest(found.rows, stock, now),
        class_="live",
    )


def _cards(total: Counter[str]) -> list[Markup]:
    words = [word for word in reversed(SHOWN_STATES) if total[word]]
    return [
        tag(
            "a", tag("b", f"{total[word]:,}"), state_mark(word), href=url("/tasks", state=word),
            class_="card",
        )
        for word in words
    ]  # fmt: skip


def _by_task(found: Mapping[str, Counter[str]]) -> Markup:
    if not found:
        return tag("p", "The store is empty: ", tag("code", "flowlib run flow.yaml"), " fills it.")
    names = sorted(found)[:_MOST_TASKS]
    rows = [
        tag(
            "tr",
            tag("td", tag("a", name, href=url("/tasks", task=f"{name}/"))),
            tag("td", f"{found[name].total():,}", class_="number"),
            tag("td", counts_bar(in_order(found[name]))),
            tag("td", *state_words(in_order(found[name]))),
            tag("td", tag("a", "sweep", href=url("/sweep", task=name))),
        )
        for name in names
    ]
    more = len(found) - len(names)
    return section(
        "By task",
        table(("task", "count", "", "states", ""), rows),
        tag("p", f"and {more:,} more tasks") if more else None,
    )


def in_order(counts: Counter[str]) -> dict[str, int]:
    """Counts in the order in which states are shown: what is done first."""
    return {word: counts[word] for word in reversed(SHOWN_STATES) if counts[word]}


def state_words(counts: dict[str, int]) -> list[Child]:
    """Each state with how many there are."""
    found: list[Child] = []
    for word, count in counts.items():
        found += [state_mark(word), f" {count:,} "]
    return found


def _newest(rows: Sequence[Row], stock: Stock, now: float) -> Markup | None:
    if not rows:
        return None
    lines = [
        tag(
            "tr",
            tag("td", task_link(row.address)),
            tag("td", state_mark(stock.shown(row))),
            tag("td", row.run),
            tag("td", "" if row.when is None else ago(now - row.when)),
            data_id=f"{row.task}/{row.key}",
        )
        for row in rows
    ]
    return section("Newest", table(("task", "state", "run", "when"), lines))


def _runs(runs: Sequence[StoredRun], total: int) -> Markup | None:
    if not runs:
        return None
    rows = [
        tag(
            "tr",
            tag("td", tag("a", run.name, href=run_url(run.folder.name))),
            tag("td", run_mark(run)),
            tag("td", counts_bar(in_order(Counter(run.counts or {})))),
            tag("td", *state_words(in_order(Counter(run.counts or {})))),
        )
        for run in runs
    ]
    more = tag("p", tag("a", f"all {total:,} runs", href="/runs")) if total > len(runs) else None
    return section("Runs", table(("run", "state", "", "tasks"), rows), more)


def run_mark(run: StoredRun) -> Markup:
    """The state of a run."""
    word = {"interrupted": "killed", "refused": "failed", "unknown": "pending"}.get(
        run.state, run.state
    )
    icon = SHOWN_STATES[word].icon
    return tag("span", f"{icon} {run.state}", class_=f"state {word}")
