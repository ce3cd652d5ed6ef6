"""Does a second look tell what was written and removed since the first, and nothing else?"""

from __future__ import annotations

import time
from dataclasses import replace

from stores import Address, LocalFileStore, Owner, TaskState
from stores.backends.readonly import ReadOnlyStore
from stores.parts import ErrorDetails
from stores.testing import done, put

A, B = Address("Train", "a" * 32), Address("Eval", "b" * 32)


def look(store, seen):
    """The marks by task; None where the store says that nothing has changed."""
    return {task: None if keys is None else dict(keys) for task, keys in store.marks(seen)}


def test_what_is_written_anew_gets_another_mark(any_store):
    """And what stays as it is keeps its own; what is removed is gone."""
    seen = {}
    assert look(any_store, seen) == {}
    put(any_store, A, {"acc": 1}, done())
    put(any_store, B, {"acc": 1}, done())
    first = look(any_store, seen)
    assert {task: set(keys) for task, keys in first.items()} == {"Train": {A.key}, "Eval": {B.key}}
    put(any_store, A, {"acc": 2}, done())
    second = look(any_store, {})
    assert second["Train"][A.key] != first["Train"][A.key]
    assert second["Eval"] == first["Eval"]
    any_store.remove(B)
    assert not look(any_store, {}).get("Eval")


def test_a_look_with_memory_tells_of_each_change(any_store):
    """However soon after the one before."""
    seen = {}
    for number in range(4):
        address = Address("Train", f"{number:032x}")
        put(any_store, address, {"n": number}, done())
        assert address.key in (look(any_store, seen)["Train"] or {})


def test_a_read_only_store_tells_what_that_below_it_tells(any_store):
    """It has none of its own."""
    put(any_store, A, {"acc": 1}, done())
    assert look(ReadOnlyStore(any_store), {}) == look(any_store, {})


def test_a_folder_that_has_rested_is_not_read_again(tmp_path, monkeypatch):
    """It is as soon as something is renamed into it; one that is gone is not told of."""
    store, seen = LocalFileStore(tmp_path), {}
    put(store, A, {"acc": 1}, done())
    assert look(store, seen)["Train"] is not None
    later = time.monotonic() + 10
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert look(store, seen)["Train"] is not None
    assert look(store, seen) == {"Train": None}
    put(store, Address("Train", "c" * 32), {"acc": 1}, done())
    assert len(look(store, seen)["Train"]) == 2


def test_long_names_of_tasks_are_told_by_their_records(tmp_path):
    """As their folders have other names."""
    store, long = LocalFileStore(tmp_path), Address("T" * 200, "a" * 32)
    put(store, long, {"acc": 1}, done())
    assert look(store, {}) == {long.task: {long.key: look(store, {})[long.task][long.key]}}


def test_summaries_of_long_lists_tell_more(any_store):
    """Who made it, where, by which executor, from what; of a failure the type of its error."""
    told = {"host": "driver", "user": "ada", "executor": "slurm", "command": '"user":"eve"'}
    made = replace(done(inputs=[B]), provenance=told)
    put(any_store, A, {"acc": 1}, made)
    error = ErrorDetails("ValueError", "nan", "")
    lost = replace(done(TaskState.FAILED), provenance=told, error=error)
    put(any_store, B, {}, lost)
    found = {each.address: each.more for each in any_store.summaries(is_long=True)}
    here = Owner.of_this_process().host
    assert (found[A].host, found[A].user, found[A].executor) == (here, "ada", "slurm")
    assert (found[A].inputs, found[A].error, found[A].attempt) == ((B,), "", 1)
    assert (found[B].error, found[B].last_ended) == ("ValueError", 3.0)
