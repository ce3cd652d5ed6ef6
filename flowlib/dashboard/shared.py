"""How do 100,000 rows stay small? What is equal in several of them is one object."""

from __future__ import annotations

import logging
import struct
import sys
from collections.abc import Hashable, Iterable, Mapping
from typing import Final, TypeVar

from flowlib.dashboard.rows import NO_NUMBER, Common, Row, number_in, numbers_of
from stores import Address
from stores.config_paths import leaves
from stores.summary import More, Summary

_log = logging.getLogger("flowlib")

_NOTHING: Final = More(0, None, "", "", "", "", ())
_SHARED_LENGTH: Final = 64
_MOST_FLOATS: Final = 10_000
_PLAIN: Final = frozenset((str, int, float, bool, type(None), list, tuple))
_ODD: Final = (
    TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError,
    struct.error,
)  # fmt: skip
"""What parts of other kinds than are known lead to."""

T = TypeVar("T", bound=Hashable)


class Shared:
    """One object for all equal ones: paths, names, short values, pairs of a task and a key."""

    def __init__(self) -> None:
        self._known: dict[object, object] = {}
        self._floats: dict[float, float] = {}

    def row(self, summary: Summary, mark: int | None, key: str = "") -> Row:
        """The row of a record; its key is this object, where one is given."""
        more = summary.more or _NOTHING
        flat = dict(_flat(summary.config))
        task, name = sys.intern(summary.address.task), summary.unique_name
        common = Common(
            task,
            sys.intern(summary.state),
            sys.intern(summary.last_state),
            more.attempt,
            sys.intern(summary.run),
            sys.intern(more.error),
            more.host,
            more.user,
            more.executor,
            self._one(tuple(summary.given)),
            self._one(tuple(flat)),
        )
        number = number_in(name, task)
        return Row(
            self._one(common),
            key or summary.address.key,
            self._inputs(more.inputs),
            tuple(map(self._value, flat.values())),
            name if number == NO_NUMBER else "",
            numbers_of(summary.started, summary.ended, more.last_ended, mark, number),
        )

    def row_or_none(self, summary: Summary, mark: int | None, key: str = "") -> Row | None:
        """The row of a record; None, with a warning, if some part of it is of no known kind."""
        try:
            return self.row(summary, mark, key)
        except _ODD as error:
            _log.warning("%r is not shown: %r", summary.address, error)
            return None

    def _one(self, found: T) -> T:
        return self._known.setdefault(found, found)  # type: ignore[return-value]  # an equal one

    def _inputs(self, addresses: Iterable[Address]) -> tuple[tuple[str, str], ...]:
        return self._one(
            tuple([self._one((sys.intern(each.task), each.key)) for each in addresses])
        )

    def _value(self, value: object) -> object:
        if type(value) is str and len(value) <= _SHARED_LENGTH:
            return sys.intern(value)
        if type(value) is float and value and len(self._floats) < _MOST_FLOATS:
            return self._floats.setdefault(value, value)  # never 0.0, which -0.0 equals
        return value


def _flat(config: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """Dotted paths and values; most configs hold nothing that is deeper."""
    if all(type(each) in _PLAIN for each in config.values()):
        return config.items()
    return leaves(config)
