"""
Which earlier results are most like a new node, and what is different about them?

The store is asked when an answer is wanted, once per task, and for a bounded number of records:
a plan in which nothing is new asks nothing, and one with 100,000 new nodes asks no more than one
with a single one.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

from flowlib.declaration import Declaration
from flowlib.node import Node
from flowlib.recorded import RecordedConfig, parameter_texts
from stores import Address, Attempt, Query, Record, ResultsStore, Status, TaskState, canonical
from stores.config_paths import leaves
from stores.lazy_dataclass import dataclass
from stores.sieve import ended_at

MOST_RECORDS: Final = 200
"""So many records of a task are looked at, in the order of their keys."""

_MOST_SIBLINGS: Final = 2_000
"""So many nodes of the same spec, whose configs are known without the store."""

_LONGEST: Final = 40
"""Characters of one value."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is another one now.

    Attributes:
        path: Where it stands in the config; `version` for the version of the task.
        before: As short text; empty if there was none.
        now: The same of the new node.
    """

    path: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.path} {self.before or 'absent'} → {self.now or 'absent'}"


@dataclass(frozen=True, slots=True)
class Nearest:
    """The earlier result that is most like a new node.

    Attributes:
        address: Its record.
        differences: What is different in its own config; empty if nothing is.
        version: The versions of the task, if they differ.
        upstream: Keys of what it was computed from.
        has_same_upstream: Whether that is what the new node reads.
        is_of_all: Whether all records of the task were looked at, or only `MOST_RECORDS`.
    """

    address: Address
    differences: tuple[Difference, ...]
    version: Difference | None
    upstream: frozenset[str]
    has_same_upstream: bool
    is_of_all: bool

    def __str__(self) -> str:
        parts = [*map(str, self.differences), *([str(self.version)] if self.version else [])]
        if not self.has_same_upstream:
            parts.append("other upstream")
        return f"nearest {self.address}: {', '.join(parts) or 'same'}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    address: Address
    texts: Mapping[str, str]  # by the path of each value in the config
    version: str | None
    upstream: frozenset[str]
    ended: float


@dataclass(frozen=True, slots=True)
class _Stock:
    candidates: Sequence[_Candidate]
    durations: Sequence[float]
    is_all: bool


class EarlierRecords:
    """Earlier results of the tasks of a graph.

    Args:
        store: Where they are.
        by_spec: The nodes of each spec.
        statuses: What is known of the nodes, by key.
        texts: The recorded texts of each spec.
    """

    def __init__(
        self,
        store: ResultsStore,
        by_spec: Mapping[str, Sequence[Node]],
        statuses: Mapping[str, Status],
        texts: Mapping[Declaration, RecordedConfig],
    ) -> None:
        self._store = store
        self._by_spec = by_spec
        self._statuses = statuses
        self._texts = texts
        self._stocks: dict[str, _Stock] = {}

    def nearest(self, node: Node) -> Nearest | None:
        """The earlier result of the same task with the fewest differences; None without any."""
        stock = self._stock(node.name)
        others = [each for each in stock.candidates if each.address.key != node.key]
        if not others:
            return None
        texts, version, upstream = self._texts_of(node), _version_of(node), _upstream_of(node)
        given = {each.name for each in node.arguments if each.key_text is not None}

        def distance(each: _Candidate) -> tuple[int, bool, bool, float, str]:
            count = len(_differing(each.texts, texts, given))
            other_upstream = each.upstream != upstream
            return count, other_upstream, each.version != version, -each.ended, each.address.key

        best = min(others, key=distance)
        is_other = best.version != version
        return Nearest(
            best.address,
            _as_differences(best.texts, texts, given),
            Difference("version", best.version or "", version or "") if is_other else None,
            best.upstream,
            best.upstream == upstream,
            stock.is_all,
        )

    def mean_s(self, task: str) -> float | None:
        """How long the task took on average, as far as its records were looked at."""
        durations = self._stock(task).durations
        return sum(durations) / len(durations) if durations else None

    def versions(self, task: str) -> frozenset[str | None]:
        """The versions of a task that its records have, as far as they were looked at."""
        return frozenset(each.version for each in self._stock(task).candidates)

    def _stock(self, task: str) -> _Stock:
        found = self._stocks.get(task)
        if found is None:
            found = self._stocks[task] = self._read(task)
        return found

    def _read(self, task: str) -> _Stock:
        found = (r for r in self._store.candidates(Query(task)) if r.address.task == task)
        records = list(itertools.islice(found, MOST_RECORDS + 1))
        read = [_candidate(record) for record in records[:MOST_RECORDS]]
        counting = [each.finished for each in records if each.finished is not None]
        durations = [each.duration_s for each in counting if each.duration_s is not None]
        known = {each.address.key for each in read}
        read += [each for each in self._siblings(task) if each.address.key not in known]
        return _Stock(read, durations, len(records) <= MOST_RECORDS)

    def _siblings(self, task: str) -> Iterator[_Candidate]:
        """Nodes of the flow that have results: no record has to be read for them."""
        for node in self._by_spec.get(task, ())[:_MOST_SIBLINGS]:
            status = self._statuses.get(node.key)
            if status is not None and status.state is TaskState.FINISHED:
                texts = self._texts_of(node)
                yield _Candidate(node.address, texts, _version_of(node), _upstream_of(node), 0.0)

    def _texts_of(self, node: Node) -> dict[str, str]:
        return _leaf_texts(self._texts[node.declaration].full(node.arguments))


def differences(record: Record, node: Node, texts: RecordedConfig) -> tuple[Difference, ...]:
    """What is different in the config of a node since its record was written.

    A parameter that only one of them has is none of it: that makes no other result.

    Args:
        record: Of the same key.
        node: It.
        texts: The recorded texts of its spec.
    """
    before = parameter_texts(record.identity.config)
    now = parameter_texts(texts.full(node.arguments))
    changed = [name for name in now if before.get(name, now[name]) != now[name]]
    old, new = (_leaf_texts(_joined(each, changed)) for each in (before, now))
    return _as_differences(old, new, changed)


def _joined(texts: Mapping[str, str], names: Collection[str]) -> str:
    return "{" + ",".join(f"{quoted(name)}:{texts[name]}" for name in names) + "}"


def _as_differences(
    before: Mapping[str, str], now: Mapping[str, str], given: Collection[str]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(path, _short(before.get(path, "")), _short(now.get(path, "")))
        for path in _differing(before, now, given)
    )


def _candidate(record: Record) -> _Candidate:
    attempt: Attempt = record.finished or record.latest
    return _Candidate(
        record.address,
        _leaf_texts(record.identity.config),
        record.identity.version,
        frozenset(each.address.key for each in attempt.inputs),
        ended_at(attempt) or 0.0,
    )


def _version_of(node: Node) -> str | None:
    version = node.declaration.version
    return None if version is None else str(version)


def _upstream_of(node: Node) -> frozenset[str]:
    return frozenset(each.key for each in node.upstream.nodes)


def _differing(
    before: Mapping[str, str], now: Mapping[str, str], given: Collection[str]
) -> list[str]:
    """The paths at which two configs have different values, in the order of the new one.

    A parameter that the earlier one did not know is none of it, unless its value was `given`.
    """
    changed = [path for path, text in now.items() if before.get(path, text) != text]
    added = [path for path in now if path not in before and path.partition(".")[0] in given]
    return [*changed, *added, *(path for path in before if path not in now)]


def _leaf_texts(config: str) -> dict[str, str]:
    """The canonical text of every value in the canonical text of a config, by dotted path."""
    return {path: canonical.encode(value) for path, value in leaves(canonical.decode(config))}


def _short(text: str) -> str:
    """A canonical text as a user would write the value; a word stands without quotes."""
    if not text:
        return ""
    value = canonical.decode(text)
    shown = value if isinstance(value, str) and value.isidentifier() else repr(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
