"""What was in a store at one moment, as far as collecting needs it?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from stores.ancestry import counting
from stores.housekeeping.relations import sources_of
from stores.housekeeping.usage import size_of
from stores.lazy_dataclass import dataclass
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Address, Record, TaskState
from stores.sieve import ended_at


@dataclass(frozen=True, slots=True)
class Item:
    """One record.

    Attributes:
        address: Where it lies.
        attempt: Number of its last attempt.
        sources: What it was computed from.
        size_bytes: With its artifacts.
        duration_s: How long it took to compute.
        ended: Unix time; 0 if nobody has noted it.
        run: Project and name of the run it belongs to.
        is_by_hand: Whether something of it was saved by hand, so that no run brings it back.
    """

    address: Address
    attempt: int
    sources: tuple[Address, ...]
    size_bytes: int
    duration_s: float
    ended: float
    run: tuple[str, str] | None
    is_by_hand: bool

    @classmethod
    def of(cls, record: Record) -> Item:
        """What is needed of a record."""
        counts = counting(record)
        run = counts.run
        return cls(
            record.address,
            record.latest.number,
            tuple(sources_of(record)),
            size_of(record),
            counts.duration_s or 0.0,
            ended_at(record.latest) or 0.0,
            None if run is None else (run.project_name, run.run_name),
            record.latest.state is TaskState.SAVED,
        )


Snapshot = Mapping[Address, Item]


def snapshot(store: StorePrimitives) -> Snapshot:
    """All records.

    Raises:
        RecordTooNew: one was written by a newer flowlib, so nobody here knows what it needs.
    """
    found = {record.address: Item.of(record) for record in store.candidates(Query())}
    for address in store.addresses():
        if address not in found:
            store.record(address)
    return found


def with_sources(addresses: Iterable[Address], known: Snapshot) -> set[Address]:
    """These and all that they were computed from."""
    found: set[Address] = set()
    stack = list(addresses)
    while stack:
        address = stack.pop()
        if address not in found:
            found.add(address)
            if address in known:
                stack.extend(known[address].sources)
    return found


def newest_runs(known: Snapshot, count: int) -> set[Address]:
    """The records of the runs that ended last."""
    ended: dict[tuple[str, str], float] = {}
    for item in known.values():
        if item.run is not None:
            ended[item.run] = max(item.ended, ended.get(item.run, -math.inf))
    newest = set(sorted(ended, key=lambda run: ended[run])[-count:]) if count else set()
    return {item.address for item in known.values() if item.run in newest}


def tasks_upstream(tasks: Iterable[str], known: Snapshot) -> set[str]:
    """The names of the tasks from which records of some tasks were computed, ever."""
    read: dict[str, set[str]] = {}
    for item in known.values():
        read.setdefault(item.address.task, set()).update(each.task for each in item.sources)
    found: set[str] = set()
    stack = list(tasks)
    while stack:
        for task in read.get(stack.pop(), ()):
            if task not in found:
                found.add(task)
                stack.append(task)
    return found
