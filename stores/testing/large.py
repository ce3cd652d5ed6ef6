"""Does a store keep large values and many records? Slow, and part of `StoreConformance`."""

from __future__ import annotations

from typing import ClassVar

import pytest

from stores.record import Address, TaskState
from stores.store import ResultsStore
from stores.testing.parts import A, done, identity, put


class LargeConformance:
    """Part of `StoreConformance`.

    Attributes:
        many: How many records `test_many_records_are_found` makes.
    """

    many: ClassVar[int] = 10_000

    @pytest.fixture
    def store(self) -> ResultsStore:
        """An empty store."""
        raise NotImplementedError("give a fixture that makes an empty store")

    @pytest.mark.slow
    def test_a_large_value_comes_back(self, store: ResultsStore) -> None:
        """100 MB, eagerly and lazily; replaced, and removed."""
        value = bytes(range(256)) * (100_000_000 // 256)
        put(store, A, {"value": value})
        (artifact,) = store.statuses([A])[A.key].artifacts
        assert artifact.size_bytes == len(value)
        assert store.get(A, "value") == value
        promise = store.get(A, "value", lazy=True)
        assert promise.load() == value
        put(store, A, {"value": value[::-1]})
        assert store.get(A, "value")[:3] == value[:-4:-1]
        assert store.remove(A)
        assert list(store.leftovers()) == []

    @pytest.mark.slow
    def test_many_records_are_found(self, store: ResultsStore) -> None:
        """Small ones: listed, looked at in one look, searched, and each read."""
        addresses = [Address("Many", f"{number:032x}") for number in range(self.many)]
        for number, address in enumerate(addresses):
            attempt = store.begin(address)
            attempt.save(number, "value")
            attempt.commit(identity(address, x=number % 100), done())
        assert sorted(store.addresses("Many")) == addresses
        statuses = store.statuses(addresses)
        assert {status.state for status in statuses.values()} == {TaskState.FINISHED}
        assert len(statuses) == self.many
        assert store.count(where={"x": 7}) == self.many // 100
        for number in range(0, self.many, 997):
            assert store.get(addresses[number], "value") == number
