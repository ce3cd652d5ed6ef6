"""Are the values of a task found by its id, in every store, and loaded when they are asked for?"""

from __future__ import annotations

import pytest

from stores import AmbiguousConfig, InMemoryStore, ReadOnlyStore, ResultsStore, TaskState
from stores.errors import ArtifactMissing, RecordMissing
from stores.record import Address
from stores.testing import done, put

A = Address("Train", "a" * 32)
B = Address("Train", "b" * 32)


def test_values_are_found_by_the_id_of_their_task(any_store: ResultsStore) -> None:
    """Its key may be cut; it is a mapping of all that counts."""
    put(any_store, A, {"acc": 0.5, "model": [1, 2], "none": None})
    put(any_store, B, {"acc": 0.25})
    put(any_store, A, {"partial": 1}, done(TaskState.FAILED))
    for task in ("Train/aaaa", f"Train/{A.key}", A):
        values = any_store[task]
        assert dict(values) == {"acc": 0.5, "model": [1, 2], "none": None}
        assert values.record.address == A
    assert any_store["Train/b"]["acc"] == 0.25
    assert ReadOnlyStore(any_store)["Train/b"]["acc"] == 0.25
    found = any_store["Train/aaaa"]
    assert [name in found for name in ("none", "partial")] == [True, False]
    assert (found.get("none", 1), found.get("partial", 1)) == (None, 1)
    assert repr(found) == f"<StoredValues of {A} finished: acc, model, none>"


def test_only_what_is_asked_for_is_loaded() -> None:
    """Nor is anything by looking which names there are."""
    store, loaded = InMemoryStore(), []
    put(store, A, {"small": 1, "large": "x" * 100_000})
    load = store.load_artifact
    store.load_artifact = lambda at, number, artifact, **how: (  # type: ignore[method-assign]  # counted
        loaded.append(artifact.name),
        load(at, number, artifact, **how),
    )[1]
    values = store["Train/a"]
    assert (list(values), len(values), "large" in values) == (["small", "large"], 2, True)
    assert loaded == []
    assert values["small"] == 1
    assert loaded == ["small"]


def test_what_is_not_there_is_told() -> None:
    """Names with the nearest; ids as everywhere; anything else is no id."""
    store = InMemoryStore()
    put(store, A, {"model": 1})
    put(store, Address("Train", "ab" * 16), {"partial": 1}, done(TaskState.FAILED))
    with pytest.raises(ArtifactMissing, match="Did you mean model"):
        store["Train/aa"]["modle"]
    with pytest.raises(RecordMissing, match="Train/f"):
        store["Train/f"]
    with pytest.raises(RecordMissing, match=B.key[:8]):
        store[B]
    with pytest.raises(AmbiguousConfig):
        store["Train/a"]
    assert dict(store["Train/ab"]) == {}
    with pytest.raises(TypeError, match="by its id"):
        iter(store).__next__()  # type: ignore[call-overload]  # what Python would try
