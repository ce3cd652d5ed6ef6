"""Are several stores one: read through, written to the first, never mixed up?"""

from __future__ import annotations

import pickle
import shutil
import tempfile

import pytest
from hypothesis import settings

from flowlib import Flow, TaskSpec
from flowlib.errors import RunError
from stores import (
    Identity,
    InMemoryStore,
    LayeredStore,
    LocalFileStore,
    ReadOnlyStore,
    StoreError,
    StoreUnwritable,
    TaskState,
    open_store,
)
from stores.record import Address
from stores.testing import SeedConformance, StoreConformance, StoreMachine, done, put

A, B, C = (Address("Train", digit * 32) for digit in "abc")
BIG = "x" * 50_000


class TestOverAnEmptyStore(StoreConformance, SeedConformance):
    """The suites of all stores: the one below is empty."""

    @pytest.fixture(params=["file", "memory"])
    def store(self, request, tmp_path):
        """An empty stack."""
        below = LocalFileStore(tmp_path / "below", fsync=False)
        if request.param == "memory":
            return LayeredStore([InMemoryStore(), below])
        return LayeredStore([LocalFileStore(tmp_path / "first", fsync=False), ReadOnlyStore(below)])


class LayeredMachine(StoreMachine):
    """The memory store is the model."""

    def make(self):
        """A stack of two stores in a new folder."""
        self.folder = tempfile.mkdtemp()
        return self.reopen(None)

    def reopen(self, store):
        """Another stack on the same folders."""
        names = ("first", "below")
        return LayeredStore([LocalFileStore(f"{self.folder}/{n}", fsync=False) for n in names])

    def clean_up(self, store):
        """Remove the folders."""
        store.close()
        shutil.rmtree(self.folder)


TestMachine = LayeredMachine.TestCase
TestMachine.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@pytest.fixture(params=["file, file", "memory, file", "file, memory"])
def pair(request, tmp_path):
    """Two empty stores of several kinds."""
    return [
        InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path / f"{n}", fsync=False)
        for n, kind in enumerate(request.param.split(", "))
    ]


def test_results_are_found_in_any_of_them(pair):
    """One by one, in bulk, by name, by query; the first that has one shows it."""
    first, below = pair
    put(first, A, {"value": "first"}, lr=1)
    put(below, A, {"value": "below"}, lr=1)
    put(below, B, {"value": BIG, "small": 2}, lr=2)
    stack = LayeredStore(pair)
    assert sorted(stack.addresses()) == [A, B]
    assert [stack.get(each, "value") for each in (A, B)] == ["first", BIG]
    assert stack.get(B, "value", lazy=True).load() == BIG
    assert set(stack.statuses([A, B, C])) == {A.key, B.key}
    assert stack.record(B) == below.record(B)
    assert stack.records(where={"lr": 2}).addresses() == [B]
    assert [row.get("small") for row in stack.records().to_dicts()] == [None, 2]
    assert stack.load("value", "Train", stack.unique_config(B)) == BIG
    assert stack.find("Train/b") == B


def test_a_success_below_counts_more_than_a_failure(pair):
    """Its values are found; that the last attempt failed is told."""
    first, below = pair
    put(below, A, {"value": BIG}, lr=1)
    stack = LayeredStore(pair)
    put(stack, A, {"half": 1}, done(TaskState.FAILED), lr=1)
    for status in (stack.statuses([A])[A.key], stack.statuses([A, B])[A.key]):
        assert (status.state, status.latest_state) == ("finished", "failed")
        assert (status.attempt, status.latest_attempt) == (1, 2)
    record = stack.record(A)
    assert (record.finished, record.latest) == (below.record(A).finished, first.record(A).latest)
    assert stack.get(A, "value") == BIG


def test_what_is_written_goes_to_the_first(pair):
    """With a higher number than below, so that it counts as newer."""
    first, below = pair
    for _ in range(3):
        put(below, A, {"value": "old"})
    before = below.record(A)
    stack = LayeredStore(pair)
    assert put(stack, A, {"value": "new"}).latest.number == 4
    assert (stack.get(A, "value"), below.record(A)) == ("new", before)
    stack.save(BIG, "note", task_name="Notes", task_unique_config={"Notes": {}})
    assert list(below.addresses("Notes")) == []
    assert stack.load("note", "Notes", {"Notes": {}}) == BIG
    stack.begin(B).abandon()
    assert sorted(first.addresses("Train")) == [A]


def test_a_value_saved_by_hand_beside_a_result_below(pair):
    """Both are found, with the identity of the result."""
    _, below = pair
    put(below, A, {"value": BIG}, lr=1)
    stack = LayeredStore(pair)
    config = stack.unique_config(A)
    stack.save("hi", "note", task_name="Train", task_unique_config=config)
    assert stack.get_results("Train", config) == {"value": BIG, "note": "hi"}
    assert stack.record(A).identity == below.record(A).identity
    assert stack.is_finished("Train", config)


def test_what_lies_below_is_deleted_only_when_told(pair):
    """Else it is an error that says where it lies."""
    first, below = pair
    put(below, A, {"value": 1})
    put(first, B, {"value": 1})
    stack = LayeredStore(pair)
    with pytest.raises(StoreUnwritable, match=r"Train/aaaaaaaa lies in .*read_only=False"):
        stack.remove(A)
    assert stack.remove(B)
    assert not stack.remove(B)
    put(stack, A, {"value": 2})
    assert LayeredStore(pair, read_only=False).remove(A)
    assert list(stack.addresses()) == []
    with pytest.raises(StoreError):
        LayeredStore([first, ReadOnlyStore(below)], read_only=False).remove(put(below, A).address)


def test_a_stack_is_copied_and_verified(pair, tmp_path):
    """Whatever lies where, folders too."""
    first, below = pair
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "x.txt").write_text("hello")
    for store, address in ((first, A), (below, B)):
        attempt = store.begin(address)
        attempt.save(tmp_path / "made", "folder", "path")
        attempt.save(BIG, "big")
        attempt.save(address.key, "small")
        attempt.commit(Identity(address), done())
    stack, other = LayeredStore(pair), InMemoryStore()
    assert stack.verify().ok
    assert stack.copy(None, other).copied == (A, B)
    for address in (A, B):
        assert (other.get(address, "big"), other.get(address, "small")) == (BIG, address.key)
        assert (other.get(address, "folder") / "x.txt").read_text() == "hello"
    assert stack.disk_usage().records == 2


def test_a_run_reuses_what_lies_below(tmp_path):
    """In worker processes, too; only what is new is computed, into the first."""
    below = LocalFileStore(tmp_path / "below", fsync=False)
    flow(2).run(num_workers=1, results_store=below)
    stack = LayeredStore([LocalFileStore(tmp_path / "first", fsync=False), ReadOnlyStore(below)])
    run = flow(4).run(num_workers=2, results_store=stack)
    assert run.counts == {"cached": 4, "finished": 4}
    assert sorted(each["total"] for each in run["add"]) == [1, 2, 3, 4]
    assert len(list(below.addresses())) == 4
    assert len(list(LocalFileStore(tmp_path / "first").addresses())) == 4
    copied = pickle.loads(pickle.dumps(stack))
    assert sorted(copied.addresses()) == sorted(stack.addresses())


def test_a_run_into_a_layer_that_workers_do_not_reach(tmp_path):
    """Works in this process and is refused for others: results would be lost."""
    stack = LayeredStore([InMemoryStore(), LocalFileStore(tmp_path, fsync=False)])
    assert flow(2).run(num_workers=1, results_store=stack).counts == {"finished": 4}
    with pytest.raises(RunError, match=r"cannot write to LayeredStore.*num_workers=1"):
        flow(3).run(num_workers=2, results_store=stack)


def number(n):
    return {"value": n}


def add(value):
    return {"total": value + 1}


def flow(count):
    numbers = TaskSpec(number, {"n": list(range(count))}, expand="product")
    sums = TaskSpec(add)
    sums.requires(numbers)
    return Flow([numbers, sums])


def test_what_is_needed_by_a_run_is_not_collected(pair):
    """A stack collects like any store, as far as it may."""
    first, _ = pair
    put(first, A, {"value": 1})
    stack = LayeredStore(pair)
    attempt = stack.begin(B)
    assert stack.keys_in_work() == [B]
    attempt.abandon()
    assert stack.gc(keep=[], grace=0).apply().removal.removed == (A,)


def test_a_stack_is_opened_from_a_mapping(tmp_path):
    """Its stores as URIs, mappings or themselves."""
    put(LocalFileStore(tmp_path / "below", fsync=False), A, {"value": 1})
    stack = open_store(
        {
            "kind": "layered",
            "options": {
                "stores": [
                    {"kind": "file", "options": {"base_dir": str(tmp_path / "first")}},
                    {"kind": "readonly", "options": {"store": f"file:{tmp_path / 'below'}"}},
                    InMemoryStore(),
                ]
            },
        }
    )
    assert stack.get(A, "value") == 1
    assert repr(stack).startswith("LayeredStore([LocalFileStore(")
    for wrong in ([], "file:runs", InMemoryStore()):
        with pytest.raises(StoreError, match="list of stores"):
            LayeredStore(wrong)
    with pytest.raises(StoreError, match="no URI"):
        LayeredStore(["runs"])
