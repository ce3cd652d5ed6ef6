"""How are records deleted, and what about those that were computed from them?"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from stores.errors import AmbiguousConfig, DependentsExist, LeaseHeld, LeaseLost, QueryError
from stores.housekeeping.relations import (
    Readers,
    downstream,
    listed,
    readers_first,
    readers_in,
)
from stores.lazy_dataclass import dataclass
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Address
from stores.sieve import fitting


@dataclass(frozen=True, slots=True)
class Removal:
    """What was deleted.

    Attributes:
        removed: These records are gone, those computed from others first.
        busy: These were left as they are: they are being computed, or one is that reads them.
    """

    removed: tuple[Address, ...] = ()
    busy: tuple[Address, ...] = ()

    def __str__(self) -> str:
        busy = f", {len(self.busy)} left that are in use" if self.busy else ""
        return f"{len(self.removed)} records deleted{busy}"


def dependents(store: StorePrimitives, query: Query) -> list[Address]:
    """The records that were computed from those that are meant, directly or through others."""
    return sorted(downstream(chosen_by(store, query), readers_in(store)))


def delete(
    store: StorePrimitives, query: Query, with_dependents: bool, keep_dependents: bool
) -> Removal:
    """Delete the records that are meant.

    Raises:
        DependentsExist: others were computed from them, and nothing is said about those.
        AmbiguousConfig: the beginning of a key means several records.
        QueryError: nothing is asked for, or both for the dependents.
    """
    if with_dependents and keep_dependents:
        raise QueryError("dependents are either deleted or kept: give one of the two, not both")
    if query.is_everything:
        raise QueryError("say which records are to be deleted; '*' means all of them")
    chosen = chosen_by(store, query)
    _refuse_several(query, chosen)
    readers = readers_in(store)
    below = downstream(chosen, readers)
    if below and not (with_dependents or keep_dependents):
        raise DependentsExist(
            f"{len(below)} records were computed from what would be deleted: {listed(below)}. "
            f"with_dependents=True deletes them, too, keep_dependents=True keeps them"
        )
    if with_dependents:
        chosen |= below
    return removed(store, chosen, {} if keep_dependents else readers)


def removed(store: StorePrimitives, chosen: Iterable[Address], readers: Readers) -> Removal:
    """Delete these, readers first; who is read by one that is left is left, too."""
    gone: list[Address] = []
    busy: set[Address] = set()
    for address in readers_first(chosen, readers):
        if busy.intersection(readers.get(address, ())):
            busy.add(address)
            continue
        try:
            if store.remove(address):
                gone.append(address)
        except (LeaseHeld, LeaseLost):
            busy.add(address)
    return Removal(tuple(gone), tuple(sorted(busy)))


def chosen_by(store: StorePrimitives, query: Query) -> set[Address]:
    """The addresses that are meant; records are read only if more than their place matters.

    So those that cannot be read are found, too, by task, key or address.
    """
    if query.is_about_places:
        return {each for each in store.addresses(query.only_task) if query.may_be_at(each)}
    return {record.address for record in fitting(store, query)}


def _refuse_several(query: Query, chosen: Collection[Address]) -> None:
    for key in query.keys or ():
        meant = [each for each in chosen if each.key.startswith(key)]
        if len(meant) > 1:
            raise AmbiguousConfig(
                f"{key!r} means {len(meant)} records: {listed(meant)}. Give more of the key"
            )
