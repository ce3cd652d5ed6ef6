"""Does a damaged row of a SQL store harm its own key only, and never for ever?"""

from __future__ import annotations

import json
import logging

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from stores import Address, LeaseHeld, RecordTooNew, SQLStore, Status, TaskState
from stores.record import SCHEMA
from stores.testing import done, far_owner, identity, put
from stores.testing.parts import A, B
from tests.stores.sql_tables import KINDS, ask

BIG = "x" * 100_000
C = Address("Train", "c" * 32)


@pytest.fixture(params=KINDS)
def uri(request, uri_of):
    """An empty database of either kind."""
    return uri_of(request.param)


@pytest.fixture
def store(uri):
    """A store with three records; each has a value in the record and one beside it."""
    store = SQLStore(uri)
    for address in (A, B, C):
        put(store, address, {"small": 1, "big": BIG})
    yield store
    store.close()


def change(store, column, value, address=A):
    """Write into a row behind the back of the store."""
    statement = f"UPDATE flowlib_records SET {column} = :value WHERE key = :key"
    assert ask(store, statement, value=value, key=address.key) == 1


@pytest.mark.parametrize("broken", ["", "{", "null", "[]", '{"schema": 1}', "not json"])
def test_a_damaged_record_counts_as_not_there_until_the_next_success(store, broken, caplog):
    """With one line that says so; the other keys are found as before."""
    change(store, "record", broken)
    change(store, "status", broken)
    with caplog.at_level(logging.WARNING, "stores"):
        assert store.record(A) is None
        assert store.statuses([A, B, C]).keys() == {B.key, C.key}
    assert caplog.messages[0].endswith("it counts as not there, and the next success heals it")
    assert "Train/aaaaaaaa" in caplog.messages[0]
    assert len(caplog.records) == 2
    assert {each.address for each in store.records()} == {B, C}
    again = put(store, A, {"small": 2, "big": BIG})
    assert again.latest.number == 2
    assert store.get(A, "small") == 2
    assert store.statuses([A])[A.key].missing == ()


@pytest.mark.parametrize(
    "broken", ["", "{", "null", "[]", "{}", "[1, 2]", '[1, "odd", 1, "finished", {}, [], 1, true]']
)
def test_a_broken_status_is_told_by_the_record(store, broken):
    """As it was before."""
    before = store.statuses([A, B])
    change(store, "status", broken)
    assert store.statuses([A, B]) == before
    assert isinstance(before[A.key], Status)
    ask(store, "DELETE FROM flowlib_pieces WHERE key = :key", key=A.key)
    assert store.statuses([A, B])[A.key].missing == ("big",)
    assert store.statuses([A, B])[B.key] == before[B.key]


def test_a_status_that_is_not_there_is_told_by_the_record(store):
    """NULL is no text."""
    before = store.statuses([A])
    change(store, "status", None)
    assert store.statuses([A]) == before


def test_a_record_of_a_newer_flowlib_is_refused_for_its_key_only(store, caplog):
    """It is neither replaced nor leased; all other keys go on."""
    newer = json.dumps({**json.loads(store.record(A).to_json()), "schema": SCHEMA + 1})
    change(store, "record", newer)
    for _ in range(2):
        with pytest.raises(RecordTooNew, match=f"schema {SCHEMA + 1}"):
            store.record(A)
        with pytest.raises(RecordTooNew, match=f"schema {SCHEMA + 1}"):
            store.begin(A)
    assert {each.address for each in store.records()} == {B, C}
    assert store.keys_in_work() == []
    assert store.get(B, "big") == BIG
    assert put(store, C).latest.number == 2
    assert ask(store, "SELECT record FROM flowlib_records WHERE key = :key", key=A.key) == [
        (newer,)
    ]
    change(store, "status", "{")
    assert store.statuses([A, B]).keys() == {B.key}


@pytest.mark.parametrize("broken", [None, "", "{", "null", "[1]", '["h", "b", "x", 2]'])
def test_a_lease_of_a_broken_owner_ends_with_its_time(store, broken):
    """Nobody can tell whether that owner lives, so it has the time of one on another host."""
    store.begin(A, far_owner())
    change(store, "owner", broken)
    with pytest.raises(LeaseHeld, match="is being computed by"):
        store.begin(A)
    assert store.keys_in_work() == [A]
    assert list(store.leftovers()) == []
    change(store, "expires", 1.0)
    assert put(store, A, {"small": 3}).latest.number == 3


def test_a_lease_without_a_time_is_free(store):
    """It would be held for ever."""
    lost = store.begin(A, far_owner())
    change(store, "expires", None)
    assert put(store, A, {"small": 3}, done(TaskState.FINISHED)).latest.number == 3
    with pytest.raises(Exception, match="taken over"):
        lost.commit(identity(A), done())
