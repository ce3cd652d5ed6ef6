"""Which results of a task are drawn as lines? The newest that fit, each read once.

A record is read again only after it was written anew. Of one task at a time results are kept.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, Final

from flowlib.bulk import paused_collection, settle
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.orders import ordered
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from stores import Address, Artifact, Query, Record, RecordTooNew, ResultsStore
from stores.cells import Entry, Grid, grid_of
from stores.lazy_dataclass import dataclass
from stores.table import Records

MOST_RESULTS: Final = 5_000
"""More are not read for one picture: the newest are, and the page says so."""

_STATES: Final = frozenset(("finished", "saved"))
_AT_ONCE: Final = 200
"""So many records are in memory at once; what is kept of them is small."""

_BULK: Final = 1_000
"""So many new results are much, and stay."""

_SHARED_LENGTH: Final = 64
_SHARED_DEPTH: Final = 4
_NOTHING: Final[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Results:
    """What is drawn.

    Attributes:
        grid: A row for each result.
        total: How many results fit, exactly.
    """

    grid: Grid
    total: int


class SweepRows:
    """The results that were asked for last. Any number of threads may ask.

    Args:
        store: It is only read.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._task = ""
        self._entries: dict[str, tuple[object, Entry]] = {}
        self._made: tuple[object, Results] | None = None

    def of(self, answers: Answers, stock: Stock, task: str, filters: Question) -> Results:
        """The newest results of a task.

        Args:
            answers: Answers questions.
            stock: What is known.
            task: Its name.
            filters: What else has to hold.
        """
        asked = (stock.version, task, repr(filters))
        with self._lock:
            if self._made is None or self._made[0] != asked:
                fitting = answers.fitting(filters, stock)
                with paused_collection():
                    self._made = asked, self._make(fitting, stock, task)
            return self._made[1]

    def _make(self, fitting: Sequence[Row], stock: Stock, task: str) -> Results:
        rows = [row for row in fitting if row.task == task and row.state in _STATES]
        newest = ordered(rows, "-when", stock, MOST_RESULTS)
        self._read(task, newest)
        known = [self._entries[row.key][1] for row in newest if row.key in self._entries]
        return Results(grid_of(known, self._store), len(rows))

    def _read(self, task: str, rows: Sequence[Row]) -> None:
        """Read what is not known, or was written anew; forget what is not wanted any more."""
        before = self._entries if task == self._task else {}
        marks = {row.key: row.mark for row in rows}
        self._task = task
        self._entries = {
            key: known for key, known in before.items() if marks.get(key, before) == known[0]
        }
        missing = [row.address for row in rows if row.key not in self._entries]
        for start in range(0, len(missing), _AT_ONCE):
            some = _Some(self._store, missing[start : start + _AT_ONCE])
            for entry in Records(some, Query()).entries():
                key = entry.address.key
                self._entries[key] = marks[key], _small(entry)
        if len(missing) > _BULK:
            settle()


def _small(entry: Entry) -> Entry:
    """An entry whose words are one object with the equal ones of others: a fifth less memory."""
    artifacts = tuple(
        replace(
            each,
            name=_shared(each.name),
            type_=_shared(each.type_),
            encoding=_shared(each.encoding),
            load_kwargs=each.load_kwargs or _NOTHING,
        )
        for each in entry.artifacts
    )
    return replace(entry, config=_shared(entry.config, _SHARED_DEPTH), artifacts=artifacts)


def _shared(value: Any, depth: int = 0) -> Any:
    """The same word or config; names and short words in it are shared."""
    if type(value) is str and len(value) <= _SHARED_LENGTH:
        return sys.intern(value)
    if type(value) is dict and depth:
        return {_shared(name): _shared(each, depth - 1) for name, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class _Some:
    """Some records of a store, which are not looked for among all others."""

    store: ResultsStore
    addresses: Sequence[Address]

    def candidates(self, _: Query) -> Iterator[Record]:
        """They."""
        for address in self.addresses:
            with suppress(RecordTooNew):
                record = self.store.record(address)
                if record is not None and record.address == address:
                    yield record

    def record(self, address: Address) -> Record | None:
        """Any record."""
        return self.store.record(address)

    def artifact_stream(self, address: Address, artifact: Artifact) -> BinaryIO:
        """The bytes of a result."""
        return self.store.artifact_stream(address, artifact)
