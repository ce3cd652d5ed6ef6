"""Does the file store keep the promises of all stores, and those of its own?"""

from __future__ import annotations

import shutil
import tempfile

import pytest
from hypothesis import settings

from stores import LocalFileStore
from stores.errors import ArtifactDamaged, PickleRefused, StoreError
from stores.record import Address
from stores.testing import SeedConformance, StoreConformance, StoreMachine, put


class TestLocalFileStore(StoreConformance, SeedConformance):
    """The suites of all stores."""

    @pytest.fixture
    def store(self, tmp_path):
        """An empty store."""
        return LocalFileStore(tmp_path / "runs", fsync=False)


class FileMachine(StoreMachine):
    """The memory store is the model."""

    def make(self):
        """A store in a new folder."""
        return LocalFileStore(tempfile.mkdtemp(), fsync=False)

    def reopen(self, store):
        """Another store in the same folder."""
        return LocalFileStore(store.base_dir, fsync=False)

    def clean_up(self, store):
        """Remove the folder of a store."""
        store.close()
        shutil.rmtree(store.base_dir)


TestMachine = FileMachine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


A = Address("Train", "a" * 32)
BIG = "x" * 50_000


@pytest.mark.parametrize("others", [[], [Address("Train", f"{i:032x}") for i in range(100)]])
def test_missing_and_damaged_files_are_told_apart(tmp_path, others):
    """By one look at few keys and at many, without reading the files."""
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, A, {"gone": BIG, "cut": BIG, "empty": BIG, "good": BIG, "inline": 1})
    files = {each.name: tmp_path / "Train" / A.key / each.file for each in _large(store)}
    files["gone"].unlink()
    files["cut"].write_bytes(files["cut"].read_bytes()[:-1])
    files["empty"].write_bytes(b"")
    status = store.statuses([A, *others])[A.key]
    assert (status.missing, sorted(status.damaged)) == (("gone",), ["cut", "empty"])
    assert (store.get(A, "good"), store.get(A, "inline")) == (BIG, 1)
    with pytest.raises(ArtifactDamaged, match="gone"):
        store.get(A, "gone")
    assert not store.is_finished("Train", {"Train": {}})


def test_pickles_are_refused_where_they_are_not_trusted(tmp_path):
    """Inline, in files, lazily; all other types are loaded."""
    values = {"small": {1, 2}, "large": set(range(50_000)), "plain": [1]}
    put(LocalFileStore(tmp_path, fsync=False), A, values)
    store = LocalFileStore(tmp_path, allow_pickle=False)
    assert store.statuses([A])[A.key].state == "finished"
    assert store.get(A, "plain") == [1]
    for name in ("small", "large"):
        with pytest.raises(PickleRefused, match=name):
            store.get(A, name)
        with pytest.raises(PickleRefused, match=name):
            store.get(A, name, lazy=True).load()


def test_a_value_in_the_record_is_opened_for_reading_only(tmp_path):
    """What is written to it would be lost."""
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, A, {"note": "hello"})
    promise = store.get(A, "note", lazy=True)
    with store.open(promise=promise, mode="r") as file:
        assert file.read() == "hello"
    with pytest.raises(StoreError, match="can only be read"):
        store.open(promise=promise, mode="a")


def _large(store):
    return [each for each in store.record(A).latest.artifacts if each.file is not None]
