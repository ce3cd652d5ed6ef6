"""Are just the records deleted that are meant, and those computed from them only when told?"""

from __future__ import annotations

import threading

import pytest

from stores import (
    AmbiguousConfig,
    DependentsExist,
    LeaseHeld,
    LocalFileStore,
    QueryError,
    StoreError,
    TaskState,
)
from stores.housekeeping.relations import readers_first
from stores.record import Address
from stores.testing import done, far_owner, put

LOAD, TRAIN, OTHER, EVAL = (
    Address(task, key * 32)
    for task, key in (("Load", "a"), ("Train", "b"), ("Train", "c"), ("Eval", "d"))
)
EVERYTHING = [LOAD, TRAIN, OTHER, EVAL]


@pytest.fixture
def chain(any_store):
    """Load -> Train -> Eval, and another Train that reads nothing."""
    put(any_store, LOAD, {"data": "x" * 20_000})
    put(any_store, TRAIN, {"model": 1}, done(inputs=[LOAD]), lr=0.1)
    put(any_store, OTHER, {"model": 2}, done(), lr=0.2)
    put(any_store, EVAL, {"acc": 1.0}, done(inputs=[TRAIN]))
    return any_store


def left(store):
    return sorted(store.addresses())


def test_dependents_are_named_through_any_number_of_tasks(chain):
    """Those of several are told once, without the ones that are asked about."""
    assert chain.dependents(LOAD) == [EVAL, TRAIN]
    assert chain.dependents("Train") == [EVAL]
    assert chain.dependents([LOAD, TRAIN]) == [EVAL]
    assert chain.dependents(EVAL) == chain.dependents(Address("Gone", "f" * 32)) == []
    assert chain.dependents() == []


def test_a_failed_reader_was_not_computed(chain):
    """It hinders no deletion, unless a success before it has read the same."""
    reader = Address("Report", "e" * 32)
    put(chain, reader, {}, done(TaskState.FAILED, inputs=[EVAL]))
    assert chain.dependents(EVAL) == []
    put(chain, reader, {}, done(inputs=[EVAL]))
    put(chain, reader, {}, done(TaskState.FAILED))
    assert chain.dependents(EVAL) == [reader]


def test_what_others_were_computed_from_is_not_deleted_unasked(chain):
    """The error names them; nothing was deleted."""
    with pytest.raises(DependentsExist, match=r"2 records.*Eval/dddddddd, Train/bbbbbbbb"):
        chain.delete_records(LOAD)
    with pytest.raises(DependentsExist, match=r"1 records.*Eval/dddddddd"):
        chain.delete_records("Train", state="finished")
    assert left(chain) == sorted(EVERYTHING)


def test_dependents_are_deleted_first_when_told(chain):
    """So that a kill in between leaves nothing without its inputs."""
    removal = chain.delete_records("Load", with_dependents=True)
    assert removal.removed == (EVAL, TRAIN, LOAD)
    assert (removal.busy, left(chain)) == ((), [OTHER])
    assert str(removal) == "3 records deleted"


def test_dependents_are_kept_when_told(chain):
    """They are as they were."""
    record = chain.record(TRAIN)
    assert chain.delete_records("Load", keep_dependents=True).removed == (LOAD,)
    assert chain.record(TRAIN) == record
    assert chain.get(EVAL, "acc") == 1.0


def test_records_are_deleted_by_key_glob_query_and_address(chain):
    """All that is given has to fit; what fits nothing deletes nothing."""
    assert chain.delete_records(f"Train/{OTHER.key[:8]}").removed == (OTHER,)
    assert chain.delete_records("Tr*", where={"lr": 0.3}).removed == ()
    assert chain.delete_records(keys="f").removed == ()
    assert chain.delete_records([]).removed == ()
    assert chain.delete_records("E*", state="finished").removed == (EVAL,)
    assert chain.delete_records(where={"lr": 0.1}).removed == (TRAIN,)
    assert chain.delete_records("*").removed == (LOAD,)
    assert left(chain) == []


def test_deleting_needs_to_know_what(chain):
    """Nothing given is not everything; both answers about dependents are none."""
    with pytest.raises(QueryError, match=r"'\*' means all"):
        chain.delete_records()
    with pytest.raises(QueryError, match="not both"):
        chain.delete_records(LOAD, with_dependents=True, keep_dependents=True)
    with pytest.raises(QueryError, match="lrr"):
        chain.delete_records("Train", where={"lrr": 0.1})
    put(chain, Address("Train", "b" * 31 + "0"))
    with pytest.raises(AmbiguousConfig, match="2 records"):
        chain.delete_records("Train/bbbb", keep_dependents=True)
    assert len(left(chain)) == 5


def test_what_is_being_computed_is_left(chain):
    """Told as busy, and so is what it is computed from; the rest is deleted."""
    attempt = chain.begin(TRAIN)
    removal = chain.delete_records("*")
    assert (removal.removed, removal.busy) == ((EVAL, OTHER), (LOAD, TRAIN))
    assert str(removal) == "2 records deleted, 2 left that are in use"
    attempt.commit(chain.record(TRAIN).identity, done(inputs=[LOAD]))
    assert chain.delete_records("*").removed == (TRAIN, LOAD)


def test_what_another_host_computes_is_left(chain):
    """Nobody here knows whether it lives."""
    chain.begin(EVAL, far_owner())
    assert chain.delete_records(EVAL).busy == (EVAL,)
    with pytest.raises(LeaseHeld):
        chain.remove(EVAL)


def test_a_record_that_goes_meanwhile_is_not_counted(chain, monkeypatch):
    """Somebody else has deleted it."""
    remove = chain.remove
    monkeypatch.setattr(chain, "remove", lambda address: remove(address) and remove(address))
    assert chain.delete_records(EVAL).removed == ()
    assert EVAL not in left(chain)


def test_two_that_delete_at_once_delete_each_record_once(any_store):
    """Whoever comes second finds nothing, or somebody at work."""
    addresses = [Address("T", f"{number:032x}") for number in range(40)]
    for address in addresses:
        put(any_store, address)
    removals = []
    workers = [
        threading.Thread(target=lambda: removals.append(any_store.delete_records("T")))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    gone = [address for removal in removals for address in removal.removed]
    assert sorted(gone) == addresses
    assert left(any_store) == []


def test_a_damaged_record_is_deleted_by_its_place(tmp_path):
    """It cannot be searched, but it is there."""
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, TRAIN, {"model": "x" * 20_000})
    (tmp_path / "Train" / f"{TRAIN.key}.json").write_text("{")
    assert store.delete_records("Train", text="train").removed == ()
    assert store.delete_records("Train").removed == (TRAIN,)
    assert not (tmp_path / "Train" / TRAIN.key).exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    """As an error of the store, and nothing is gone."""
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, TRAIN)

    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    with monkeypatch.context() as patched:
        patched.setattr("stores.file_lease.os.open", refused)
        with pytest.raises(StoreError, match="may not write"):
            store.delete_records("Train")
    assert left(store) == [TRAIN]


def test_a_circle_of_damaged_records_ends():
    """There is none in a healthy store; here order is all that is lost."""
    readers = {LOAD: [TRAIN], TRAIN: [LOAD]}
    assert sorted(readers_first([LOAD, TRAIN], readers)) == [LOAD, TRAIN]
