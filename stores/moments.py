"""Which moment does a user mean? A date, a time, or how long ago, as Unix time."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Final

from stores.errors import QueryError

When = datetime | date | timedelta | float | str
"""A moment: a date or time (without a zone: local), a Unix time, or how long ago it was, as a
`timedelta` or as text like "30m", "2h", "7d", "4w"."""

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def moment(when: When, name: str, *, is_end: bool = False) -> float:
    """The Unix time that is meant.

    Args:
        when: What the user gave.
        name: What it was given for, for errors.
        is_end: Whether a date without a time means the end of that day.

    Raises:
        QueryError: it is no moment.
    """
    if isinstance(when, str):
        ago_s = _span_s(when)
        when = _parsed(when, name) if ago_s is None else time.time() - ago_s
    if isinstance(when, timedelta):
        return time.time() - when.total_seconds()
    if isinstance(when, date) and not isinstance(when, datetime):
        day = when + timedelta(days=1) if is_end else when
        when = datetime(day.year, day.month, day.day)
    if isinstance(when, datetime):
        return when.timestamp()
    if isinstance(when, bool) or not isinstance(when, (int, float)) or when != when:
        raise QueryError(_fault(when, name))
    return float(when)


def span(length: timedelta | float | str, name: str) -> float:
    """The seconds that are meant by a length of time: a number, a `timedelta`, or "7d".

    Raises:
        QueryError: it is no length of time.
    """
    if isinstance(length, timedelta):
        found: float | None = length.total_seconds()
    elif isinstance(length, str):
        found = _span_s(length)
    else:
        is_number = isinstance(length, (int, float)) and not isinstance(length, bool)
        found = float(length) if is_number else None
    if found is None or not found >= 0:
        raise QueryError(f"{name} is {length!r}; give seconds, or '30m', '2h', '7d', '4w'")
    return found


def _span_s(text: str) -> float | None:
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.replace(".", "", 1).isdecimal():
        return None
    return float(number) * _UNITS[unit]


def _parsed(text: str, name: str) -> datetime | date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(_fault(text, name)) from None


def _fault(when: object, name: str) -> str:
    return (
        f"{name} is {when!r}; give a date or time like '2026-01-31' or '2026-01-31 14:00', "
        f"or how long ago: '30m', '2h', '7d', '4w'"
    )
