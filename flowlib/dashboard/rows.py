"""What is kept in memory of each record, so that 100,000 are searched in a moment?"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from stores import Address
from stores.config_paths import ABSENT, leaves
from stores.summary import More, Summary

_log = logging.getLogger("flowlib")

_NOTHING: Final = More(0, None, "", "", "", "", ())
_SHARED_LENGTH: Final = 64
_MOST_FLOATS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One record. Its config is flat: values by the paths that all records of its kind share.

    Attributes:
        task: Name of the task.
        key: Its key.
        state: The value of its `TaskState`.
        last_state: That of the last attempt.
        started: When the attempt began that counts, else the last one.
        ended: When it ended.
        updated: When the last attempt ended, or at least began.
        attempt: Number of the last attempt.
        run: Name of the run that made it.
        unique_name: What it was called there.
        error: Type of the error of the last attempt.
        host: Where it was made.
        user: Whose run made it.
        executor: What executed it.
        inputs: Keys of what it has read, with the names of their tasks.
        given: The parameters that the user gave.
        paths: Dotted paths of the config.
        values: What stands there.
        mark: What the store tells of this version of the record.
    """

    task: str
    key: str
    state: str
    last_state: str
    started: float | None
    ended: float | None
    updated: float | None
    attempt: int
    run: str
    unique_name: str
    error: str
    host: str
    user: str
    executor: str
    inputs: tuple[tuple[str, str], ...]
    given: tuple[str, ...]
    paths: tuple[str, ...]
    values: tuple[object, ...]
    mark: object = None

    @property
    def address(self) -> Address:
        """Where it lies."""
        return Address(self.task, self.key)

    @property
    def id(self) -> str:
        """`Train/9a7a08b2`."""
        return f"{self.task}/{self.key[:8]}"

    @property
    def duration_s(self) -> float | None:
        """How long the attempt took that counts."""
        return None if self.started is None or self.ended is None else self.ended - self.started

    @property
    def when(self) -> float | None:
        """When that attempt ended, or at least began."""
        return self.started if self.ended is None else self.ended

    @property
    def config(self) -> dict[str, object]:
        """The values by their paths."""
        return dict(zip(self.paths, self.values, strict=True))

    def value(self, path: str) -> object:
        """What stands at a path of the config; ABSENT if nothing does."""
        try:
            return self.values[self.paths.index(path)]
        except ValueError:
            return ABSENT


class Shared:
    """One object for all equal ones: paths, names, short values, pairs of a task and a key."""

    def __init__(self) -> None:
        self._known: dict[object, object] = {}
        self._floats: dict[float, float] = {}

    def row(self, summary: Summary, mark: object) -> Row:
        """The row of a record."""
        more = summary.more or _NOTHING
        flat = dict(_flat(summary.config))
        address = summary.address
        return Row(
            sys.intern(address.task),
            address.key,
            sys.intern(summary.state),
            sys.intern(summary.last_state),
            summary.started,
            summary.ended,
            more.last_ended,
            more.attempt,
            sys.intern(summary.run),
            summary.unique_name,
            sys.intern(more.error),
            more.host,
            more.user,
            more.executor,
            self._inputs(more.inputs),
            self._tuple(summary.given),
            self._tuple(flat),
            tuple(map(self._value, flat.values())),
            mark,
        )

    def row_or_none(self, summary: Summary, mark: object) -> Row | None:
        """The row of a record; None, with a warning, if some part of it is of no known kind."""
        try:
            return self.row(summary, mark)
        except (TypeError, ValueError, AttributeError, LookupError, RecursionError) as error:
            _log.warning("%r is not shown: %r", summary.address, error)
            return None

    def _tuple(self, texts: Iterable[str]) -> tuple[str, ...]:
        found = tuple(texts)
        return self._known.setdefault(found, found)  # type: ignore[return-value]  # an equal one

    def _pair(self, address: Address) -> tuple[str, str]:
        found = (sys.intern(address.task), address.key)
        return self._known.setdefault(found, found)  # type: ignore[return-value]  # an equal one

    def _inputs(self, addresses: Iterable[Address]) -> tuple[tuple[str, str], ...]:
        found = tuple(self._pair(each) for each in addresses)
        return self._known.setdefault(found, found)  # type: ignore[return-value]  # an equal one

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


_PLAIN: Final = frozenset((str, int, float, bool, type(None), list, tuple))
