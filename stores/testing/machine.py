"""Does a store behave like the memory store, whatever is done in whatever order?"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stores.attempt import OpenAttempt
from stores.backends.memory import InMemoryStore
from stores.errors import LeaseHeld, LeaseLost
from stores.matching import artifacts_in_force
from stores.record import Address, TaskState
from stores.store import ResultsStore
from stores.testing.parts import dead_owner, done, identity

ADDRESSES = [Address(task, digit * 32) for task, digit in (("A", "a"), ("A", "b"), ("b/c", "c"))]
SMALL = st.one_of(
    st.integers(), st.text(max_size=5), st.lists(st.booleans(), max_size=3), st.none()
)
VALUES = st.one_of(SMALL, st.just("x" * 20_000), st.binary(min_size=9_000, max_size=9_001))
STATES = st.sampled_from([TaskState.FINISHED, TaskState.FAILED, TaskState.KILLED])
NAMES = st.sampled_from(["value", "Value", "a/b"])

Seen = dict[str, Any]


class StoreMachine(RuleBasedStateMachine):
    """Does the same to a store and to a memory store, and looks whether the same can be seen.

    Derive from it and override `make`; `MyMachine.TestCase` is the test.
    """

    def make(self) -> ResultsStore:
        """An empty store."""
        return InMemoryStore()

    def reopen(self, store: ResultsStore) -> ResultsStore:
        """Another store that looks at the same records."""
        return store

    def clean_up(self, store: ResultsStore) -> None:
        """Called after every sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.real, self.model = self.make(), InMemoryStore()
        self.open: dict[Address, tuple[OpenAttempt, OpenAttempt]] = {}
        self.lost: list[tuple[OpenAttempt, OpenAttempt]] = []
        self.last: dict[Address, int] = {}

    @rule(address=st.sampled_from(ADDRESSES), is_dead=st.booleans())
    def begin(self, address: Address, is_dead: bool) -> None:
        """Both lease a key or both refuse; the owner may be dead a moment later."""
        try:
            model = self.model.begin(address, dead_owner() if is_dead else None)
        except LeaseHeld:
            with_held = False
            try:
                self.real.begin(address)
            except LeaseHeld:
                with_held = True
            assert with_held
            return
        pair = (self.real.begin(address, dead_owner() if is_dead else None), model)
        if address in self.open:
            self.lost.append(self.open[address])
        self.open[address] = pair
        assert pair[0].number > self.last.get(address, 0)
        assert (pair[0].previous is None) == (model.previous is None)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), name=NAMES, value=VALUES)
    def save(self, data: st.DataObject, name: str, value: object) -> None:
        """Save a value in an open attempt."""
        for attempt in self.open[data.draw(st.sampled_from(sorted(self.open)))]:
            attempt.save(value, name)
            assert attempt.load(name) == value

    @precondition(lambda self: self.open)
    @rule(data=st.data(), name=NAMES)
    def drop(self, data: st.DataObject, name: str) -> None:
        """Delete a value in an open attempt."""
        for attempt in self.open[data.draw(st.sampled_from(sorted(self.open)))]:
            attempt.delete(name)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), state=STATES, x=st.integers(0, 2))
    def commit(self, data: st.DataObject, state: TaskState, x: int) -> None:
        """End an attempt in some state."""
        address = data.draw(st.sampled_from(sorted(self.open)))
        real, model = self.open.pop(address)
        records = [each.commit(identity(address, x=x), done(state)) for each in (real, model)]
        assert records[0].state == records[1].state
        self.last[address] = real.number

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        """Give an attempt up."""
        for attempt in self.open.pop(data.draw(st.sampled_from(sorted(self.open)))):
            attempt.abandon()

    @precondition(lambda self: self.lost)
    @rule(commits=st.booleans())
    def wake_up(self, commits: bool) -> None:
        """An owner that was taken over goes on: it may not commit."""
        for attempt in self.lost.pop():
            if not commits:
                attempt.abandon()
                continue
            try:
                attempt.commit(identity(attempt.address), done())
            except LeaseLost:
                continue
            raise AssertionError(f"{attempt.address}: a lost attempt was committed")

    @rule(address=st.sampled_from(ADDRESSES))
    def remove(self, address: Address) -> None:
        """Remove a record."""
        if address not in self.open:
            assert self.real.remove(address) == self.model.remove(address)

    @rule(name=NAMES, value=VALUES, x=st.integers(0, 2))
    def save_by_hand(self, name: str, value: object, x: int) -> None:
        """Save a value outside a run, where nothing else was saved."""
        for store in (self.real, self.model):
            store.save(value, name, None, "hand", {"hand": {"x": x}})

    @precondition(lambda self: not self.open and not self.lost)
    @rule()
    def look_again(self) -> None:
        """Go on with another store that looks at the same records."""
        self.real = self.reopen(self.real)

    @invariant()
    def both_show_the_same(self) -> None:
        """Listings, statuses, one by one and in bulk, and values."""
        assert sorted(self.real.addresses()) == sorted(self.model.addresses())
        everything = [*ADDRESSES, *self.model.addresses("hand")]
        assert _seen(self.real, everything) == _seen(self.model, everything)
        for address in everything:
            assert _seen(self.real, [address]) == _seen(self.model, [address])

    def teardown(self) -> None:
        """Clean up."""
        for pair in (*self.open.values(), *self.lost):
            for attempt in pair:
                attempt.abandon()
        self.clean_up(self.real)


def _seen(store: ResultsStore, addresses: list[Address]) -> Seen:
    """What a reader sees of some keys; numbers of attempts may differ between stores."""
    statuses = store.statuses(addresses)
    seen: Seen = {}
    for address in addresses:
        record, status = store.record(address), statuses.get(address.key)
        assert (record is None) == (status is None)
        if record is None or status is None:
            continue
        counts = record.finished or record.latest
        assert (status.state, status.latest_state) == (record.state, record.latest.state)
        assert (status.attempt, status.latest_attempt) == (counts.number, record.latest.number)
        assert [each.name for each in status.artifacts] == [each.name for each in counts.artifacts]
        assert (status.missing, status.damaged) == ((), ())
        names = artifacts_in_force(record)
        values = {name: store.get(address, name) for name in names}
        seen[str(address)] = (record.identity, status.state, status.latest_state, values)
    return seen
