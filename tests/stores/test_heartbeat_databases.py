"""Does a long task show that it is alive where its lease is a row of a database?"""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import pytest

from stores import Address, Heartbeat, InMemoryStore, LeaseHeld, LeaseLost, Owner, open_store
from stores import heartbeat as module
from stores.testing import done, identity

ADDRESS = Address("Train", "ab" * 16)


@pytest.fixture
def uri(shared_uri):
    """The URI of an empty store of every kind."""
    return shared_uri


def opened(uri, lease_s):
    """A store whose leases expire soon."""
    store = open_store(uri)
    kind = type(store)
    store.close()
    if uri.startswith("file:"):
        return kind(uri.removeprefix("file:"), lease_s=lease_s)
    if uri.startswith("mongodb:"):
        return kind(host=uri, lease_s=lease_s)
    return kind(uri, lease_s=lease_s)


def stranger() -> Owner:
    """A process of this host, as another container of it sees it: nobody can tell if it lives."""
    here = Owner.of_this_process()
    return Owner(here.host, here.boot_id.partition(":")[0] + ":other", here.pid, here.started)


def taken_over(store):
    """The attempt that follows on a silent one, as soon as the store gives it."""
    limit = time.monotonic() + 60.0
    while True:
        try:
            return store.begin(ADDRESS)
        except LeaseHeld:
            assert time.monotonic() < limit, "its lease never ends"
            time.sleep(0.05)


def test_a_silent_owner_is_taken_over_and_cannot_commit(uri):
    """After its lease has expired by the clock of the store; a paused one wakes up too late."""
    store = opened(uri, 1.0)
    began = time.monotonic()
    silent = store.begin(ADDRESS, stranger())
    silent.save("late", "value")
    second = taken_over(store)
    assert time.monotonic() - began > 0.99, "not before the lease was over"
    assert second.number > silent.number
    second.save("right", "value")
    with pytest.raises(LeaseLost):
        silent.commit(identity(ADDRESS), done())
    second.commit(identity(ADDRESS), done())
    assert store.get(ADDRESS, "value") == "right"
    assert list(store.leftovers()) == []
    store.close()


def test_times_of_leases_can_be_preferred_where_none_were_given(uri):
    """A run does so with its settings; a copy in a worker has them, too."""
    store = open_store(uri)
    assert (store.lease_times.lease_s, store.beat_s) == (60.0, 10.0)
    store.lease_times.prefer(0.5, 0.1)
    copy = pickle.loads(pickle.dumps(store))
    assert copy.beat_s == 0.1
    began = time.monotonic()
    copy.begin(ADDRESS, stranger())
    assert taken_over(store).number == 2
    assert time.monotonic() - began > 0.49, "not before the lease was over"
    for each in (store, copy):
        each.close()


def test_times_that_were_given_stay(uri):
    """Whoever made the store has the last word."""
    store = opened(uri, 6.0)
    store.lease_times.prefer(1.0, 0.5)
    assert (store.lease_times.lease_s, store.beat_s) == (6.0, 1.0)
    store.close()
    memory = InMemoryStore()
    memory.lease_times.prefer(1.0, 0.5)
    assert memory.beat_s == InMemoryStore().beat_s == 10.0


@pytest.mark.slow
def test_a_helper_renews_the_lease_of_a_running_task(uri, monkeypatch):
    """However long the task holds the interpreter; the helper ends with the task."""
    monkeypatch.setattr(module, "_ARMED_AFTER_S", 0.02)
    store = opened(uri, 6.0)  # on a busy machine the helper takes its time to start
    attempt = store.begin(ADDRESS, stranger())
    heartbeat = Heartbeat(store, beat_s=0.2)
    with heartbeat.of(ADDRESS):
        limit = time.monotonic() + 7.0
        while time.monotonic() < limit:
            with pytest.raises(LeaseHeld):
                store.begin(ADDRESS)
            time.sleep(0.2)
        helper = heartbeat._helper
        assert helper is not None
        command = Path(f"/proc/{helper.pid}/cmdline").read_bytes()
        assert b"://" not in command, "an address in a command line can be seen by everyone"
    assert not Path(f"/proc/{helper.pid}").exists()
    heartbeat.close()
    attempt.commit(identity(ADDRESS), done())
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mongodb"])
def test_the_driver_renews_only_what_its_host_computes(kind, uri_of):
    """The lease of another host's process expires, even if this driver waits for the same key."""
    store = opened(uri_of(kind), 1.0)
    store.begin(ADDRESS, Owner("a-host-elsewhere", "its boot", os.getpid(), 1))
    limit = time.monotonic() + 1.4
    while time.monotonic() < limit:
        store.renew([ADDRESS])
        time.sleep(0.1)
    store.begin(ADDRESS).abandon()
    store.close()
