"""Does a long task in this process show that it is alive?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stores import Heartbeat, InMemoryStore, LocalFileStore
from stores import heartbeat as module
from stores.lease import BEAT_S
from tests.stores.leases import ADDRESS, commit, lease_path, set_age

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 30.0


def wait_until(holds: Callable[[], object]) -> None:
    """Return when `holds`; fail when it takes too long."""
    limit = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < limit, "it never happened"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """The live children of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(folder.name))
    return found


@pytest.fixture
def soon(monkeypatch):
    """The helper is started at once."""
    monkeypatch.setattr(module, "_ARMED_AFTER_S", 0.02)


def test_the_lease_of_a_running_task_is_renewed(tmp_path, soon):
    """However long it holds the interpreter, its lease stays young; the helper ends with it."""
    store = LocalFileStore(tmp_path, fsync=False)
    attempt = store.begin(ADDRESS)
    lease = lease_path(store, 1)
    before = lease.stat().st_mtime - 1000
    set_age(lease, 1000)
    heartbeat = Heartbeat(store, beat_s=0.05)
    others = set(children(os.getpid()))
    with heartbeat.of(ADDRESS):
        wait_until(lambda: lease.stat().st_mtime > before + 900)
        set_age(lease, 1000)
        wait_until(lambda: lease.stat().st_mtime > before + 900)
        assert len(set(children(os.getpid())) - others) == 1
    heartbeat.close()
    heartbeat.close()
    assert set(children(os.getpid())) <= others
    commit(attempt)


def test_every_task_gets_its_helper(tmp_path, soon):
    """The one of the task before does not renew the lease of the next."""
    store = LocalFileStore(tmp_path, fsync=False)
    heartbeat = Heartbeat(store, beat_s=0.05)
    for number in (1, 2, 3):
        attempt = store.begin(ADDRESS)
        lease = lease_path(store, number)
        set_age(lease, 1000)
        old = lease.stat().st_mtime
        with heartbeat.of(ADDRESS):
            wait_until(lambda: lease.stat().st_mtime > old + 900)  # noqa: B023
        commit(attempt)
    heartbeat.close()


def test_a_helper_that_is_late_leaves_the_next_task_alone(tmp_path, monkeypatch):
    """A task that ends while its helper is being started must not leave it to another one."""
    store = LocalFileStore(tmp_path, fsync=False)
    heartbeat = Heartbeat(store)
    store.begin(ADDRESS)
    other = type(ADDRESS)("Train", "cd" * 16)
    heartbeat._current = (other, time.monotonic())
    heartbeat._start_helper(ADDRESS)
    assert heartbeat._helper is None
    heartbeat.close()


def test_a_store_without_leases_needs_no_heartbeat(soon):
    """Nothing is started for a memory store."""
    heartbeat = Heartbeat(InMemoryStore())
    with heartbeat.of(ADDRESS):
        assert heartbeat._watcher is None
    heartbeat.close()


SCRIPT = """
import sys, time
from stores import Address, Heartbeat, LocalFileStore, heartbeat
heartbeat._ARMED_AFTER_S = 0.02
with Heartbeat(LocalFileStore(sys.argv[1])).of(Address("Train", "ab")):
    print("up", flush=True)
    time.sleep(60)
"""


def start(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A process with a helper, and the helper's number."""
    (folder / ".leases" / "Train").mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "up\n"
    wait_until(lambda: children(process.pid))
    return process, children(process.pid)[0]


def test_the_helper_leaves_when_its_process_is_killed(tmp_path):
    """It is gone within seconds, not at its next beat."""
    process, helper = start(tmp_path)
    began = time.monotonic()
    process.kill()
    process.communicate()
    wait_until(lambda: not is_running(helper))
    assert time.monotonic() - began < BEAT_S


def test_ctrl_c_does_not_reach_the_helper(tmp_path):
    """The terminal sends it to all; a task may go on, and then its lease must be renewed."""
    process, helper = start(tmp_path)
    wait_until(lambda: ignores_interrupts(helper))
    os.kill(helper, signal.SIGINT)
    time.sleep(0.1)
    assert is_running(helper)
    process.kill()
    _, err = process.communicate()
    assert "Traceback" not in err
    wait_until(lambda: not is_running(helper))


def ignores_interrupts(pid: int) -> bool:
    """Whether a process has come as far as to ignore Ctrl-C."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            return bool(int(line.split()[1], 16) & (1 << (signal.SIGINT - 1)))
    return False


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
