"""Is a key computed by one process at a time, and never blocked by one that is gone?"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from stores import LeaseHeld, LeaseLost, LocalFileStore, Owner, StoreUnwritable, TaskState
from stores import file_lease as module
from tests.stores.leases import (
    ADDRESS,
    commit,
    dead_owner,
    lease_files,
    lease_path,
    owner_elsewhere,
    set_age,
)

KEY = ADDRESS.key
LONG = b"x" * 20_000


@pytest.fixture
def store(tmp_path):
    """A store that nobody else uses."""
    return LocalFileStore(tmp_path / "store", fsync=False, lease_s=60.0)


def test_a_lease_is_one_file_that_the_commit_renames_away(store):
    """While an attempt is open its lease lies there; the commit leaves nothing beside the record."""
    attempt = store.begin(ADDRESS)
    assert (attempt.number, lease_files(store)) == (1, [f"{KEY}.1"])
    commit(attempt)
    assert lease_files(store) == []
    assert store.record(ADDRESS).finished.number == 1


def test_a_live_owner_keeps_its_lease(store):
    """A second process is told who computes the key, however old the lease is."""
    store.begin(ADDRESS)
    set_age(lease_path(store, 1), 10_000)
    with pytest.raises(LeaseHeld, match=f"computed by process {os.getpid()} on"):
        LocalFileStore(store.base_dir).begin(ADDRESS)
    assert lease_files(store) == [f"{KEY}.1"]


def test_a_dead_owner_of_this_host_is_taken_over_at_once(store):
    """The next number goes to the successor, and the lease of the dead one is gone."""
    store.begin(ADDRESS, dead_owner())
    attempt = store.begin(ADDRESS)
    assert attempt.number == 2
    assert lease_files(store) == [f"{KEY}.1.over", f"{KEY}.2"]
    commit(attempt)
    assert lease_files(store) == []


@pytest.mark.parametrize("change", ["started", "boot_id"])
def test_a_process_number_used_again_is_not_the_owner(store, change):
    """The same number with another start time, or before the last boot, is another process."""
    other = {"started": Owner.of_this_process().started - 1, "boot_id": "an earlier one"}
    store.begin(ADDRESS, replace(Owner.of_this_process(), **{change: other[change]}))
    assert store.begin(ADDRESS).number == 2


def test_an_owner_on_another_host_is_taken_over_only_after_expiry(store):
    """Nobody can tell whether it lives, so the time of its lease decides."""
    store.begin(ADDRESS, owner_elsewhere())
    set_age(lease_path(store, 1), 50)
    with pytest.raises(LeaseHeld, match="process 1234 on elsewhere"):
        store.begin(ADDRESS)
    set_age(lease_path(store, 1), 20)
    assert store.begin(ADDRESS).number == 2


def test_expiry_goes_by_the_clock_of_the_file_system(store, monkeypatch):
    """A host whose own clock is an hour ahead takes nobody over."""
    store.begin(ADDRESS, owner_elsewhere())
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 3600)
    with pytest.raises(LeaseHeld):
        store.begin(ADDRESS)
    assert [name for name in lease_files(store) if "clock" in name] == []


def test_a_renewed_lease_does_not_expire(store):
    """The heartbeat of another host makes its lease young again."""
    store.begin(ADDRESS, owner_elsewhere())
    set_age(lease_path(store, 1), 100)
    store.renew([ADDRESS])
    with pytest.raises(LeaseHeld):
        store.begin(ADDRESS)


def test_a_fenced_owner_cannot_commit_before_or_after_its_successor(store):
    """It is told, its files are gone, and the result of the successor stays."""
    first = store.begin(ADDRESS, owner_elsewhere())
    set_age(lease_path(store, 1), 100)
    second = store.begin(ADDRESS)
    first.save(LONG, "late")
    with pytest.raises(LeaseLost, match="attempt 1 was taken over"):
        commit(first)
    second.save(LONG, "good")
    commit(second)
    assert [each.name for each in store.record(ADDRESS).finished.artifacts] == ["good"]
    assert store.get(ADDRESS, "good") == LONG
    assert not (Path(store.base_dir) / "Train" / KEY / "1").exists()
    assert lease_files(store) == []


def test_a_fenced_owner_cannot_commit_over_its_successor(store):
    """Waking up after the successor has committed changes nothing."""
    first = store.begin(ADDRESS, owner_elsewhere())
    set_age(lease_path(store, 1), 100)
    second = store.begin(ADDRESS)
    second.save("good", "value")
    commit(second)
    first.save("late", "value")
    with pytest.raises(LeaseLost):
        commit(first)
    assert store.get(ADDRESS, "value") == "good"
    assert store.record(ADDRESS).latest.number == 2


def test_a_late_release_does_not_hurt_the_successor(store):
    """Who was taken over may give up at any time, once or more."""
    first = store.begin(ADDRESS, owner_elsewhere())
    set_age(lease_path(store, 1), 100)
    second = store.begin(ADDRESS)
    second.save(LONG, "value")
    first.abandon()
    first.abandon()
    assert lease_files(store) == [f"{KEY}.1.over", f"{KEY}.2"]
    commit(second)
    assert store.get(ADDRESS, "value") == LONG


@pytest.mark.parametrize("content", [b"", b"{", b"nonsense", b'{"lease":["a"]', b"\xff\xfe"])
def test_a_lease_without_an_owner_heals_after_its_grace(store, content):
    """Its writer was killed while it wrote; but it may also be writing just now."""
    store.begin(ADDRESS, dead_owner())
    lease_path(store, 1).write_bytes(content)
    with pytest.raises(LeaseHeld, match="just being taken"):
        store.begin(ADDRESS)
    set_age(lease_path(store, 1), 3)
    attempt = store.begin(ADDRESS)
    assert attempt.number == 2
    commit(attempt)
    assert lease_files(store) == []


def test_several_dead_owners_in_a_row_are_passed(store):
    """Each was killed after it had created its lease, before it ended that of the one before."""
    store.begin(ADDRESS, dead_owner())
    content = lease_path(store, 1).read_bytes()
    lease_path(store, 2).write_bytes(content)
    lease_path(store, 3).write_bytes(content)
    attempt = store.begin(ADDRESS)
    assert attempt.number == 4
    commit(attempt)
    assert lease_files(store) == []


def test_a_taker_killed_between_mark_and_unlink_has_fenced_all_the_same(store):
    """Whoever passes a mark takes the lease of its number away."""
    first = store.begin(ADDRESS)
    Path(f"{lease_path(store, 1)}.over").touch()
    attempt = store.begin(ADDRESS)
    assert attempt.number == 2
    with pytest.raises(LeaseLost):
        commit(first)
    commit(attempt)
    assert lease_files(store) == []


def test_the_files_of_a_dead_attempt_go_with_the_takeover(store):
    """Also those that were being written when it died: no record will ever name them."""
    first = store.begin(ADDRESS, dead_owner())
    first.save(LONG, "value")
    (first.run_dir / ".value.p.tmp").write_bytes(b"half")
    attempt = store.begin(ADDRESS)
    assert not first.run_dir.parent.joinpath("1", ".value.p.tmp").exists()
    commit(attempt)


def test_a_takeover_leaves_the_files_of_the_success_before(store):
    """A forced attempt that dies does not disturb what counts."""
    attempt = store.begin(ADDRESS)
    attempt.save(LONG, "value")
    commit(attempt)
    forced = store.begin(ADDRESS, dead_owner())
    forced.save(LONG[::2], "value")
    killed = store.begin(ADDRESS)
    assert killed.number == 3
    commit(killed, TaskState.KILLED)
    assert store.get(ADDRESS, "value") == LONG
    folder = Path(store.base_dir) / "Train" / KEY
    assert [each.name for each in folder.iterdir()] == ["1"]


def test_a_failed_takeover_gives_its_lease_back(store, monkeypatch):
    """A disk without a place for the mark does not block the key while this process lives."""
    store.begin(ADDRESS, dead_owner())

    def is_full(lease):
        raise StoreUnwritable("full")

    with monkeypatch.context() as patched:
        patched.setattr(module, "_end", is_full)
        with pytest.raises(StoreUnwritable):
            store.begin(ADDRESS)
    assert lease_files(store) == [f"{KEY}.1"]
    assert store.begin(ADDRESS).number == 2


def test_a_failed_commit_removes_its_files_before_it_gives_the_lease_up(store, monkeypatch):
    """The next owner may have the same number and folder."""
    attempt = store.begin(ADDRESS)
    attempt.save(LONG, "value")
    folder = attempt.run_dir
    seen = []

    def fail(lease, address):
        raise OSError(28, "full")

    real = store._leases.release
    monkeypatch.setattr(store._leases, "commit", fail)
    monkeypatch.setattr(
        store._leases, "release", lambda lease: (seen.append(folder.exists()), real(lease))
    )
    with pytest.raises(StoreUnwritable, match="the disk is full: free some space"):
        commit(attempt)
    assert seen == [False]
    assert lease_files(store) == []


def test_an_error_after_the_rename_keeps_the_files(store, monkeypatch):
    """The record is in force by then, whatever goes wrong afterwards."""
    attempt = store.begin(ADDRESS)
    attempt.save(LONG, "value")
    real = store._leases.commit

    def interrupted(lease, address):
        real(lease, address)
        raise KeyboardInterrupt

    monkeypatch.setattr(store._leases, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        commit(attempt)
    assert store.get(ADDRESS, "value") == LONG


def test_numbers_of_records_are_never_used_again(store):
    """Neither after a failure, a takeover, a removal nor damage to a record with files."""
    numbers = []

    def once(state):
        attempt = store.begin(ADDRESS)
        attempt.save(LONG, "value")
        numbers.append(attempt.number)
        commit(attempt, state)

    once(TaskState.FINISHED)
    once(TaskState.FAILED)
    store.begin(ADDRESS, dead_owner())
    once(TaskState.FINISHED)
    store.remove(ADDRESS)
    once(TaskState.FINISHED)
    store.remove(ADDRESS)
    store.begin(ADDRESS, dead_owner())
    once(TaskState.FINISHED)
    record = Path(store.base_dir) / "Train" / f"{KEY}.json"
    record.write_bytes(record.read_bytes()[:40])
    once(TaskState.FINISHED)
    assert numbers == sorted(set(numbers))


def test_a_fenced_owner_cannot_commit_after_a_removal(store):
    """An attempt from before the removal stays void."""
    first = store.begin(ADDRESS, owner_elsewhere())
    set_age(lease_path(store, 1), 100)
    commit(store.begin(ADDRESS))
    store.remove(ADDRESS)
    again = store.begin(ADDRESS)
    with pytest.raises(LeaseLost):
        commit(first)
    commit(again)
    assert store.record(ADDRESS).finished.number == again.number
