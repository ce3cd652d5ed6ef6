"""A store that is asked for by messages does all that a store does."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace

import pytest
from hypothesis import settings

from flowlib.asked_store import AskedStore, StoreKeeper
from flowlib.pickle_rule import loads_pickles
from stores import (
    Address,
    Artifact,
    InMemoryStore,
    LeaseLost,
    LocalFileStore,
    Owner,
    PickleRefused,
    StoreUnwritable,
)
from stores.testing import StoreConformance, StoreMachine, done, identity

A = Address("Train", "a" * 32)
B = Address("Train", "b" * 32)


def asked(store):
    """Asks a keeper, with all that goes to it and comes back in pickles."""
    keeper = StoreKeeper(store)

    def ask(method, *arguments):
        sent = pickle.loads(pickle.dumps(arguments))  # noqa: S301  # our own
        return pickle.loads(pickle.dumps(getattr(keeper, method)(*sent)))  # noqa: S301  # our own

    return AskedStore(f"asked {store!r}", ask, loads_pickles=loads_pickles(store))


class TestAskedStore(StoreConformance):
    """The suite of all stores, over files; whether it can be pickled is the affair of who asks."""

    test_many_records_are_found = None  # read one by one, each in a pickle: too slow for a test

    @pytest.fixture
    def store(self, tmp_path):
        """An empty store."""
        return asked(LocalFileStore(tmp_path, fsync=False))

    def test_a_pickled_copy_sees_the_same(self, store):
        """Here the keeper stands in the same process."""
        with pytest.raises((AttributeError, pickle.PicklingError)):
            pickle.dumps(store)


class _Machine(StoreMachine):
    """Compared with a memory store, step by step."""

    def make(self):
        """An empty store."""
        return asked(InMemoryStore())


TestMachine = _Machine.TestCase
TestMachine.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


def test_a_lease_that_was_taken_over_is_void(tmp_path):
    """The keeper has that of another owner by then; giving up is harmless."""
    store = LocalFileStore(tmp_path, fsync=False)
    keeper = StoreKeeper(store)
    lease, _ = keeper.acquire(A, Owner("elsewhere", "", 1, 0), 1)
    keeper.release_attempt(lease)
    taken, _ = keeper.acquire(A, Owner.of_this_process(), 1)

    with pytest.raises(LeaseLost, match="Train/aaaaaaaa"):
        keeper.take_artifact(lease, Artifact("x", "json"), b"1")
    keeper.release_attempt(lease)
    keeper.renew([A])
    assert store.keys_in_work() == [A]
    keeper.release_attempt(taken)
    assert store.keys_in_work() == []


def test_nothing_stays_open_for_an_owner_that_was_lost(tmp_path):
    """The keeper gives its lease up when another one has taken over."""
    store = LocalFileStore(tmp_path, fsync=False)
    keeper = StoreKeeper(store)
    held, acquire = [], store.acquire

    def watched(*arguments):
        lease, previous = acquire(*arguments)
        held.append(lease.handle.descriptor)
        return lease, previous

    store.acquire = watched
    keeper.acquire(A, replace(Owner.of_this_process(), started=1), 1)
    lease, _ = keeper.acquire(A, Owner.of_this_process(), 1)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(held[0])
    os.fstat(held[1])
    keeper.take_artifact(lease, Artifact("x", "json"), b"1")
    keeper.release_attempt(lease)
    assert store.keys_in_work() == []


def test_a_commit_that_fails_is_the_end_of_an_attempt(tmp_path):
    """The store has closed it: it is not given up once more when another one takes over."""
    store = LocalFileStore(tmp_path, fsync=False)
    keeper = StoreKeeper(store)
    record = asked(store).begin(B).commit(identity(B), done())
    lease, previous = keeper.acquire(A, Owner.of_this_process(), 1)

    def full(*_):
        raise StoreUnwritable("no space left")

    store.commit_attempt = full
    with pytest.raises(StoreUnwritable):
        keeper.commit_attempt(lease, record, previous)
    with pytest.raises(LeaseLost, match="taken over"):
        keeper.take_artifact(lease, Artifact("x", "json"), b"1")


def test_pickles_are_refused_where_the_store_refuses_them(tmp_path):
    """Nothing is unpickled, neither there nor here."""
    LocalFileStore(tmp_path, fsync=False)
    attempt = LocalFileStore(tmp_path, fsync=False).begin(A)
    attempt.save({1, 2}, "value", "pickle")
    attempt.commit(identity(A), done())
    store = asked(LocalFileStore(tmp_path, fsync=False, allow_pickle=False))

    assert asked(LocalFileStore(tmp_path)).get(A, "value") == {1, 2}
    with pytest.raises(PickleRefused):
        store.get(A, "value")
