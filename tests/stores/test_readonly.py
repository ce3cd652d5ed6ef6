"""Does a read-only store show everything and change nothing?"""

from __future__ import annotations

import pickle

import pytest

from flowlib import Flow, TaskSpec
from stores import (
    InMemoryStore,
    LocalFileStore,
    ReadOnlyStore,
    StoreError,
    StoreUnwritable,
    TaskState,
    open_store,
)
from stores.record import Address
from stores.testing import dead_owner, done, put
from stores.testing.parts import VALUES

A, B = (Address("Train", digit * 32) for digit in "ab")


@pytest.fixture
def shown(any_store):
    """A store with a success, a failure, values of all kinds and one saved by hand."""
    put(any_store, A, {str(number): value for number, value in enumerate(VALUES)}, lr=0.1)
    put(any_store, A, {}, done(TaskState.FAILED), lr=0.1)
    put(any_store, B, {}, done(TaskState.FAILED, inputs=[A]))
    any_store.save(1, "note", task_name="Notes", task_unique_config={"Notes": {}})
    return any_store


def test_everything_is_shown(shown):
    """Whatever is asked, the answer is that of the store itself."""
    store = ReadOnlyStore(shown)
    assert sorted(store.addresses()) == sorted(shown.addresses())
    assert list(store.addresses("Train")) == list(shown.addresses("Train"))
    assert [store.record(each) for each in (A, B)] == [shown.record(each) for each in (A, B)]
    assert store.statuses([A, B]) == shown.statuses([A, B])
    for number, value in enumerate(VALUES):
        assert store.get(A, str(number)) == value
        assert store.get(A, str(number), lazy=True).load() == value
    assert list(store.records("Train", where={"lr": 0.1})) == [shown.record(A)]
    assert store.records().to_dicts() == shown.records().to_dicts()
    assert store.load("note", "Notes", {"Notes": {}}) == 1
    assert store.unique_config(B) == shown.unique_config(B)
    assert store.get_context("Train", {"Train": {"lr": 0.1}}) == shown.get_context(
        "Train", {"Train": {"lr": 0.1}}
    )
    assert store.verify() == shown.verify()
    assert store.disk_usage() == shown.disk_usage()
    assert (store.find("Train/a"), store.dependents(B)) == (A, [])
    assert list(store.gc().victims) == []
    assert store.supports_files == shown.supports_files
    other = InMemoryStore()
    assert len(store.copy(None, other).copied) == 3


def test_nothing_is_changed(shown):
    """Every way to write is one clear error that names the store; nothing has happened."""
    store, before = ReadOnlyStore(shown), [shown.record(each) for each in (A, B)]
    source = InMemoryStore()
    put(source, Address("New", "c" * 32), {"value": 1})
    config = {"Notes": {}}
    ways = [
        lambda: store.begin(A),
        lambda: store.save(1, "note", task_name="Notes", task_unique_config=config),
        lambda: store.delete("note", "Notes", config),
        lambda: store.delete_run("Notes", config),
        lambda: store.remove(A),
        lambda: store.delete_records("*"),
        lambda: store.gc(keep=[], grace=0).apply(),
        lambda: source.copy(None, store),
        lambda: store.adopt(shown.record(A), {}),
    ]
    for number, way in enumerate(ways):
        with pytest.raises(StoreUnwritable, match=r"ReadOnlyStore\(.*only read") as caught:
            way()
        assert isinstance(caught.value, StoreError), number
        assert "\n" not in str(caught.value)
    assert [shown.record(each) for each in (A, B)] == before
    assert shown.load("note", "Notes", config) == 1
    store.renew([A])


def test_leftovers_are_shown_and_stay(tmp_path):
    """To drop them is an error; to drop none is not."""
    inner = LocalFileStore(tmp_path, fsync=False)
    inner.begin(A, dead_owner()).save("x" * 50_000, "value")
    store = ReadOnlyStore(inner)
    assert len(list(store.leftovers())) == 2
    assert store.drop_leftovers([]) == 0
    with pytest.raises(StoreUnwritable, match="leftovers"):
        store.gc().apply()
    assert len(list(inner.leftovers())) == 2


def test_files_are_opened_for_reading_only(tmp_path):
    """By name or by promise."""
    inner = LocalFileStore(tmp_path, fsync=False)
    put(inner, A, {"text": "hello"})
    store = ReadOnlyStore(inner)
    config = inner.unique_config(A)
    with store.open("text", "Train", config, "r") as file:
        assert file.read() == "hello"
    with pytest.raises(StoreUnwritable, match="only read"):
        store.open("text", "Train", config, "w")
    with pytest.raises(StoreUnwritable, match="only read"):
        store.open(promise=store.get(A, "text", lazy=True), mode="a")


def test_no_file_of_the_folder_is_touched(tmp_path):
    """So that a folder without the right to write can be read: it is the store that refuses."""
    inner = LocalFileStore(tmp_path, fsync=False)
    put(inner, A, {"value": "x" * 50_000})
    inner.close()
    before = sorted((str(each), each.stat().st_mtime_ns) for each in tmp_path.rglob("*"))
    store = ReadOnlyStore(LocalFileStore(tmp_path))
    assert store.get(A, "value") == "x" * 50_000
    assert store.verify().ok
    for way in (store.begin, store.delete_records, store.remove):
        with pytest.raises(StoreUnwritable):
            way(A)
    assert sorted((str(each), each.stat().st_mtime_ns) for each in tmp_path.rglob("*")) == before


def double(n):
    return {"value": 2 * n}


def test_a_run_in_which_all_is_cached_needs_no_right_to_write(any_store):
    """One with something to compute ends with the error of the store."""

    def flow(*numbers):
        return Flow([TaskSpec(double, {"n": list(numbers)}, expand="product")])

    flow(1, 2).run(num_workers=1, results_store=any_store)
    store = ReadOnlyStore(any_store)
    run = flow(1, 2).run(num_workers=1, results_store=store)
    assert run.counts == {"cached": 2}
    assert [each["value"] for each in run["double"]] == [2, 4]
    with pytest.raises(StoreUnwritable, match="only read"):
        flow(3).run(num_workers=1, results_store=store)


def test_it_is_opened_by_uri_and_mapping(tmp_path):
    """And it survives the way to another process."""
    put(LocalFileStore(tmp_path, fsync=False), A, {"value": 1})
    for where in (
        f"readonly:file:{tmp_path}",
        {"kind": "readonly", "options": {"store": f"file:{tmp_path}"}},
    ):
        store = pickle.loads(pickle.dumps(open_store(where)))
        assert store.get(A, "value") == 1
        with pytest.raises(StoreUnwritable):
            store.begin(B)
        store.close()
