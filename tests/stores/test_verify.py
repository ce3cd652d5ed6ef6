"""Is damage found wherever it is, without decoding anything, and healed when told?"""

from __future__ import annotations

from pathlib import Path

import pytest

from stores import Identity, InMemoryStore, LocalFileStore, TaskState
from stores.record import Address
from stores.testing import done, put

A, B, C, D = (Address("Train", digit * 32) for digit in "abcd")
BIG = "x" * 50_000


class Trap:
    """Whoever unpickles it leaves a trace."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "runs", fsync=False)


def path_of(store, address, name="data.txt", attempt=1):
    return Path(store._layout.key_folder(address), str(attempt), name)


def record_of(store, address):
    return Path(store._layout.record(address))


def test_all_is_well(any_store, tmp_path):
    """What was read is counted; nothing is unpickled."""
    put(any_store, A, {"data": BIG, "trap": Trap(tmp_path / "trace")})
    put(any_store, B, {"word": "ü"}, done(TaskState.FAILED), lr=1)
    found = any_store.verify()
    assert (found.ok, found.faults, found.removal) == (True, (), None)
    assert (found.records, found.artifacts) == (2, 3)
    assert found.size_bytes > len(BIG)
    assert "are as they were saved" in str(found)
    assert not (tmp_path / "trace").exists()
    assert any_store.verify("Train", where={"lr": 1}).records == 1
    assert any_store.verify("Nobody").records == 0
    assert any_store.verify(remove_damaged=True).removal.removed == ()


def test_every_kind_of_damage_is_found(store):
    """Other bytes of the same length, too few, none, a record of rubbish; the others are read."""
    for address in (A, B, C, D):
        put(store, address, {"data": BIG, "word": "x"})
    path_of(store, A).write_text("y" * len(BIG))
    path_of(store, B).write_text("")
    record_of(store, C).write_text("{}")
    found = store.verify()
    assert (found.ok, found.records, found.artifacts) == (False, 3, 6)
    assert [(fault.address, fault.artifact) for fault in found.faults] == [
        (A, "data"),
        (B, "data"),
        (C, None),
    ]
    texts = [str(fault) for fault in found.faults]
    assert "other bytes" in texts[0]
    assert "0 bytes instead of 50000" in texts[1]
    assert "record cannot be read" in texts[2]
    assert all(text in str(found) for text in texts)
    assert sorted(store.addresses()) == [A, B, C, D]


def test_damage_in_the_record_itself_is_found(store):
    """A small value that is no longer what it was."""
    put(store, A, {"raw": b"\x00\xff" * 100})
    path = record_of(store, A)
    text = path.read_text()
    path.write_text(text.replace('"bytes":200', '"bytes":201'))
    assert ["201" in str(fault) for fault in store.verify().faults] == [True]


def test_damaged_results_are_removed_when_told(store):
    """So that the next run computes them; what was computed from them stays."""
    for address in (A, B, C, D):
        put(store, address, {"data": BIG}, done(inputs=[] if address == A else [A]))
    path_of(store, A).write_text("y" * len(BIG))
    record_of(store, B).write_text("rubbish")
    path_of(store, C).write_text("short")
    attempt = store.begin(C)
    found = store.verify(remove_damaged=True)
    assert sorted(found.removal.removed) == [A, B]
    assert found.removal.busy == (C,)
    assert "2 records deleted, 1 left" in str(found)
    attempt.abandon()
    assert sorted(store.addresses()) == [C, D]
    assert store.verify(remove_damaged=True).removal.removed == (C,)
    assert store.verify().ok


def test_damage_that_does_not_count_removes_no_result(store):
    """A file of a later attempt that failed is told; the success stays."""
    put(store, A, {"data": BIG})
    put(store, A, {"data": BIG}, done(TaskState.FAILED))
    path_of(store, A, attempt=2).write_text("short")
    found = store.verify(remove_damaged=True)
    assert [fault.counts for fault in found.faults] == [False]
    assert found.removal.removed == ()
    assert store.get(A, "data") == BIG


def with_folder(store, tmp_path):
    """A record with a folder of three files, one of them in a folder of its own."""
    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "deep/ü.txt"):
        (made / name).write_text("hello")
    attempt = store.begin(A)
    attempt.save(made, "folder", "path")
    attempt.commit(Identity(A), done())
    return path_of(store, A, "folder")


FOLDER_CHANGES = {
    "other bytes": lambda folder: (folder / "deep/ü.txt").write_text("hallo"),
    "fewer bytes": lambda folder: (folder / "a.txt").write_text("hell"),
    "a new empty file": lambda folder: (folder / "new.txt").touch(),
    "a new empty folder": lambda folder: (folder / "new").mkdir(),
    "another name": lambda folder: (folder / "a.txt").rename(folder / "c.txt"),
    "swapped files": lambda folder: (
        (folder / "a.txt").write_text("he"),
        (folder / "b.txt").write_text("hellollo"),
    ),
    "a link instead of a file": lambda folder: (
        (folder / "a.txt").unlink(),
        (folder / "a.txt").symlink_to("b.txt"),
    ),
    "a file is gone": lambda folder: (folder / "b.txt").unlink(),
}


@pytest.mark.parametrize("name", FOLDER_CHANGES)
def test_every_change_of_a_folder_is_found(store, tmp_path, name):
    """By one digest over all in it; a damaged one is not copied."""
    folder = with_folder(store, tmp_path)
    other = InMemoryStore()
    assert store.verify().ok
    assert store.copy(A, other).copied == (A,)
    FOLDER_CHANGES[name](folder)
    (fault,) = store.verify().faults
    assert (fault.address, fault.artifact) == (A, "folder")
    assert [each for each, _ in store.copy(A, other, replace=True).damaged] == [A]
    assert (other.get(A, "folder") / "a.txt").read_text() == "hello"


def test_a_folder_with_links_is_whole(store, tmp_path):
    """Hard and symbolic ones, made after the copy as a type of the user may."""
    folder = with_folder(store, tmp_path)
    attempt = store.begin(B)
    inner = attempt.run_dir / "made"
    folder.rename(inner)
    (inner / "hard.txt").hardlink_to(inner / "a.txt")
    (inner / "soft.txt").symlink_to("a.txt")
    attempt.carry_over({"made": store.adopt_file(attempt.lease, "made", inner, "path")})
    attempt.commit(Identity(B), done())
    assert store.verify("Train", keys=[B.key]).ok
    (inner / "hard.txt").write_text("hullo")
    assert len(store.verify("Train", keys=[B.key]).faults) == 1


def test_a_folder_goes_through_every_kind_of_store_and_back(tmp_path, any_store):
    """It is checked wherever it is, and has the same digest in the end."""
    store = LocalFileStore(tmp_path / "first", fsync=False)
    with_folder(store, tmp_path)
    last = LocalFileStore(tmp_path / "last", fsync=True)
    assert store.copy(A, any_store).copied == (A,)
    assert any_store.verify().ok
    assert any_store.copy(A, last).copied == (A,)
    assert last.verify().ok
    assert last.record(A).finished.artifacts[0].digest == digest_in(store)
    assert digest_in(store) is not None


def digest_in(store):
    return store.record(A).finished.artifacts[0].digest


def test_a_folder_of_the_first_days_is_checked_as_far_as_its_size(store, tmp_path):
    """Its record has no digest; it is read, copied and planned with as before."""
    folder = with_folder(store, tmp_path)
    path = record_of(store, A)
    text = path.read_text()
    path.write_text(text.replace(f',"digest":"{digest_in(store)}","encoding":"folder"', ""))
    assert digest_in(store) is None
    assert store.verify().ok
    assert store.statuses([A])[A.key].damaged == ()
    assert store.copy(A, InMemoryStore()).copied == (A,)
    (folder / "a.txt").write_text("hell")
    assert "14 bytes instead of 15" in str(store.verify())


def test_a_record_of_a_newer_flowlib_is_named_and_never_removed(store):
    """It is not damaged, only unknown here."""
    put(store, A, {"data": 1})
    path = record_of(store, A)
    text = path.read_text()
    path.write_text(text.replace('"schema":1', '"schema":99'))
    found = store.verify(remove_damaged=True)
    assert "schema 99" in str(found.faults[0])
    assert found.removal.removed == ()
    assert list(store.addresses()) == [A]


def test_a_record_that_changes_while_it_is_read_is_not_damaged(store, monkeypatch):
    """Replaced or removed: what is there now counts."""
    put(store, A, {"data": BIG})
    put(store, B, {"data": BIG})
    stream = store.artifact_stream

    def late(address, artifact):
        monkeypatch.undo()
        put(store, A, {"data": BIG})
        store.remove(B)
        return stream(address, artifact)

    monkeypatch.setattr(store, "artifact_stream", late)
    found = store.verify()
    assert (found.ok, found.records) == (True, 1)


def test_room_is_told_per_task(any_store):
    """The largest first, artifacts outside of the records apart, in total."""
    put(any_store, A, {"data": BIG, "word": "x"})
    put(any_store, A, {"half": BIG}, done(TaskState.FAILED))
    put(any_store, Address("Load", "e" * 32), {})
    usage = any_store.disk_usage()
    assert [(each.task, each.records) for each in usage.tasks] == [("Train", 1), ("Load", 1)]
    assert usage.records == 2
    assert usage.tasks[0].artifact_bytes >= 2 * len(BIG)
    assert usage.tasks[1].artifacts == 0
    assert usage.size_bytes == sum(each.size_bytes for each in usage.tasks)
    lines = str(usage).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["task", "records"],
        ["Train", "1"],
        ["Load", "1"],
        ["total", "2"],
    ]
    assert [each.task for each in any_store.disk_usage("Lo*").tasks] == ["Load"]
    assert InMemoryStore().disk_usage().size_bytes == 0
