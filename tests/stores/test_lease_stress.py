"""Is a contended key computed and committed once, while processes are killed and replaced?"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from stores import Address, LocalFileStore, TaskState
from tests.stores.leases import lease_files

ROOT = Path(__file__).resolve().parents[2]
KEYS, PROCESSES, KILLS = 1200, 6, 20
ADDRESSES = [Address("Train", f"{number:032x}") for number in range(KEYS)]

WORKER = """
import os, random, sys
from stores import LeaseHeld, LeaseLost, LocalFileStore
from tests.stores.leases import commit
from tests.stores.test_lease_stress import ADDRESSES

store = LocalFileStore(sys.argv[1], fsync=False)
log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
rng = random.Random(int(sys.argv[3]))
left = list(ADDRESSES)
while left:
    rng.shuffle(left) if rng.random() < 0.02 else None
    address = left.pop()
    try:
        attempt = store.begin(address)
    except LeaseHeld:
        left.insert(0, address)
        continue
    if attempt.previous is not None and attempt.previous.finished is not None:
        attempt.abandon()
        continue
    os.write(log, f"begin {address.key} {attempt.number}\\n".encode())
    attempt.save(b"x" * 9000 if rng.random() < 0.1 else attempt.number, "value")
    commit(attempt)
    os.write(log, f"end {address.key} {attempt.number}\\n".encode())
"""


def start(base: Path, log: Path, seed: int) -> subprocess.Popen[bytes]:
    """A process that computes whatever is missing."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(base), str(log), str(seed)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_contended_keys_are_computed_and_committed_once(tmp_path, seed):
    """Six processes want the same keys in nearly the same order; twenty are killed on the way."""
    rng, base, log = random.Random(seed), tmp_path / "store", tmp_path / "log"
    workers = [start(base, log, 100 * seed + number) for number in range(PROCESSES)]
    killed = 0
    while any(each.poll() is None for each in workers):
        time.sleep(rng.random() * 0.2)
        at = rng.randrange(PROCESSES)
        if killed < KILLS and log.exists() and workers[at].poll() is None:
            workers[at].kill()
            workers[at].wait()
            killed += 1
            workers[at] = start(base, log, 100 * seed + PROCESSES + killed)
    assert [each.returncode for each in workers if each.returncode != -signal.SIGKILL] != []
    assert {each.returncode for each in workers} == {0}

    lines = [line.split() for line in log.read_text().splitlines()]
    ends = Counter(key for what, key, _ in lines if what == "end")
    begun = Counter((key, number) for what, key, number in lines if what == "begin")
    assert max(ends.values()) == 1, "a key was committed twice"
    assert max(begun.values()) == 1, "a number was used twice"
    over: set[str] = set()
    for what, key, _ in lines:
        assert what != "begin" or key not in over, "a finished key was computed again"
        if what == "end":
            over.add(key)
    assert sum(begun.values()) <= KEYS + killed

    store = LocalFileStore(base)
    for address in ADDRESSES:
        record = store.record(address)
        assert record.state is TaskState.FINISHED
        value = store.get(address, "value")
        assert value in (record.finished.number, b"x" * 9000)
    assert [each for each in lease_files(store) if not each.endswith(".over")] == []
