"""Does the memory store keep the promises of all stores, and those of its own?"""

from __future__ import annotations

import pickle

import pytest
from hypothesis import settings

from stores import InMemoryStore
from stores.record import Address, TaskState
from stores.testing import SeedConformance, StoreConformance, StoreMachine, done, put


class TestInMemoryStore(StoreConformance, SeedConformance):
    """The suites of all stores."""

    @pytest.fixture
    def store(self):
        """An empty store."""
        return InMemoryStore()


TestMachine = StoreMachine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


def test_a_slice_travels_and_its_result_comes_back():
    """A clone holds just the inputs; what was computed beside it is adopted with its values."""
    store, read, made = InMemoryStore(), Address("Load", "1" * 32), Address("Train", "2" * 32)
    put(store, read, {"data": [1]})
    put(store, Address("Other", "3" * 32))
    put(store, made, {}, done(TaskState.FAILED))
    part = pickle.loads(pickle.dumps(store.clone_for([read, Address("Gone", "4" * 32)])))  # noqa: S301
    assert list(part.addresses()) == [read]
    put(part, made, {"model": part.get(read, "data") * 2}, done(inputs=[read]))
    store.adopt(*part.export(made))
    assert store.get(made, "model") == [1, 1]
    record = store.record(made)
    assert (record.state, record.latest.number) == (TaskState.FINISHED, 2)
    put(part, made, {"half": 1}, done(TaskState.FAILED))
    store.adopt(*part.export(made))
    assert (store.get(made, "model"), store.record(made).latest.state) == ([1, 1], TaskState.FAILED)
