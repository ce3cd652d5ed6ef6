"""
The answers for programs: tasks with furu's words, their neighbours, counts, the graph.

Lists that may be long are iterators, made while they are sent. Wherever it stands, `id` is for
people (`Train/9a7a08b2`) and `address` for programs (`Train/` and the whole key).
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any, Final

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.neighbours import readers_of
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.statuses import ABSENT, ATTEMPT, RESULT
from flowlib.dashboard.stock import Stock
from flowlib.record_lines import plain_config, time_text
from flowlib.record_story import record_story, story_document
from flowlib.result_cells import as_json
from stores import Address, RecordMissing, RecordTooNew, ResultsStore, Unencodable, canonical

SCHEMA: Final = 1
"""Of all documents; parts may be added without another number."""

MOST_NODES: Final = 100_000
Document = dict[str, Any]


def experiments(answers: Answers, stock: Stock, question: Question) -> Document:
    """One page of the tasks that fit, and how many there are, exactly."""
    found = answers.answer(question, stock)
    return {
        "schema": SCHEMA,
        "total": found.total,
        "offset": question.offset,
        "limit": question.limit,
        "experiments": (row_document(row, stock) for row in found.rows),
    }


def row_document(row: Row, stock: Stock) -> Document:
    """A task as a list tells of it."""
    words = stock.words(row)
    return {
        **_place(row.address),
        "state": stock.shown(row),
        "result_status": words.result,
        "attempt_status": words.attempt,
        "attempt": row.attempt or None,
        "started_at": time_text(row.started),
        "ended_at": time_text(row.ended),
        "updated_at": time_text(row.updated),
        "duration_s": None if row.duration_s is None else round(row.duration_s, 6),
        "run": row.run,
        "unique_name": row.unique_name,
        "executor": row.executor,
        "host": row.host,
        "user": row.user,
        "error_type": row.error,
        "config": {path: _plain(v) for path, v in zip(row.paths, row.values, strict=True)},
    }


def experiment(
    store: ResultsStore, answers: Answers, stock: Stock, address: Address
) -> Document | None:
    """All about one task; None if nothing is known of it.

    What stands in a list means the same here; but the config is whole, with its dicts and lists.
    """
    row = stock.find(address.task, address.key)
    told = {} if row is None else {"schema": SCHEMA, **row_document(row, stock)}
    try:
        story = record_story(store, address, readers=())
    except (RecordMissing, RecordTooNew):
        return told or None
    whole = {"schema": SCHEMA, **_place(address), **as_json(story_document(story)), **told}
    run = story.counts.run
    whole["project"] = None if run is None else run.project_name
    whole["config"] = as_json(plain_config(story.config))
    whole["downstream"] = map(_reader, readers_of(answers, stock, address))
    return whole


def _place(address: Address) -> Document:
    return {
        "id": str(address),
        "address": f"{address.task}/{address.key}",
        "task": address.task,
        "key": address.key,
    }


def _reader(row: Row) -> Document:
    """What has read a record; as what it was read stands in its own record only."""
    return {
        "id": row.id,
        "task": row.task,
        "key": row.key,
        "role": "",
        "attempt": row.attempt,
        "current": row.attempt if row.state == "finished" else None,
    }


def relationships(
    store: ResultsStore, answers: Answers, stock: Stock, address: Address
) -> Document | None:
    """What a task has read, also if that is gone, and what has read it; None if it is unknown."""
    row = stock.find(address.task, address.key)
    if row is None:
        return None
    record = store.record(address) if row.state else None
    attempt = None if record is None else record.finished or record.latest
    inputs = () if attempt is None else (*attempt.inputs, *attempt.grown)
    grown = frozenset(() if attempt is None else (each.address for each in attempt.grown))
    children = readers_of(answers, stock, address)
    return {
        "schema": SCHEMA,
        **_place(address),
        "parents": (
            {"role": e.role, "is_grown": e.address in grown, **_neighbour(e.address, stock)}
            for e in inputs
        ),
        "children": (_neighbour(each.address, stock) for each in children),
    }


def _neighbour(address: Address, stock: Stock) -> Document:
    row = stock.find(address.task, address.key)
    words = ABSENT if row is None else stock.words(row)
    return {
        **_place(address),
        "result_status": words.result,
        "attempt_status": words.attempt,
    }


def stats(answers: Answers, stock: Stock) -> Document:
    """How many there are, by furu's words, by state and by task."""

    def count() -> Document:
        result, attempt = Counter[str](), Counter[str | None]()
        for row in stock.rows():
            words = stock.words(row)
            result[words.result] += 1
            attempt[words.attempt] += 1
        return {
            "result_status": {word: result[word] for word in RESULT},
            "attempt_status": {word: attempt[word] for word in ATTEMPT},
        }

    by_task = answers.counts(stock)
    states: Counter[str] = Counter()
    for each in by_task.values():
        states.update(each)
    return {
        "schema": SCHEMA,
        "total": states.total(),
        **answers.remembered("stats", stock, count),
        "states": dict(states),
        "tasks": {task: dict(by_task[task]) for task in sorted(by_task)},
        "unreadable": answers.catalogue.unreadable,
        "runs": len(stock.live.runs),
        "live_runs": sum(run.is_live for run in stock.live.runs),
    }


def dag(answers: Answers, stock: Stock, question: Question) -> Document:
    """The tasks that fit, what they have read, and which tasks read from which others.

    At most 100,000 tasks are told; `total` says how many there are.
    """
    rows = answers.fitting(question, stock)
    shown = rows[:MOST_NODES]
    outside = dict.fromkeys(pair for row in shown for pair in row.inputs)
    for row in shown:
        outside.pop((row.task, row.key), None)
    between = Counter((pair[0], row.task) for row in shown for pair in dict.fromkeys(row.inputs))
    return {
        "schema": SCHEMA,
        "total": len(rows),
        "nodes": chain(
            (_node(row.address, stock, row) for row in shown),
            (_node(Address(*pair), stock, stock.find(*pair)) for pair in outside),
        ),
        "edges": (
            {"source": f"{source[0]}/{source[1]}", "target": f"{row.task}/{row.key}"}
            for row in shown
            for source in dict.fromkeys(row.inputs)
        ),
        "tasks": [
            {"source": source, "target": target, "count": count}
            for (source, target), count in sorted(between.items())
        ],
    }


def _node(address: Address, stock: Stock, row: Row | None) -> Document:
    return {
        **_place(address),
        "state": None if row is None else stock.shown(row),
        "result_status": (ABSENT if row is None else stock.words(row)).result,
    }


def _plain(value: object) -> object:
    """A value of a config as JSON has it."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    try:
        return as_json(plain_config({"v": value})["v"])
    except (Unencodable, ValueError, TypeError, RecursionError):
        return canonical.encode(str(value))
