"""Does what lies beside the results stay apart from them, in every store?"""

from __future__ import annotations

import pickle

import pytest

from stores import Address, InMemoryStore, LayeredStore, ReadOnlyStore, ResultsStore, open_store
from stores.errors import ArtifactDamaged, StoreError, StoreUnwritable
from stores.testing import put

A = Address("Train", "a" * 32)
BIG = "x" * 50_000


def test_what_lies_beside_is_no_result(any_store: ResultsStore) -> None:
    """Neither listed nor counted, deleted or collected with results, and found again."""
    put(any_store, A, {"value": 1}, x=1)
    beside = any_store.beside("drafts")
    put(beside, A, {"value": 2, "big": BIG}, x=2)
    assert any_store.get(A, "value") == 1
    assert any_store.count() == 1
    assert [each.config["x"] for each in any_store.summaries()] == [1]
    assert list(any_store.delete_records("*").removed) == [A]
    assert list(any_store.addresses()) == []
    assert list(any_store.leftovers()) == []
    again = any_store.beside("drafts")
    assert (again.get(A, "value"), again.get(A, "big")) == (2, BIG)
    assert list(any_store.beside("others").addresses()) == []
    assert again.remove(A)
    assert list(any_store.beside("drafts").addresses()) == []


def test_another_process_finds_it(shared_uri: str) -> None:
    """By the address of the store alone, within its project alone."""
    put(open_store(shared_uri).beside("drafts"), A, {"value": 2})
    assert open_store(shared_uri).beside("drafts").get(A, "value") == 2
    copied = pickle.loads(pickle.dumps(open_store(shared_uri).beside("drafts")))
    assert copied.get(A, "value") == 2
    other = open_store(shared_uri, project="other")
    assert list(other.beside("drafts").addresses()) == []


def test_stores_over_stores_look_beside_all() -> None:
    """The first is written to; of one that is read, only that works."""
    first, second = InMemoryStore(), InMemoryStore()
    put(second.beside("drafts"), A, {"value": 2})
    beside = LayeredStore([first, second]).beside("drafts")
    assert beside.get(A, "value") == 2
    put(beside, Address("Train", "b" * 32), {"value": 3})
    assert [each.key[0] for each in first.beside("drafts").addresses()] == ["b"]
    read = ReadOnlyStore(second).beside("drafts")
    assert read.get(A, "value") == 2
    with pytest.raises(StoreUnwritable):
        put(read, A, {"value": 4})


def test_pickles_are_refused_there_too(tmp_path) -> None:
    """What a store does not load, none beside it does."""
    put(open_store(f"file:{tmp_path}").beside("drafts"), A, {"value": {1: {2}, "x": object}})
    strict = open_store(
        {"kind": "file", "options": {"base_dir": str(tmp_path), "allow_pickle": False}}
    )
    with pytest.raises((StoreError, ArtifactDamaged), match="pickle"):
        strict.beside("drafts").get(A, "value")
