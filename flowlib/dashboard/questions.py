"""What does a request ask for? Its parameters, checked: what cannot be answered is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from flowlib.dashboard.statuses import ATTEMPT, RESULT
from flowlib.errors import FlowError, SelectorError, nearest
from flowlib.selectors import Condition, parse_selector
from flowlib.vocabulary import SHOWN_STATES
from stores import QueryError
from stores.lazy_dataclass import dataclass
from stores.moments import moment

MOST_AT_ONCE: Final = 1000
USUAL: Final = 50
_MOST_OFFSET: Final = 10**12
_LONGEST: Final = 10_000

Given = Sequence[tuple[str, str]]
"""Names and values, as they stand in a URL."""


class BadQuestion(FlowError):
    """A parameter of a request is not known, or its value is none of those it may have."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which tasks, in which order, which page of them.

    Attributes:
        task: How the id begins: `Tr` for all tasks whose names do, `Train/` for this one alone.
        result_status: A word of `statuses.RESULT`.
        attempt_status: A word of `statuses.ATTEMPT`.
        state: A word of the vocabulary.
        executor: What executed it.
        host: Where it was made.
        user: Whose run made it.
        run: Name of the run that made it.
        started_after: Unix time.
        started_before: Unix time.
        updated_after: Unix time.
        updated_before: Unix time.
        config_filter: What the config has to hold.
        text: Words that all occur in the id, the config, the run or the error.
        sort: id, task, state, time, when, run, or a path of configs; `-` for the largest first.
        limit: At most so many.
        offset: After so many.
    """

    task: str = ""
    result_status: str = ""
    attempt_status: str = ""
    state: str = ""
    executor: str = ""
    host: str = ""
    user: str = ""
    run: str = ""
    started_after: float | None = None
    started_before: float | None = None
    updated_after: float | None = None
    updated_before: float | None = None
    config_filter: tuple[Condition, ...] = ()
    text: str = ""
    sort: str = "-when"
    limit: int = USUAL
    offset: int = 0

    @property
    def filters(self) -> Question:
        """The same without order and page."""
        return Question(
            **{e.name: getattr(self, e.name) for e in fields(self) if e.name not in _PAGE}
        )

    @property
    def has_filters(self) -> bool:
        """Whether less than everything is asked for."""
        return self.filters != Question()


_PAGE: Final = frozenset(("sort", "limit", "offset"))
NAMES: Final = tuple(each.name for each in fields(Question))
"""The parameters that there are."""


def question_of(given: Given) -> Question:
    """The question that the parameters of a URL ask; empty values count as not given.

    Raises:
        BadQuestion: one is not known, given twice, or has no value that it may have.
    """
    found: dict[str, Any] = {}
    conditions: list[Condition] = []
    for name, value in given:
        if name not in _READERS:
            raise BadQuestion(
                f"there is no parameter {name!r}.{nearest(name, NAMES)} There are: "
                f"{', '.join(NAMES)}"
            )
        if name != "config_filter" and name in found:
            raise BadQuestion(f"{name} is given twice")
        if len(value) > _LONGEST:
            raise BadQuestion(f"{name} is longer than {_LONGEST:,} characters")
        if not value:
            continue
        if name == "config_filter":
            conditions += _conditions(name, value)
        else:
            found[name] = _READERS[name](name, value)
    return Question(**found, config_filter=tuple(conditions))


def _text(_: str, value: str) -> str:
    return value


def _word(known: Sequence[str]) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in known:
            raise BadQuestion(f"{name} is {value!r}; choose of {', '.join(known)}")
        return value

    return read


def _moment(name: str, value: str) -> float:
    try:
        found = moment(_with_plus(value), name, is_end=False)
    except (QueryError, OverflowError, ValueError, OSError) as error:
        told = str(error) if isinstance(error, QueryError) else f"{name} is {value!r}: {error}"
        raise BadQuestion(told) from None
    if not math.isfinite(found):
        raise BadQuestion(f"{name} is {value!r}, which is no moment")
    return found


def _with_plus(value: str) -> str:
    """A time with its zone; in a URL a `+` that was not quoted has become a space."""
    date, space, zone = value.rpartition(" ")
    return f"{date}+{zone}" if space and "T" in date and len(zone) == len("01:00") else value


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 15):
            raise BadQuestion(f"{name} is {value!r}; give a number from {least} to {most:,}")
        number = int(value)
        if not least <= number <= most:
            raise BadQuestion(f"{name} is {number:,}; give a number from {least} to {most:,}")
        return number

    return read


def _conditions(name: str, value: str) -> tuple[Condition, ...]:
    """`lr=0.1,model.depth=3`, as in selectors."""
    try:
        found = parse_selector(f"x[{value}]").conditions
    except (SelectorError, ValueError, OverflowError) as error:
        raise BadQuestion(f"{name} is {value!r}; write lr=0.1: {error}") from None
    if not found:
        raise BadQuestion(f"{name} is {value!r}; write lr=0.1")
    return found


_READERS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    **dict.fromkeys(("task", "executor", "host", "user", "run", "text", "sort"), _text),
    "result_status": _word(RESULT),
    "attempt_status": _word(ATTEMPT),
    "state": _word(tuple(SHOWN_STATES)),
    **dict.fromkeys(
        ("started_after", "started_before", "updated_after", "updated_before"), _moment
    ),
    "config_filter": _text,
    "limit": _number(1, MOST_AT_ONCE),
    "offset": _number(0, _MOST_OFFSET),
}
