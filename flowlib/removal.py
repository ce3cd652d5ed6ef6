"""What would be deleted with some records, and what was computed from them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from flowlib.bulk import paused_collection
from flowlib.record_story_lines import size_text
from flowlib.stored_selection import read_records
from stores import Address, ResultsStore
from stores.housekeeping.collection import Collection as Collected
from stores.housekeeping.collection import GcPlan
from stores.housekeeping.deletion import Removal, removed
from stores.housekeeping.relations import Readers, downstream, readers_in
from stores.housekeeping.usage import size_of
from stores.lazy_dataclass import dataclass

_MOST_TASKS = 8


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What would be deleted; nothing has happened yet.

    Attributes:
        store: Where.
        sizes: The records that are meant, with the bytes that they and their artifacts take.
        dependents: What was computed from them, directly or not, with its bytes.
        readers: Who reads whom.
    """

    store: ResultsStore
    sizes: Mapping[Address, int]
    dependents: Mapping[Address, int]
    readers: Readers

    def apply(self, *, with_dependents: bool) -> Removal:
        """Delete the records, readers first, but none that is being computed.

        Args:
            with_dependents: Whether what was computed from them goes, too; else it stays, although
                it cannot be computed again from the same.
        """
        if with_dependents:
            return removed(self.store, {*self.sizes, *self.dependents}, self.readers)
        return removed(self.store, self.sizes, {})

    def __str__(self) -> str:
        text = _listed(self.sizes)
        if self.dependents:
            text += f"; computed from them: {_listed(self.dependents)}"
        return text

    def to_dict(self) -> dict[str, Any]:
        """The plan for JSON."""
        return {
            "records": _ids(self.sizes),
            "size_bytes": sum(self.sizes.values()),
            "dependents": _ids(self.dependents),
            "dependents_bytes": sum(self.dependents.values()),
        }


def plan_removal(store: ResultsStore, addresses: Collection[Address]) -> RemovalPlan:
    """What would be deleted with the records at some addresses; every record is read once.

    A record that is damaged has no size that is known, but is deleted like the others.
    """
    with paused_collection():
        readers = readers_in(store)
        below = downstream(addresses, readers)
        return RemovalPlan(store, _sizes(store, addresses), _sizes(store, below), readers)


def removal_text(done: Removal) -> str:
    """What was deleted, in a line."""
    busy = f"; {len(done.busy):,} left, they are in use" if done.busy else ""
    return f"deleted: {len(done.removed):,}{busy}"


def removal_document(done: Removal) -> dict[str, Any]:
    """What was deleted, for JSON."""
    return {"removed": _ids(done.removed), "busy": _ids(done.busy)}


def collection_text(plan: GcPlan) -> str:
    """What a collection would do, in a line."""
    text = f"{_listed(plan.victims)}"
    if plan.leftovers:
        room = size_text(sum(each.size_bytes for each in plan.leftovers))
        text += f"; {len(plan.leftovers):,} leftovers of killed processes, {room}"
    return f"{text}; {plan.kept:,} records stay, {size_text(plan.kept_bytes)}"


def collection_document(plan: GcPlan, done: Collected | None = None) -> dict[str, Any]:
    """What a collection would do, or has done, for JSON."""
    document: dict[str, Any] = {
        "records": _ids(plan.victims),
        "leftovers": len(plan.leftovers),
        "freed_bytes": plan.freed_bytes,
        "kept": plan.kept,
        "kept_bytes": plan.kept_bytes,
    }
    if done is not None:
        document |= {**removal_document(done.removal), "spared": _ids(done.spared)}
        document["freed_bytes"] = done.freed_bytes
    return document


def _sizes(store: ResultsStore, addresses: Collection[Address]) -> dict[Address, int]:
    sizes = dict.fromkeys(sorted(addresses), 0)
    for record in read_records(store, addresses):
        sizes[record.address] = size_of(record)
    return sizes


def _listed(sizes: Mapping[Address, int]) -> str:
    """`12 records, 3.4 MB (Train: 10, Eval: 2)`."""
    by_task = Counter(each.task for each in sizes)
    parts = [f"{task}: {count:,}" for task, count in by_task.most_common(_MOST_TASKS)]
    if len(by_task) > _MOST_TASKS:
        parts.append("...")
    word = "record" if len(sizes) == 1 else "records"
    room = size_text(sum(sizes.values()))
    return f"{len(sizes):,} {word}, {room}" + (f" ({', '.join(parts)})" if parts else "")


def _ids(addresses: Collection[Address]) -> list[str]:
    return [f"{each.task}/{each.key}" for each in addresses]
