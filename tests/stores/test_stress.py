"""Is every key of a file store committed once, however many processes want it, die and sleep?"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from stores import Address, LeaseHeld, LeaseLost, LocalFileStore, Owner, TaskState
from stores.testing import done, identity

KEYS = 1_200
PROCESSES = 6
LEASE_S = 1.0
"""Far more than a process of a busy machine waits for its turn."""
ADDRESSES = [Address("Stress", f"{number:032x}") for number in range(KEYS)]

pytestmark = pytest.mark.slow


class Crowd:
    """Processes that compute what is missing, and a log of what they did."""

    def __init__(self, folder, *, is_far):
        self.store = LocalFileStore(folder / "runs", fsync=False, lease_s=LEASE_S)
        self.log = os.open(folder / "log", os.O_CREAT | os.O_APPEND | os.O_RDWR)
        self.is_far = is_far
        self.pids = {self.started(seed) for seed in range(PROCESSES)}

    def started(self, seed):
        """A new process."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self.work(random.Random(seed))
                code = 0
            finally:
                os._exit(code)
        return pid

    def work(self, chance):
        """Compute what nobody has computed, until nothing is missing."""
        store = LocalFileStore(self.store.base_dir, fsync=False, lease_s=LEASE_S)
        here = Owner.of_this_process()
        owner = Owner(f"host-of-{here.pid}", "boot", here.pid, 0) if self.is_far else here
        while missing := self.missing(store):
            for address in chance.sample(missing, len(missing)):
                self.compute(store, address, owner, chance)

    def missing(self, store):
        """The addresses without a result."""
        statuses = store.statuses(ADDRESSES)
        return [each for each in ADDRESSES if each.key not in statuses]

    def compute(self, store, address, owner, chance):
        """One attempt, if nobody else is at it."""
        try:
            attempt = store.begin(address, owner)
        except LeaseHeld:
            return
        if attempt.previous is not None:
            attempt.abandon()
            return
        self.note("ran", address, attempt.number)
        attempt.save(os.getpid(), "pid")
        if chance.random() < 0.1:
            attempt.save("x" * 10_000, "large")
        try:
            attempt.commit(identity(address, key=address.key), done())
        except LeaseLost:
            self.note("lost", address, attempt.number)
        else:
            self.note("committed", address, attempt.number)

    def note(self, word, address, number):
        """One line of the log, in one write."""
        os.write(self.log, f"{word} {address.key} {number} {os.getpid()}\n".encode())

    def noted(self):
        """The lines of the log by their first word, each as (key, number, pid)."""
        os.lseek(self.log, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self.log)) as file:
            lines = [line.split() for line in file]
        words = ("ran", "lost", "committed")
        return [[(k, int(n), int(p)) for w, k, n, p in lines if w == word] for word in words]

    def ended(self):
        """Forget the processes that have ended by themselves; none may have failed."""
        for pid in list(self.pids):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self.pids.discard(pid)
        return not self.pids


def assert_all_is_right(crowd, wasted):
    """Every key has one result, by one commit; not more was computed in vain than can be."""
    ran, lost, committed = crowd.noted()
    statuses = LocalFileStore(crowd.store.base_dir).statuses(ADDRESSES)
    assert {each.state for each in statuses.values()} == {TaskState.FINISHED}
    assert (len(statuses), max(Counter(key for key, _, _ in committed).values())) == (KEYS, 1)
    for key, number, pid in committed:
        record = crowd.store.record(Address("Stress", key))
        assert (record.latest.number, crowd.store.get(record.address, "pid")) == (number, pid)
    assert {(key, number) for key, number, _ in lost}.isdisjoint(
        (key, status.attempt) for key, status in statuses.items()
    )
    assert max(Counter((key, number) for key, number, _ in ran).values()) == 1
    assert KEYS <= len(ran) <= KEYS + wasted
    leases = Path(crowd.store.base_dir, ".leases", "Stress")
    left = list(leases.iterdir())
    assert len(left) <= wasted  # of those that were killed while they looked
    for lease in left:
        os.utime(lease, (0, 0))
    for address in ADDRESSES:
        crowd.store.begin(address).abandon()
    assert {each.suffix for each in leases.iterdir()} <= {".over"}


def test_processes_that_are_killed_lose_nothing_and_repeat_nothing(tmp_path):
    """1,200 keys, six processes, every 20 ms one of them is killed and replaced."""
    crowd = Crowd(tmp_path, is_far=False)
    chance, kills = random.Random(0), 0
    while not crowd.ended():
        time.sleep(0.02)
        if kills < 50:
            victim = chance.choice(sorted(crowd.pids))
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            crowd.pids.remove(victim)
            kills += 1
            crowd.pids.add(crowd.started(100 + kills))
    assert kills > 10
    assert_all_is_right(crowd, wasted=kills)


def test_processes_that_sleep_past_their_lease_commit_nothing(tmp_path):
    """Six processes that look as if they were on six hosts; now and then one is stopped."""
    crowd = Crowd(tmp_path, is_far=True)
    chance, stops = random.Random(1), 0
    while not crowd.ended():
        time.sleep(0.01)
        if crowd.pids and stops < 8:
            victim = chance.choice(sorted(crowd.pids))
            os.kill(victim, signal.SIGSTOP)
            time.sleep(LEASE_S + 0.3)
            os.kill(victim, signal.SIGCONT)
            stops += 1
    assert stops > 0  # a fast machine is soon done
    assert_all_is_right(crowd, wasted=stops)
