"""Other facts for a success that is in force: nothing else about it changes, in any store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stores import (
    Address,
    Attempt,
    Identity,
    InMemoryStore,
    LayeredStore,
    LeaseHeld,
    ReadOnlyStore,
    RecordMissing,
    RunInfo,
    StoreUnwritable,
    TaskState,
)
from stores.by_hand import amend

HERE = Address("Train", "0" * 32)
DONE = Attempt(
    0,
    TaskState.FINISHED,
    started=1.0,
    ended=3.5,
    facts={"code": "1.old", "module": "tasks"},
    run=RunInfo("project", "calm-finch-07", "Train-1"),
    provenance={"host": "there"},
)
NEW = {"code": "1.new", "module": "tasks"}


def computed(store, **values):
    attempt = store.begin(HERE)
    for name, value in values.items():
        attempt.save(value, name)
    return attempt.commit(Identity(HERE), DONE)


def test_the_success_stays_as_it_was(any_store):
    """Number, times, artifacts, run, owner and provenance; only its facts are others."""
    before = computed(any_store, small=1, large=b"x" * 100_000)
    amend(any_store.begin(HERE), NEW, {"accepted": "yes"})
    record = any_store.record(HERE)
    status = any_store.statuses([HERE])[HERE.key]

    assert record.finished == replace(before.finished, facts=NEW)
    assert record.identity == before.identity
    assert (status.state, status.attempt, dict(status.facts)) == (TaskState.FINISHED, 1, NEW)
    assert (status.missing, status.damaged, status.duration_s) == ((), (), 2.5)
    assert any_store.get(HERE, "small") == 1
    assert any_store.get(HERE, "large") == b"x" * 100_000
    assert any_store.verify().ok


def test_the_attempt_tells_why_and_takes_a_number(any_store):
    """It is never a success itself, and what comes after has a higher number."""
    computed(any_store, small=1)
    record = amend(any_store.begin(HERE), NEW, {"accepted": "yes"})

    assert record.latest.state is TaskState.SAVED
    assert (record.latest.number, record.latest.provenance) == (2, {"accepted": "yes"})
    assert any_store.begin(HERE).number == 3


def test_what_was_saved_by_hand_is_kept(any_store):
    """An amendment after it, and one before it."""
    computed(any_store, small=1)
    config = any_store.unique_config(HERE)
    amend(any_store.begin(HERE), NEW, {})
    any_store.save(2, "note", task_name="Train", task_unique_config=config)
    amend(any_store.begin(HERE), {**NEW, "more": "1"}, {})

    assert any_store.get(HERE, "note") == 2
    assert any_store.get(HERE, "small") == 1
    assert any_store.record(HERE).finished.facts == {**NEW, "more": "1"}


def test_without_a_success_nothing_is_written(any_store):
    """A failed record, and none at all, stay as they are; the lease is given back."""
    with pytest.raises(RecordMissing):
        amend(any_store.begin(HERE), NEW, {})
    failed = any_store.begin(HERE).commit(Identity(HERE), Attempt(0, TaskState.FAILED))
    with pytest.raises(RecordMissing):
        amend(any_store.begin(HERE), NEW, {})

    assert any_store.record(HERE) == failed


def test_a_key_in_work_is_left_alone(any_store):
    """The lease decides."""
    computed(any_store, small=1)
    attempt = any_store.begin(HERE)
    with pytest.raises(LeaseHeld):
        any_store.begin(HERE)
    attempt.abandon()

    assert any_store.record(HERE).finished.facts == DONE.facts


def test_layers_and_readers():
    """A result below the first store is not amended in place; a store to be read refuses."""
    below = InMemoryStore()
    computed(below, small=1)
    with pytest.raises(RecordMissing):
        amend(LayeredStore([InMemoryStore(), below]).begin(HERE), NEW, {})
    with pytest.raises(StoreUnwritable):
        ReadOnlyStore(below).begin(HERE)

    assert below.record(HERE).finished.facts == DONE.facts
