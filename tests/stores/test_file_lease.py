"""Who may compute a key of a file store, whoever else died, slept or came late?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stores import Address, LeaseHeld, LeaseLost, LocalFileStore, Owner, TaskState
from stores.file_lease import FileLeases
from stores.testing import dead_owner, done, far_owner, identity, put

A = Address("Train", "a" * 32)


ENDLESS = ('{"lease":["here","boot",Infinity,1]}', '{"lease":["here","boot",1,1e999]}')
"""Numbers that JSON has and integers have not."""


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return LocalFileStore(tmp_path / "runs", fsync=False)


def leases(store, suffix=""):
    """The names of the lease files, sorted."""
    folder = Path(store.base_dir, ".leases", "Train")
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(suffix))


def lease_path(store, number):
    """The file of a lease."""
    return Path(store.base_dir, ".leases", "Train", f"{A.key}.{number}")


def record_path(store):
    """The file of the record."""
    return Path(store.base_dir, "Train", f"{A.key}.json")


def expire(store, number):
    """Nobody has renewed the lease for an hour."""
    then = time.time() - 3600
    os.utime(lease_path(store, number), (then, then))


def test_a_lease_is_a_file_that_names_its_owner(store):
    """Created with the attempt, gone with the commit, which leaves nothing else behind."""
    attempt = store.begin(A)
    assert leases(store) == [f"{A.key}.1"]
    text = lease_path(store, 1).read_text() + "}"
    assert json.loads(text) == {"lease": Owner.of_this_process().to_list()}
    attempt.commit(identity(A), done())
    assert leases(store) == []
    assert json.loads(record_path(store).read_text())["key"] == A.key


def test_takeover_leaves_no_file_behind(store):
    """Marks of the dead are removed with the commit that comes after them."""
    for _ in range(3):
        store.begin(A, dead_owner())
    assert leases(store) == [f"{A.key}.1.over", f"{A.key}.2.over", f"{A.key}.3"]
    assert put(store, A).latest.number == 4
    assert leases(store) == []


@pytest.mark.parametrize("change", [{"pid": 2**22 + 1}, {"started": 1}, {"boot_id": "other"}])
def test_an_owner_of_this_host_that_is_gone_is_dead(store, change):
    """No such process, another process of that number, another start of the machine."""
    owner = replace(Owner.of_this_process(), **change)
    assert owner.is_alive() is False
    store.begin(A, owner)
    assert store.begin(A).number == 2


def test_a_zombie_is_dead(store):
    """A killed process whose parent has not asked for its exit code computes nothing."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19])
    owner = replace(Owner.of_this_process(), pid=child.pid, started=started)
    store.begin(A, owner)
    with pytest.raises(LeaseHeld):
        store.begin(A)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert store.begin(A).number == 2
    child.communicate()


def test_a_live_process_of_this_host_is_never_taken_over(store):
    """Not even when nobody has renewed its lease for an hour: it can be seen to live."""
    attempt = store.begin(A)
    expire(store, 1)
    with pytest.raises(LeaseHeld, match=str(os.getpid())):
        store.begin(A)
    attempt.commit(identity(A), done())


def test_a_silent_owner_far_away_is_taken_over_when_its_lease_expires(store):
    """It learns that when it commits, and nothing of it counts."""
    late = store.begin(A, far_owner())
    expire(store, 1)
    second = store.begin(A)
    with pytest.raises(LeaseLost, match="Train/aaaaaaaa: attempt 1"):
        late.commit(identity(A, who="late"), done())
    second.commit(identity(A, who="second"), done())
    assert store.record(A).identity == identity(A, who="second")


def test_a_renewed_lease_does_not_expire(store):
    """The driver renews for its workers, by address."""
    store.begin(A, far_owner())
    expire(store, 1)
    store.renew([A])
    with pytest.raises(LeaseHeld):
        store.begin(A)


def test_only_the_lease_in_force_is_renewed(store):
    """After takeovers too; unknown keys and finished ones are no error."""
    store.begin(A, dead_owner())
    store.begin(A, far_owner())
    expire(store, 2)
    store.renew([A, Address("Nobody", "b" * 32)])
    assert time.time() - lease_path(store, 2).stat().st_mtime < 60


def test_lease_s_is_an_option(tmp_path):
    """Seconds after which a silent owner is taken over."""
    store = LocalFileStore(tmp_path / "runs", lease_s=7200)
    store.begin(A, far_owner())
    expire(store, 1)
    with pytest.raises(LeaseHeld):
        store.begin(A)
    LocalFileStore(tmp_path / "runs", lease_s=60).begin(A)


@pytest.mark.parametrize(("lease_s", "beat_s"), [(60.0, 10.0), (3600.0, 10.0), (6.0, 1.0)])
def test_leases_are_renewed_several_times_before_they_expire(tmp_path, lease_s, beat_s):
    """The driver and the heartbeat ask the store how often."""
    assert LocalFileStore(tmp_path, lease_s=lease_s).beat_s == beat_s


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"lease":', '{"lease":["x"]}', *ENDLESS, "\x00" * 100]
)
def test_a_lease_that_cannot_be_read_blocks_nobody_for_long(store, text):
    """Its writer may be writing it right now; after some seconds it was killed."""
    store.begin(A)
    lease_path(store, 1).write_text(text)
    with pytest.raises(LeaseHeld):
        store.begin(A)
    expire(store, 1)
    assert put(store, A).latest.number == 2


def test_the_death_of_a_taker_between_its_steps_harms_nobody(store):
    """It has made its own lease and its mark, but has not unlinked the lease before."""
    sleeper = store.begin(A, far_owner())
    expire(store, 1)
    taker = store.begin(A, dead_owner())
    lease_path(store, 1).hardlink_to(lease_path(store, 2))  # as if it had not been unlinked
    third = store.begin(A)
    assert third.number == 3
    for late in (sleeper, taker):
        with pytest.raises(LeaseLost):
            late.commit(identity(A), done())
    third.commit(identity(A), done())


def test_a_name_that_belongs_to_another_by_now_is_not_renamed(store):
    """A fenced owner wakes up while somebody holds a lease of the same name."""
    sleeper = store.begin(A, far_owner())
    lease_path(store, 1).unlink()
    second = store.begin(A)
    assert second.number == 1
    with pytest.raises(LeaseLost):
        sleeper.commit(identity(A), done())
    sleeper.abandon()
    second.commit(identity(A), done())
    assert store.record(A).latest.number == 1


def test_a_late_owner_loses_its_files_too(store):
    """What it saved is removed, and what the winner saved is not."""
    late = store.begin(A, far_owner())
    late.save("x" * 50_000, "value")
    expire(store, 1)
    second = store.begin(A)
    second.save("y" * 50_000, "value")
    second.commit(identity(A), done())
    with pytest.raises(LeaseLost):
        late.commit(identity(A), done())
    assert [each.name for each in record_path(store).with_suffix("").iterdir()] == ["2"]
    assert store.get(A, "value") == "y" * 50_000


def test_numbers_go_on_after_a_damaged_record(store):
    """A record that cannot be read does not tell its number; the folders do."""
    for _ in range(3):
        attempt = store.begin(A)
        attempt.save("x" * 50_000, "value")
        attempt.commit(identity(A), done())
    (record_path(store).with_suffix("") / "²").mkdir()  # a digit, but no number
    record_path(store).write_text("{")
    assert store.record(A) is None
    assert store.begin(A).number == 4


def test_a_forked_child_is_another_owner(store):
    """It finds the lease of its parent held, and takes its own under its own number."""
    attempt = store.begin(A)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            store.begin(A)
        except LeaseHeld:
            b = Address("Train", "b" * 32)
            code = 0 if put(store, b).latest.owner.pid == os.getpid() else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    attempt.commit(identity(A), done())


def paused_before_creating(monkeypatch, meanwhile):
    """The next process that wants a lease looks, and before it makes one something happens."""
    original, is_first = FileLeases._create_next, [True]

    def create_next(self, *arguments, **options):
        if is_first.pop() if is_first else False:
            meanwhile()
        return original(self, *arguments, **options)

    monkeypatch.setattr(FileLeases, "_create_next", create_next)


def test_who_was_overtaken_by_a_commit_looks_again(store, monkeypatch):
    """Its lease has a number that is used up by now; it gets the next one, and the record."""
    other = LocalFileStore(store.base_dir, fsync=False)
    paused_before_creating(monkeypatch, lambda: put(other, A))
    attempt = store.begin(A)
    assert (attempt.number, attempt.previous.latest.number) == (2, 1)
    assert leases(store) == [f"{A.key}.2"]


def test_who_was_overtaken_by_a_taker_looks_again(store, monkeypatch):
    """The lease it has seen is void and gone, so that it could make one of the same number."""
    store.begin(A, dead_owner())
    other = LocalFileStore(store.base_dir, fsync=False)
    taken = []
    paused_before_creating(monkeypatch, lambda: taken.append(other.begin(A)))
    with pytest.raises(LeaseHeld):
        store.begin(A)
    taken[0].commit(identity(A), done())
    assert (leases(store), store.record(A).latest.number) == ([], 2)


def test_a_commit_that_removes_the_marks_between_two_looks_is_seen(store, monkeypatch):
    """The mark of a number is looked at before the record that makes it needless."""
    store.begin(A, dead_owner())
    taker = LocalFileStore(store.base_dir, fsync=False).begin(A)
    look, looks = FileLeases._look, []

    def looked(self, *arguments):
        found = look(self, *arguments)
        looks.append(found)
        if len(looks) == 2:  # the lease of number 1 is made: nobody has it, but it was used up
            taker.commit(identity(A), done())
        return found

    monkeypatch.setattr(FileLeases, "_look", looked)
    attempt = store.begin(A)
    assert (attempt.number, attempt.previous.latest.number) == (3, 2)


def test_who_was_overtaken_by_a_removal_looks_again(store, monkeypatch):
    """A record came and went: its number stays used up."""
    other = LocalFileStore(store.base_dir, fsync=False)
    paused_before_creating(monkeypatch, lambda: (put(other, A), other.remove(A)))
    attempt = store.begin(A)
    assert (attempt.number, attempt.previous) == (3, None)


@pytest.mark.parametrize(
    ("fsync", "attempts", "expected"),
    [
        (False, 1, ["rename"]),
        (True, 1, ["rename", "fsync"]),
        (True, 2, ["fsync", "rename", "fsync"]),
    ],
)
def test_a_record_that_replaces_another_is_on_the_disk_before(
    tmp_path, monkeypatch, fsync, attempts, expected
):
    """A first one need not be: half of it counts as none, and nobody was told of it yet."""
    store = LocalFileStore(tmp_path, fsync=fsync)
    calls = []
    for name in ("fsync", "rename"):
        original = getattr(os, name)

        def noted(*arguments, name=name, original=original):
            calls.append(name)
            return original(*arguments)

        monkeypatch.setattr(os, name, noted)
    for _ in range(attempts):
        calls.clear()
        put(store, A)
    assert calls == expected


def test_an_interrupted_commit_leaves_the_key_free(store, monkeypatch):
    """Ctrl-C in the middle: in the same process the key can be computed again."""
    attempt = store.begin(A)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("stores.backends.file.os.write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        attempt.commit(identity(A), done())
    monkeypatch.undo()
    assert put(store, A).state is TaskState.FINISHED


STOPPED = """
import os, signal, sys
from stores import Address, LeaseLost, LocalFileStore, Owner
from stores.testing import done, far_owner, identity
store = LocalFileStore(sys.argv[1], lease_s=1.0)
attempt = store.begin(Address("Train", "a" * 32), far_owner())
attempt.save("slept " * 10_000, "value")
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
try:
    attempt.commit(identity(attempt.address), done())
except LeaseLost as error:
    print("lost", error, flush=True)
else:
    print("committed", flush=True)
"""


def test_a_process_that_was_stopped_and_wakes_up_cannot_commit(store):
    """As seen from another host: it was silent, was taken over, and goes on."""
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, store.base_dir], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        os.waitpid(child.pid, os.WUNTRACED)
        expire(store, 1)
        put(store, A, {"value": "right"})
        child.send_signal(signal.SIGCONT)
        assert child.communicate()[0].startswith("lost Train/aaaaaaaa: attempt 1")
    assert store.get(A, "value") == "right"


def test_a_lease_is_none_of_the_streams(store):
    """Where stdin is closed, its number is free; whoever opens it again would close the lease."""
    stdin = os.dup(0)
    try:
        os.close(0)
        attempt = store.begin(A)
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)
    assert attempt.lease.handle.descriptor > 2
    attempt.commit(identity(A), done())
    assert store.record(A).latest.number == 1
