"""The list of tasks: filters, order and page stand in the address, and totals are exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowlib.age import ago
from flowlib.dashboard.answers import Answer, Answers
from flowlib.dashboard.columns import Varying, varying
from flowlib.dashboard.frame import state_mark, table, task_link, url
from flowlib.dashboard.markup import Child, Markup, cut, tag
from flowlib.dashboard.questions import Given, Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.statuses import ATTEMPT, RESULT
from flowlib.dashboard.stock import Stock
from flowlib.durations import took
from flowlib.record_lines import stamp
from flowlib.record_list import short
from flowlib.vocabulary import SHOWN_STATES
from stores.config_paths import ABSENT

_MOST_COLUMNS: Final = 12
_LONGEST_CELL: Final = 60
_LONGEST_CONSTANT: Final = 300
_CHOICES: Final = {"state": tuple(SHOWN_STATES), "result_status": RESULT, "attempt_status": ATTEMPT}
_MORE: Final = (
    "result_status", "attempt_status", "run", "executor", "host", "user", "started_after",
    "started_before", "updated_after", "updated_before",
)  # fmt: skip
_HINTS: Final = {
    "text": "words", "config_filter": "lr=0.1,depth=3", "task": "Train or Train/",
    "started_after": "2h, 7d, 2026-01-31", "started_before": "2h, 7d, 2026-01-31",
    "updated_after": "2h, 7d, 2026-01-31", "updated_before": "2h, 7d, 2026-01-31",
}  # fmt: skip


def task_list(
    answers: Answers, stock: Stock, question: Question, given: Given, now: float
) -> Markup:
    """What stands in it.

    Args:
        answers: Answers questions.
        stock: What is known.
        question: What is asked.
        given: The same as it stands in the address.
        now: Unix time.
    """
    found = answers.answer(question, stock)
    vary = varying(answers, question, stock)
    kept = [pair for pair in given if pair[1] and pair[0] != "offset"]
    return tag(
        "div",
        tag("h1", "Tasks"),
        _filters(kept),
        tag(
            "div",
            _count(found, question),
            _rows(found.rows, stock, vary, kept, question.sort, now),
            _pages(found, question, kept),
            _constant(vary),
            class_="live",
        ),
    )


def _filters(kept: Given) -> Markup:
    given = dict(kept)
    given["config_filter"] = ",".join(value for name, value in kept if name == "config_filter")
    hidden = [
        tag("input", type="hidden", name=name, value=value)
        for name, value in kept
        if name in ("sort", "limit")
    ]
    more = tag(
        "details",
        tag("summary", "more"),
        *(_field(name, given) for name in _MORE),
        open=any(name in given for name in _MORE),
    )
    first = [_field(name, given) for name in ("text", "task", "state", "config_filter")]
    return tag(
        "form", *first, more, *hidden, tag("button", "filter"),
        tag("a", "clear", href="/tasks"), action="/tasks", method="get", class_="filters",
        role="search",
    )  # fmt: skip


def _field(name: str, given: dict[str, str]) -> Markup:
    label, value = name.replace("_", " "), given.get(name, "")
    if name in _CHOICES:
        options = [tag("option", "any", value="")]
        options += [tag("option", w, value=w, selected=w == value) for w in _CHOICES[name]]
        return tag("label", label, tag("select", *options, name=name))
    hint = _HINTS.get(name)
    return tag("label", label, tag("input", name=name, value=value, placeholder=hint))


def _count(found: Answer, question: Question) -> Markup:
    if not found.total:
        return tag("p", "No task fits." if question.has_filters else "There is no task yet.")
    first, last = found.offset + 1, found.offset + len(found.rows)
    shown = f"{first:,} to {last:,} of " if found.rows else "nothing so late of "
    return tag("p", f"{shown}{found.total:,}", class_="count", data_total=found.total)


def _rows(
    rows: Sequence[Row], stock: Stock, vary: Varying, kept: Given, sort: str, now: float
) -> Markup | None:
    if not rows:
        return None
    tasks = vary.paths.keys() | vary.single
    own = vary.paths[next(iter(tasks))] if len(tasks) == 1 else ()
    paths = own[:_MOST_COLUMNS]
    head: list[Child] = [tag("th", "", scope="col", aria_label="select"), _head("id", kept, sort)]
    head.append(_head("state", kept, sort))
    head += [_head(path, kept, sort) for path in paths] if paths else [tag("th", "config")]
    head += [_head("time", kept, sort), _head("when", kept, sort), _head("run", kept, sort)]
    lines = [_line(row, stock, vary, paths, now) for row in rows]
    more = len(own) - len(paths)
    return tag(
        "form",
        table(head, lines, class_="rows"),
        tag("p", f"{more} more columns vary") if more > 0 else None,
        tag("button", "compare selected", class_="compare"),
        action="/compare",
        method="get",
    )


def _head(name: str, kept: Given, sort: str) -> Markup:
    """A heading that orders by its column, and the other way round when it does already."""
    wanted = f"-{name}" if sort == name else name
    arrow = {name: " ▴", f"-{name}": " ▾"}.get(sort, "")
    pairs = [pair for pair in kept if pair[0] != "sort"]
    order = {name: "ascending", f"-{name}": "descending"}.get(sort)
    link = tag("a", f"{cut(name, _LONGEST_CELL)}{arrow}", href=url("/tasks", *pairs, sort=wanted))
    return tag("th", link, scope="col", aria_sort=order)


def _line(row: Row, stock: Stock, vary: Varying, paths: Sequence[str], now: float) -> Markup:
    cells = [
        tag("td", tag("input", type="checkbox", name="address", value=f"{row.task}/{row.key}",
                      aria_label=f"select {row.id}")),
        tag("td", task_link(row.address)),
        tag("td", state_mark(stock.shown(row)), _later(row)),
    ]  # fmt: skip
    if paths:
        cells += [_value(row, path) for path in paths]
    else:
        cells.append(tag("td", cut(vary.label(row), _LONGEST_CONSTANT), class_="config"))
    ended = row.when
    cells += [
        tag("td", "" if row.duration_s is None else took(row.duration_s), class_="number"),
        tag("td", "" if ended is None else ago(now - ended), title=ended and stamp(ended)),
        tag("td", row.run),
    ]
    return tag("tr", *cells, data_id=f"{row.task}/{row.key}")


def _later(row: Row) -> Markup | None:
    """That the last attempt was no success, although an earlier one counts."""
    if row.state != "finished" or row.last_state in ("finished", "saved"):
        return None
    return tag("small", f" then {row.last_state}")


def _value(row: Row, path: str) -> Markup:
    value = row.value(path)
    text = "" if value is ABSENT else short(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return tag("td", cut(text, _LONGEST_CELL), class_="number" if is_number else None)


def _pages(found: Answer, question: Question, kept: Given) -> Markup | None:
    if found.total <= question.limit and not found.offset:
        return None
    limit, offset = question.limit, found.offset
    last = max(0, (found.total - 1) // limit * limit)
    steps = (
        ("first", 0, offset > 0), ("previous", max(0, offset - limit), offset > 0),
        ("next", offset + limit, offset + limit < found.total), ("last", last, offset < last),
    )  # fmt: skip
    links = [
        tag("a", name, href=url("/tasks", *kept, offset=to or ""), rel=name)
        if is_there
        else tag("span", name)
        for name, to, is_there in steps
    ]
    return tag("nav", *links, class_="pages", aria_label="pages of the list")


def _constant(vary: Varying) -> Markup | None:
    """What all rows of the one task have."""
    if len(vary.constant) != 1 or vary.single:
        return None
    [constant] = vary.constant.values()
    if not constant:
        return None
    told = " ".join(f"{path}={short(value)}" for path, value in constant.items())
    return tag("p", f"the same in all: {cut(told, _LONGEST_CONSTANT)}", class_="constant")
