"""Are several stores one, with the results of each task in one of them?"""

from __future__ import annotations

import pickle

import pytest

from stores import InMemoryStore, LocalFileStore, SplitStore, StoreWithoutFiles, open_store
from stores.record import Address
from stores.testing import SeedConformance, StoreConformance, done, put

TRAIN, DATA = Address("Train", "a" * 32), Address("Data", "b" * 32)


class TestConformance(StoreConformance, SeedConformance):
    """The suites of all stores; some of their tasks have a store of their own."""

    @pytest.fixture(params=["file", "memory"])
    def store(self, request, tmp_path):
        """An empty pair."""
        if request.param == "memory":
            return SplitStore(InMemoryStore(), {"Train": InMemoryStore()})
        made = [LocalFileStore(tmp_path / name, fsync=False) for name in ("main", "train")]
        return SplitStore(made[0], {"Train": made[1]})


@pytest.fixture
def parts(tmp_path):
    """The main store and that of `Data`."""
    return [LocalFileStore(tmp_path / name, fsync=False) for name in ("main", "data")]


def test_each_task_has_one_store(parts):
    """What is written goes there, what is read comes from there, queries see all of it."""
    main, data = parts
    store = SplitStore(main, {"Data": data})
    put(store, DATA, {"value": 1}, n=3)
    put(store, TRAIN, {"value": 2}, done(inputs=[DATA]), lr=0.1)
    assert (list(main.addresses()), list(data.addresses())) == ([TRAIN], [DATA])
    assert sorted(store.addresses()) == [DATA, TRAIN]
    assert [store.get(each, "value") for each in (DATA, TRAIN)] == [1, 2]
    assert set(store.statuses([TRAIN, DATA])) == {TRAIN.key, DATA.key}
    assert [each.address for each in store.records()] == [DATA, TRAIN]
    assert store.unique_config(TRAIN) == {"Train": {"lr": 0.1}, "Data": {"n": 3}}
    assert store.dependents("Data") == [TRAIN]
    removal = store.delete_records("Data", with_dependents=True)
    assert sorted(removal.removed) == [DATA, TRAIN]
    assert not list(main.addresses()) and not list(data.addresses())


def test_what_else_the_stores_hold_is_not_seen(parts):
    """A task is looked for in its own store only, and its store shows nothing of others."""
    main, data = parts
    put(main, DATA, {"value": "old"}, n=3)
    put(data, TRAIN, {"value": "other"}, lr=0.1)
    store = SplitStore(main, {"Data": data})
    assert list(store.addresses()) == [] == list(store.records())
    assert store.statuses([TRAIN, DATA]) == {}
    assert list(store.summaries()) == []


def test_a_copy_that_travels_is_split_in_the_same_way(parts):
    """Also one that was opened from text."""
    main, data = parts
    options = {"main": f"file:{main.base_dir}", "by_task": {"Data": f"file:{data.base_dir}"}}
    store = open_store({"kind": "split", "options": options})
    put(store, DATA, {"value": 1})
    for each in (store, pickle.loads(pickle.dumps(store))):
        assert each.of("Data").base_dir == data.base_dir
        assert [member.base_dir for member in each.members] == [main.base_dir, data.base_dir]
        assert each.get(DATA, "value") == 1
        assert each.reachable_from_workers
    assert not SplitStore(InMemoryStore(), {"Data": data}).reachable_from_workers


def test_a_task_has_a_shared_folder_in_its_own_store(parts):
    """It is made when first asked for; a store without files says so."""
    main, data = parts
    store = SplitStore(main, {"Data": data, "Small": InMemoryStore()})
    assert str(store.shared_folder("Train")) == f"{main.base_dir}/Train/.shared"
    assert str(store.shared_folder("Data")) == f"{data.base_dir}/Data/.shared"
    assert store.shared_folder("Data").is_dir()
    with pytest.raises(StoreWithoutFiles, match="shared_dir does not work"):
        store.shared_folder("Small")
    assert list(store.addresses()) == []
    assert list(store.leftovers()) == []
