"""Do drivers on several hosts share one sweep through the store, and outlive each other?"""

from __future__ import annotations

import random
from contextlib import ExitStack

import pytest

from stores import open_store
from tests.faults.drivers import (
    SCRIPT,
    chain,
    check_results,
    driver,
    executions,
    finished,
    kill,
    wait_until,
)

COUNT = 120
PAUSE_S = 0.05
LIMIT_S = 240.0
HOSTS = ("north", "south", "west")
LONG_LEASE_S = 120
"""Where nobody dies, no lease ends, however slow the machine is."""

LEASE_S = 20
"""Where a host dies, its leases end soon enough to be waited for."""

ELSEWHERE = '''
import os, socket, time
from pathlib import Path

from tests.faults import tasks

HOST = Path(__file__).resolve().parent.name  # in the workers, too, which import this script
known = os.uname()
os.uname = lambda: os.uname_result((known[0], HOST, *known[2:]))
socket.gethostname = lambda: HOST

MEETING = Path(__file__).resolve().parents[1] / "meeting"
begin = tasks.note

def note(log, text):
    """The first tasks of all hosts wait for each other, so that each host has its share."""
    begin(log, text)
    (MEETING / HOST).touch()
    until = time.monotonic() + 120.0
    while len(list(MEETING.iterdir())) < 3 and time.monotonic() < until:
        time.sleep(0.02)

tasks.note = note
'''

pytestmark = pytest.mark.slow


@pytest.fixture(params=["file", "mongodb"])
def uri(request, uri_of):
    return uri_of(request.param)


@pytest.fixture
def hosts(tmp_path, uri, monkeypatch):
    """Starts drivers of the same flow, each on what it takes for a host of its own."""
    (tmp_path / "meeting").mkdir()
    with ExitStack() as stack:

        def start(*names, lease_s):
            monkeypatch.setenv("FLOWLIB_LEASE_SECS", str(lease_s))
            for name in names:
                folder = tmp_path / name
                folder.mkdir()
                arguments = (uri, tmp_path / "log", COUNT, 2, PAUSE_S)
                script = ELSEWHERE + SCRIPT
                yield stack.enter_context(driver(folder, *arguments, script=script))

        yield start


def check_all(uri, log):
    """Every value is right, nothing is left over, and one more run computes nothing."""
    store = open_store(uri)
    run = chain(COUNT, log).run(results_store=store)
    check_results(run, COUNT)
    assert run.counts == {"cached": COUNT}
    assert list(store.leftovers()) == []
    assert store.keys_in_work() == []
    owners = {record.finished.owner.host for record in store.records() if record.finished.owner}
    store.close()
    return owners


def test_the_same_command_on_three_hosts_shares_one_sweep(hosts, uri, tmp_path):
    """Every task is computed exactly once, and each host has had its share."""
    endings = [each.end(LIMIT_S) for each in list(hosts(*HOSTS, lease_s=LONG_LEASE_S))]

    assert [code for code, _ in endings] == [0, 0, 0], endings
    half, begun = COUNT // 2, executions(tmp_path / "log")
    assert sorted(begun) == sorted(f"{name} {x}" for name in ("Make", "Use") for x in range(half))
    assert check_all(uri, tmp_path / "log") == set(HOSTS)


def test_a_host_that_dies_is_taken_over_when_its_leases_end(hosts, uri, tmp_path):
    """kill -9 of one driver and its workers in the middle: only what it was running runs again."""
    log, rng = tmp_path / "log", random.Random()
    dead, *others = list(hosts(*HOSTS, lease_s=LEASE_S))
    at = rng.randrange(COUNT // 6, COUNT // 2)
    wait_until(lambda: len(executions(log)) >= at, LIMIT_S)
    for pid in (dead.process.pid, *dead.others()):  # as when the power of a host goes
        kill(pid)
    done, before = finished(open_store(uri)), len(executions(log))
    endings = [each.end(LIMIT_S) for each in others]

    assert [code for code, _ in endings] == [0, 0], endings
    begun = executions(log)
    assert set(begun) == {f"{name} {x}" for name in ("Make", "Use") for x in range(COUNT // 2)}
    assert not done & set(begun[before:]), "what was finished is not computed again"
    assert len(begun) - len(set(begun)) <= 2, f"only what was running at the kill runs again: {at}"
    assert {"south", "west"} <= check_all(uri, log)
