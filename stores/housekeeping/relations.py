"""Which records were computed from which? Read once, for all that must not part them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping

from stores.ancestry import ReadRecord
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Address, Record, TaskState

Readers = Mapping[Address, Collection[Address]]
"""For each record those that were computed from it, directly."""


def sources_of(record: Record) -> list[Address]:
    """What a record was computed from; a failed or killed one was not computed.

    Of a task that has returned specs this is what they give, too: it has its results from there.
    """
    saved = record.latest if record.latest.state is TaskState.SAVED else None
    attempts = [each for each in (record.finished, saved) if each is not None]
    read = itertools.chain.from_iterable((*each.inputs, *each.grown) for each in attempts)
    return sorted({source.address for source in read})


def readers_in(store: StorePrimitives) -> Readers:
    """Who reads whom, over the whole store."""
    readers: dict[Address, list[Address]] = {}
    for record in store.candidates(Query()):
        for source in sources_of(record):
            readers.setdefault(source, []).append(record.address)
    return readers


def downstream(addresses: Iterable[Address], readers: Readers) -> set[Address]:
    """All records computed from these, directly or through others; without these themselves."""
    given = set(addresses)
    found: set[Address] = set()
    stack = list(given)
    while stack:
        for reader in readers.get(stack.pop(), ()):
            if reader not in found:
                found.add(reader)
                stack.append(reader)
    return found - given


def readers_first(addresses: Iterable[Address], readers: Readers) -> list[Address]:
    """In an order in which nothing stands before what was computed from it."""
    chosen = set(addresses)
    done: set[Address] = set()
    ordered: list[Address] = []
    stack = [(address, False) for address in sorted(chosen, reverse=True)]
    while stack:
        address, is_expanded = stack.pop()
        if is_expanded:
            ordered.append(address)
        elif address not in done:
            done.add(address)
            stack.append((address, True))
            stack.extend((each, False) for each in readers.get(address, ()) if each in chosen)
    return ordered


def sources_first(addresses: Iterable[Address], read: ReadRecord) -> list[Address]:
    """These and all that they were computed from, as far as it is there: sources stand first."""
    ordered: list[Address] = []
    seen: set[Address] = set()
    stack = [(address, False) for address in reversed(list(addresses))]
    while stack:
        address, is_expanded = stack.pop()
        if is_expanded:
            ordered.append(address)
        elif address not in seen:
            seen.add(address)
            record = read(address)
            if record is not None:
                stack.append((address, True))
                stack.extend((each, False) for each in reversed(sources_of(record)))
    return ordered


def listed(addresses: Collection[Address], limit: int = 5) -> str:
    """The first few, for a message."""
    shown = ", ".join(map(str, sorted(addresses)[:limit]))
    more = len(addresses) - limit
    return f"{shown} and {more} more" if more > 0 else shown
