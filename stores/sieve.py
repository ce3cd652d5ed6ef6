"""Which of the records that a store offers fit a query? Decided here alone, whatever the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from stores.ancestry import ReadRecord, counting
from stores.canonical import decode
from stores.config_paths import ABSENT, Path, leaves, shown, value_at
from stores.errors import QueryError, nearest
from stores.query import Query
from stores.record import Address, Attempt, Record


class Searchable(Protocol):
    """What is needed of a store."""

    def candidates(self, query: Query) -> Iterator[Record]: ...
    def record(self, address: Address) -> Record | None: ...


def fitting(store: Searchable, query: Query) -> Iterator[Record]:
    """The records that fit, by task and key.

    Raises:
        QueryError: `where` names a parameter that none of the records it is about has.
    """
    sieve = _Sieve(query, store.record)
    for record in store.candidates(query):
        if sieve.lets_pass(record):
            yield record
    if sieve.unseen:
        _refuse_unknown(store, query, sieve.unseen)


def ended_at(attempt: Attempt) -> float | None:
    """When an attempt ended, or at least began; None if nobody has noted it."""
    return attempt.started if attempt.ended is None else attempt.ended


def full_config(record: Record) -> Mapping[str, object]:
    """The whole config, defaults included."""
    config = decode(record.identity.config)
    return config if isinstance(config, dict) else {}


class _Sieve:
    """A query at work.

    Attributes:
        unseen: The paths of `where` that no record has had so far.
    """

    def __init__(self, query: Query, read: ReadRecord) -> None:
        self._query = query
        self._read = read
        self._upstream: dict[str, Record | None] = {}
        self.unseen = {condition.path for condition in query.conditions}

    def lets_pass(self, record: Record) -> bool:
        """Whether a record fits."""
        query = self._query
        if not query.may_be_at(record.address):
            return False
        if query.states is not None and record.state not in query.states:
            return False
        if not self._is_in_time(record) or not self._has_words(record):
            return False
        return all(self._has(record, each.path, each.holds_for) for each in query.conditions)

    def knows(self, record: Record, path: Path) -> bool:
        """Whether a record has something at a path."""
        return any(True for _ in self._values(record, path))

    def _has(self, record: Record, path: Path, is_wanted: Callable[[object], bool]) -> bool:
        found = list(self._values(record, path))
        if found:
            self.unseen.discard(path)
        return any(is_wanted(value) for value in found)

    def _is_in_time(self, record: Record) -> bool:
        since, until = self._query.since, self._query.until
        if since is None and until is None:
            return True
        ended = ended_at(counting(record))
        if ended is None:
            return False
        return (since is None or ended >= since) and (until is None or ended < until)

    def _has_words(self, record: Record) -> bool:
        if not self._query.words:
            return True
        text = _searched_text(record)
        return all(word in text for word in self._query.words)

    def _values(self, record: Record, path: Path) -> Iterator[object]:
        """What stands at a path: in the own config, else in those of the tasks it names."""
        own = value_at(full_config(record), path)
        if own is not ABSENT:
            yield own
            return
        if isinstance(path, tuple) or "." not in path:
            return
        for each in self._lineage(record):
            name = each.address.task
            if path.startswith(f"{name}."):
                value = value_at(full_config(each), path[len(name) + 1 :])
                if value is not ABSENT:
                    yield value

    def _lineage(self, record: Record) -> Iterator[Record]:
        """A record and those upstream of it, each once; what was read is kept."""
        stack, seen = [record], {record.address.key}
        while stack:
            each = stack.pop()
            yield each
            for source in counting(each).inputs:
                if source.address.key in seen:
                    continue
                seen.add(source.address.key)
                if source.address.key not in self._upstream:
                    self._upstream[source.address.key] = self._read(source.address)
                found = self._upstream[source.address.key]
                if found is not None:
                    stack.append(found)


def _searched_text(record: Record) -> str:
    attempt = counting(record)
    run, error = attempt.run, record.latest.error
    config = [f"{path}={value}" for path, value in leaves(full_config(record))]
    names = [] if run is None else [run.project_name, run.run_name, run.unique_name]
    faults = [] if error is None else [error.type_, error.message]
    address = f"{record.address.task}/{record.address.key}"
    return "\n".join([address, *config, *names, *faults]).casefold()


def _refuse_unknown(store: Searchable, query: Query, unseen: set[Path]) -> None:
    """Look at all records that the query is about, whatever their configs.

    Raises:
        QueryError: there are some, and none has one of the paths.
    """
    wide = _Sieve(replace(query, conditions=()), store.record)
    known: set[str] = set()
    count = 0
    for record in store.candidates(replace(query, conditions=())):
        if not wide.lets_pass(record):
            continue
        count += 1
        known.update(path for path, _ in leaves(full_config(record)))
        unseen = {path for path in unseen if not wide.knows(record, path)}
        if not unseen:
            return
    if count:
        path = sorted(map(shown, unseen))[0]
        raise QueryError(
            f"none of the {count} records has a parameter {path!r}.{nearest(path, known)} "
            f"They have: {', '.join(sorted(known)) or 'none'}"
        )
