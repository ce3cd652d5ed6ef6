"""Is the record found that a name and a config mean, and no other?"""

from __future__ import annotations

import pytest

from stores import InMemoryStore
from stores.errors import AmbiguousConfig
from stores.matching import artifacts_in_force, find_by_prefix, in_lineage, match, saved_address
from stores.record import Address, TaskState
from stores.testing import done, put

LOAD, TRAIN = Address("Load", "1" * 32), Address("Train", "2" * 32)
BOTH = {"Load": {"n": 5}, "Train": {"lr": 0.1}}


@pytest.fixture
def store():
    """A store with a task and one that reads it."""
    store = InMemoryStore()
    put(store, LOAD, {"data": 1}, n=5)
    put(store, TRAIN, {"a": 1, "b": 2}, done(inputs=[LOAD]), lr=0.1)
    return store


@pytest.mark.parametrize(
    "config",
    [{}, {"Train": {"lr": 0.1}}, {"Load": {"n": 5}}, {**BOTH, "More": {}}, {**BOTH, "Train": {}}],
)
def test_only_an_equal_config_matches(store, config):
    """No part of it and nothing that it is a part of."""
    assert match("Train", config, store) is None
    assert match("Train", dict(reversed(BOTH.items())), store) == TRAIN


def test_what_was_saved_by_hand_is_found_by_its_whole_config_alone():
    """Not by the config of its task, which several may share."""
    store = InMemoryStore()
    for n in (1, 2):
        store.save(n, "value", None, "Train", {"Load": {"n": n}, "Train": {"lr": 0.1}})
    assert store.load("value", "Train", {"Train": {"lr": 0.1}}) is None
    assert store.load("value", "Train", {"Load": {"n": 2}, "Train": {"lr": 0.1}}) == 2


@pytest.mark.parametrize("state", [TaskState.FINISHED, TaskState.FAILED])
def test_a_change_by_hand_leaves_the_lineage(state):
    """A task is found by the same config after a value was added, and after one was deleted."""
    store = InMemoryStore()
    put(store, LOAD, {}, n=5)
    put(store, TRAIN, {"a": 1}, done(state, inputs=[LOAD]), lr=0.1)
    store.save(2, "b", None, "Train", BOTH)
    store.save(3, "c", None, "Train", BOTH)
    store.delete("c", "Train", BOTH)
    assert store.load("b", "Train", BOTH) == 2
    assert match("Train", BOTH, store) == TRAIN
    assert store.unique_config(TRAIN) == BOTH
    assert list(store.addresses("Train")) == [TRAIN]


def test_a_lineage_leads_upstream_only(store):
    """To the task itself, to those it reads, to nothing else."""
    assert in_lineage(TRAIN, "Load", store.record) == LOAD
    assert in_lineage(TRAIN, "Train", store.record) == TRAIN
    assert in_lineage(LOAD, "Train", store.record) is None


def test_what_is_saved_by_hand_later_is_in_force(store):
    """A failure is not; the attempt tells whose artifact it is."""
    put(store, LOAD, {"data": "failed"}, done(TaskState.FAILED), n=5)
    assert [n for n, (a, _) in artifacts_in_force(store.record(LOAD)).items()] == ["data"]
    assert artifacts_in_force(store.record(LOAD))["data"][0].number == 1
    store.save("by hand", "data", None, "Load", {"Load": {"n": 5}})
    assert artifacts_in_force(store.record(LOAD))["data"][0].state is TaskState.SAVED


def test_a_prefix_that_means_several_lists_them():
    """Also across tasks, whose names may hold slashes."""
    addresses = [Address("a/b", "12"), Address("a", "13")]

    def of_task(task):
        return iter([each for each in addresses if task in (None, each.task)])

    assert find_by_prefix("a/b/1", of_task) == addresses[0]
    with pytest.raises(AmbiguousConfig, match="'1' means 2 records: a/13, a/b/12"):
        find_by_prefix("1", of_task)


def test_the_key_of_a_config_saved_by_hand_never_changes():
    """It is the digest of its canonical text."""
    assert saved_address("Train", BOTH) == saved_address("Train", dict(reversed(BOTH.items())))
    assert saved_address("Train", {}).key == "e23729132c72be27924b8e71c8d2193f"
