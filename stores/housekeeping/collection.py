"""What may go? First a plan of what nobody needs, then, when it is applied, another look."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TypedDict

from stores.errors import QueryError
from stores.housekeeping.budget import cheapest
from stores.housekeeping.deletion import Removal, chosen_by, removed
from stores.housekeeping.relations import readers_in, sources_first
from stores.housekeeping.snapshot import (
    Snapshot,
    newest_runs,
    snapshot,
    tasks_upstream,
    with_sources,
)
from stores.lazy_dataclass import dataclass
from stores.leftover import Leftover
from stores.moments import span
from stores.primitives import StorePrimitives
from stores.query import Query, What
from stores.record import Address

Span = timedelta | float | str


class GcPolicy(TypedDict, total=False):
    """What `store.gc` takes. Without any of it only leftovers of killed processes go.

    What is kept is kept with all it was computed from. What was saved by hand always is.

    Attributes:
        keep: These are kept; as for `records`.
        keep_runs: What the last so many runs have computed is kept.
        older_than: What ended later is kept: seconds, or "30d". Checkpoints from which tasks may go
            on stay unless this is given and nobody has changed them for so long.
        max_bytes: Of what is left and not kept by `keep` or `keep_runs`, so much goes that the
            whole store takes no more than this; first what costs least to compute again.
        grace: What ended in this time is kept in any case, as a run may need it; one hour.
    """

    keep: What
    keep_runs: int | None
    older_than: Span | None
    max_bytes: int | None
    grace: Span


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection has done.

    Attributes:
        removal: The records that were deleted, and those that were in use.
        spared: What was changed or came into use after the plan was made.
        freed_bytes: With leftovers.
    """

    removal: Removal
    spared: tuple[Address, ...]
    freed_bytes: int

    def __str__(self) -> str:
        spared = f", {len(self.spared)} spared that came into use" if self.spared else ""
        return f"{self.removal}{spared}; {self.freed_bytes:,} bytes are free"


class GcPlan:
    """What would go; nothing has happened yet.

    Attributes:
        victims: Records that nobody needs, with the room they take.
        leftovers: What killed processes have left.
        kept: How many records stay.
        kept_bytes: The room that these take.
    """

    def __init__(
        self,
        store: StorePrimitives,
        known: Snapshot,
        victims: Mapping[Address, int],
        leftovers: tuple[Leftover, ...],
    ) -> None:
        self.victims = victims
        self.leftovers = leftovers
        self.kept = len(known) - len(victims)
        self.kept_bytes = sum(i.size_bytes for i in known.values() if i.address not in victims)
        self._store = store
        self._known = known

    @property
    def freed_bytes(self) -> int:
        """The room that would become free."""
        return sum(self.victims.values()) + sum(each.size_bytes for each in self.leftovers)

    def __repr__(self) -> str:
        return f"<GcPlan: {self}>"

    def __str__(self) -> str:
        return (
            f"{len(self.victims)} of {self.kept + len(self.victims)} records and "
            f"{len(self.leftovers)} leftovers would go: {self.freed_bytes:,} bytes"
        )

    def apply(self) -> Collection:
        """Delete what the plan names and nobody has come to need since."""
        needed = self._needed_now()
        spared = sorted(each for each in self.victims if each in needed)
        chosen = [each for each in self.victims if each not in needed]
        removal = removed(self._store, chosen, readers_in(self._store) if chosen else {})
        freed = sum(self.victims[address] for address in removal.removed)
        freed += self._store.drop_leftovers(self.leftovers)
        return Collection(removal, tuple(spared), freed)

    def _needed_now(self) -> set[Address]:
        """What is new or was changed, what is being computed, and all that these need.

        Of a key that was never computed nobody knows what it needs: what records of its task
        have needed before, by task, is left alone, and everything if there are no such records.
        """
        store, known = self._store, self._known
        statuses = store.statuses(store.addresses())
        attempts = {address.key: item.attempt for address, item in known.items()}
        changed = [
            address
            for address in store.addresses()
            if (status := statuses.get(address.key)) is not None
            and status.latest_attempt != attempts.get(address.key)
        ]
        in_work = store.keys_in_work()
        new = {each.task for each in in_work if each not in known}
        if new - {each.task for each in known}:
            return set(self.victims)
        tasks = tasks_upstream(new, known)
        at_risk = [each for each in self.victims if each.task in tasks]
        return {*in_work, *sources_first([*changed, *in_work, *at_risk], store.record)}


def plan_collection(store: StorePrimitives, policy: GcPolicy) -> GcPlan:
    """What may go.

    Raises:
        QueryError: the policy has an unknown word, or a value that is none.
        RecordTooNew: a record of a newer flowlib may need any other.
    """
    _check(policy)
    leftovers = tuple([each for each in store.leftovers() if _is_needless(each, policy)])
    known = snapshot(store)
    always = _always_kept(store, known, policy)
    victims = set(known) - _kept(known, always, policy)
    max_bytes = policy.get("max_bytes")
    if max_bytes is not None:
        left = [each for each in known if each not in victims]
        excess = sum(known[each].size_bytes for each in left) - max_bytes
        victims.update(cheapest(known, [each for each in left if each not in always], excess))
    sizes = {address: known[address].size_bytes for address in sorted(victims)}
    return GcPlan(store, known, sizes, leftovers)


def _is_needless(leftover: Leftover, policy: GcPolicy) -> bool:
    """Whether nobody can use it; a checkpoint from which a task may go on, when it is old."""
    if leftover.idle_s is None:
        return True
    older_than, grace_s = policy.get("older_than"), span(policy.get("grace", 3600.0), "grace")
    return older_than is not None and leftover.idle_s > max(grace_s, span(older_than, "older_than"))


def _always_kept(store: StorePrimitives, known: Snapshot, policy: GcPolicy) -> set[Address]:
    """What no budget takes, with all it was computed from."""
    young = time.time() - span(policy.get("grace", 3600.0), "grace")
    kept = {item.address for item in known.values() if item.is_by_hand or item.ended > young}
    kept |= newest_runs(known, policy.get("keep_runs") or 0)
    if policy.get("keep") is not None:
        kept |= chosen_by(store, Query.of(policy["keep"]))
    return with_sources(kept, known)


def _kept(known: Snapshot, always: set[Address], policy: GcPolicy) -> set[Address]:
    """What stays whatever the room; everything, if nothing is said about that."""
    if all(policy.get(name) is None for name in ("keep", "keep_runs", "older_than")):
        return set(known)
    older_than = policy.get("older_than")
    if older_than is None:
        return always
    limit = time.time() - span(older_than, "older_than")
    later = {item.address for item in known.values() if item.ended > limit}
    return always | with_sources(later, known)


def _check(policy: GcPolicy) -> None:
    unknown = sorted(policy.keys() - GcPolicy.__annotations__.keys())
    if unknown:
        known = ", ".join(sorted(GcPolicy.__annotations__))
        raise QueryError(f"gc knows no {unknown[0]!r}. It knows: {known}")
    for name in ("keep_runs", "max_bytes"):
        value = policy.get(name)
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is not None and not is_count:
            raise QueryError(f"{name} is {value!r}; give a whole number that is not negative")
