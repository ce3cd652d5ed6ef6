"""Is every key of a store in S3 computed once, however many processes want it, die and sleep?"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("boto3")  # not there in the core suite

from flowlib import Flow, TaskSpec
from stores import Address, LeaseHeld, LeaseLost, Owner, S3Store, TaskState, open_store
from stores.testing import dead_owner, done, far_owner, identity, put
from stores.testing.parts import A
from tests.services.s3 import S3Server

KEYS = [Address("Race", f"{number:032x}") for number in range(100)]


def in_child(work):
    """Run a function in a forked process that ends with what it returns; its number."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work() or 0
        finally:
            os._exit(code)
    return pid


def exit_code(pid):
    """How a process has ended."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def missing_in(store):
    """The addresses without a result."""
    statuses = store.statuses(KEYS)
    return [each for each in KEYS if each.key not in statuses]


def compute_all(store, marks):
    """Compute what nobody has computed, until nothing is missing; a mark for each."""
    chance = random.Random(os.getpid())
    while missing := missing_in(store):
        for address in chance.sample(missing, len(missing)):
            try:
                attempt = store.begin(address)
            except LeaseHeld:
                continue
            if attempt.previous is not None:
                attempt.abandon()
                continue
            with (marks / address.key).open("a") as mark:
                mark.write(f"{os.getpid()}\n")
            attempt.save(os.getpid(), "pid")
            attempt.commit(identity(address), done())
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 8])
def test_processes_that_race_compute_each_key_once(s3_url, tmp_path, count):
    """All see all results in the end, and of each key those of who computed it."""
    pids = [in_child(lambda: compute_all(S3Store(s3_url), tmp_path)) for _ in range(count)]
    assert [exit_code(pid) for pid in pids] == [0] * count
    marks = {each.name: each.read_text().split() for each in tmp_path.iterdir()}
    store = S3Store(s3_url)
    assert marks == {each.key: [str(store.get(each, "pid"))] for each in KEYS}
    assert {each.state for each in store.statuses(KEYS).values()} == {TaskState.FINISHED}
    assert store.keys_in_work() == []


@pytest.mark.slow
def test_a_paused_owner_that_wakes_up_cannot_commit(s3_url, tmp_path):
    """Its lease has expired by the clock of the server, and its successor's result stays."""

    def work():
        (tmp_path / "began").write_text(str(time.monotonic()))
        attempt = S3Store(s3_url, lease_s=1.0).begin(A, far_owner())
        attempt.save("late", "value")
        (tmp_path / "ready").touch()
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            attempt.commit(identity(A), done())
        except LeaseLost:
            return 3
        return 0

    pid = in_child(work)
    while not (tmp_path / "ready").exists():
        time.sleep(0.05)
    store = S3Store(s3_url, lease_s=1.0)
    while True:
        try:
            put(store, A, {"value": "right"})
            break
        except LeaseHeld as error:
            assert "a-host-elsewhere" in str(error)
            time.sleep(0.1)
    began = float((tmp_path / "began").read_text())
    assert time.monotonic() - began > 0.99, "not before the lease was over"
    os.kill(pid, signal.SIGCONT)
    assert exit_code(pid) == 3
    assert (store.get(A, "value"), store.statuses([A])[A.key].attempt) == ("right", 2)


@pytest.mark.slow
def test_renewed_leases_do_not_expire(s3_url):
    """The owner commits in spite of them; those of other hosts are not renewed."""
    store = S3Store(s3_url, lease_s=4.0)
    mine = store.begin(KEYS[0])
    store.begin(KEYS[1], far_owner())
    here = Owner.of_this_process()
    unknown = Owner(here.host, here.boot_id.partition(":")[0] + ":other", here.pid, here.started)
    theirs = store.begin(KEYS[2], unknown)
    limit = time.monotonic() + 7.0
    while time.monotonic() < limit:
        store.renew(KEYS[:3])
        time.sleep(0.3)
    assert store.keys_in_work() == [KEYS[0], KEYS[2]]
    store.begin(KEYS[1]).abandon()
    with pytest.raises(LeaseHeld):
        store.begin(KEYS[2])
    for attempt in (mine, theirs):
        attempt.commit(identity(attempt.address), done())
    assert len(store.statuses(KEYS[:3])) == 2


def test_a_late_renewal_takes_nothing_back(s3_url):
    """It was for the object as it was before the commit."""
    store, other = S3Store(s3_url), S3Store(s3_url)
    attempt = store.begin(A)
    get = other._bucket.get

    def late(name, first_bytes=None):
        found = get(name, first_bytes)
        attempt.commit(identity(A), done())
        return found

    other._bucket.get = late
    other.renew([A])
    assert store.statuses([A])[A.key].state is TaskState.FINISHED
    assert store.keys_in_work() == []


KILLED = """
import os, signal, sys, time
from stores import S3Store
from stores.testing.parts import A

class Kills:
    sent = 0
    def __init__(self, size):
        self.size = size
    def seek(self, offset, whence=0):
        self.sent = self.size if whence == 2 else offset
    def tell(self):
        return self.sent
    def read(self, size=-1):
        if self.sent >= self.size // 2:
            while not store._bucket.uploads("values/"):  # begun in another thread
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        self.sent += size
        return bytes(size)

store = S3Store(sys.argv[1])
attempt = store.begin(A)
attempt.lease.handle.has_pieces = True
name = f"{attempt.number}/{attempt.lease.handle.token}.1"
store.put_pieces(A.key, name, Kills(100_000_000), 100_000_000)
"""


def killed_in_upload(url):
    """Kill a process in the middle of an upload."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", KILLED, url], os.environ)
    assert exit_code(pid) == -signal.SIGKILL


@pytest.mark.slow
def test_who_is_killed_in_a_large_upload_leaves_nothing_that_counts(s3_url, monkeypatch):
    """The result before stays; `gc` drops what was sent, and so does the next attempt."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    store = S3Store(s3_url)
    put(store, A, {"value": "x" * 100_000})
    killed_in_upload(s3_url)
    assert len(store._bucket.uploads("values/")) == 1
    assert [each.address for each in store.leftovers()] == [A]
    assert store.get(A, "value") == "x" * 100_000
    store.gc().apply()
    assert (store._bucket.uploads("values/"), list(store.leftovers())) == ([], [])
    killed_in_upload(s3_url)
    put(store, A, {"value": "y" * 100_000})
    assert store._bucket.uploads("values/") == []
    assert len(store._bucket.listing("values/")) == 1
    assert store.get(A, "value") == "y" * 100_000


def test_takeovers_leave_no_values(s3_url):
    """After all that a key can go through, those of the record in force are there."""
    store = S3Store(s3_url)
    for number in range(3):
        attempt = store.begin(A, dead_owner())
        attempt.save("x" * 100_000, "big")
        if number % 2:
            put(store, A, {"big": "z" * 100_000, "more": "z" * 100_000})
    assert len(store._bucket.listing("values/")) == 3
    store.begin(A).abandon()
    assert len(store._bucket.listing("values/")) == 2
    assert store.remove(A)
    assert store._bucket.listing("values/") == []


@pytest.mark.slow
def test_a_run_with_workers(s3_url):
    """The workers write to the bucket themselves; a second run computes nothing."""

    def flow():
        return Flow([TaskSpec(square, {"x": list(range(6))}, expand="product")])

    run = flow().run(executor="processes", num_workers=2, results_store=open_store(s3_url))
    assert run.counts == {"finished": 6}
    assert [each["value"] for each in run["square"]] == [x * x for x in range(6)]
    again = flow().run(executor="processes", num_workers=2, results_store=open_store(s3_url))
    assert again.counts == {"cached": 6}


def square(x):
    return {"value": x * x, "large": "x" * 100_000}


@pytest.mark.slow
def test_a_server_that_was_killed_is_waited_for(monkeypatch, caplog):
    """Nothing that was reported as finished is lost, and what was begun goes on."""
    server = S3Server()
    try:
        server.start()
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        store = S3Store(server.new_url())
        put(store, A, {"value": "x" * 100_000})
        attempt = store.begin(KEYS[0])
        attempt.save("y" * 100_000, "value")
        server.kill()
        starting = threading.Thread(target=server.start)
        starting.start()
        try:
            attempt.commit(identity(KEYS[0]), done())
        finally:
            starting.join()
        assert "does not answer" in caplog.text
        assert store.get(A, "value") == "x" * 100_000
        assert store.get(KEYS[0], "value") == "y" * 100_000
    finally:
        server.close()
