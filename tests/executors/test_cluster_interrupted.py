"""What is left of a cluster whose start is ended in the middle? Nothing, or what `stop` finds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowlib import cluster
from flowlib.cluster_state import known_cluster
from tests.services.redis import ROOT

pytestmark = [pytest.mark.needs("redis-server"), pytest.mark.slow]

PATIENCE_S = 120.0

START = """
import signal, sys, time
from flowlib import cluster
from flowlib.cli.main import main

point = sys.argv[1]

def halted(place, name):
    usual = getattr(place, name)
    def halt(*args, **options):
        if name not in point:
            return usual(*args, **options)
        if point.startswith("after"):
            usual(*args, **options)
        print("here", flush=True)
        time.sleep(600)
    setattr(place, name, halt)

for name in ("held_pool", "keep_cluster", "wait_for_redis", "_wait_for_workers"):
    halted(cluster, name)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
sys.argv = ["flowlib", "cluster", "start", "--workers", "1"]
sys.exit(main())
"""
POINTS = [
    "before held_pool",
    "after held_pool",
    "after keep_cluster",
    "before wait_for_redis",
    "after wait_for_redis",
    "before _wait_for_workers",
]
"""Where the start is halted: what it calls, one after the other."""

LOCAL = """
import sys, time
from flowlib import LocalCluster
from flowlib.cluster_programs import HeldProgram

usual = HeldProgram.begin
calls = []

def begin(self):
    calls.append(self)
    if len(calls) == int(sys.argv[1]):
        print("here", flush=True)
        time.sleep(600)
    usual(self)

HeldProgram.begin = begin
with LocalCluster(workers=1):
    print("here", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where what is known of clusters is kept; all processes have it in their environment."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield tmp_path
    for pid in processes_of(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def processes_of(home):
    """Those that have this place in their environment, but for the present one."""
    mark = f"XDG_STATE_HOME={home}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            known = (entry / "environ").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if mark in known and state not in "ZX" and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def halted(script, *words):
    """A process that has come to the point."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"here\n"
    return process


def end(process, number):
    process.send_signal(number)
    with process.stdout:
        return process.wait(PATIENCE_S)


def nothing_is_left(home):
    until = time.monotonic() + PATIENCE_S
    while left := processes_of(home):
        assert time.monotonic() < until, [Path(f"/proc/{pid}/cmdline").read_text() for pid in left]
        time.sleep(0.05)


@pytest.mark.parametrize("point", POINTS)
def test_what_a_killed_start_leaves_is_found_and_ended(point, home):
    """`stop` finds all that goes on; what was not written down has never begun."""
    assert end(halted(START, point), signal.SIGKILL) == -signal.SIGKILL
    cluster.stop_cluster()

    nothing_is_left(home)
    assert known_cluster() is None


def test_the_next_start_ends_what_a_killed_one_has_left(home):
    """One Redis and one pool are there then, the new ones."""
    end(halted(START, "after wait_for_redis"), signal.SIGKILL)
    old = known_cluster()
    until = time.monotonic() + PATIENCE_S
    while old.pool.is_alive() is not False:  # the workers that never had leave to begin
        assert time.monotonic() < until, "the workers wait for ever"
        time.sleep(0.05)
    new = cluster.start_cluster(1)
    try:
        assert old.redis.is_alive() is False
        assert new.is_running
    finally:
        cluster.stop_cluster()
    nothing_is_left(home)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("point", ["before held_pool", "after wait_for_redis"])
def test_a_start_that_is_told_to_end_leaves_nothing(point, number, code, home):
    """Nobody needs to call `stop`."""
    assert end(halted(START, point), number) == code

    nothing_is_left(home)
    assert known_cluster() is None


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_block_whose_process_is_killed_while_it_begins_leaves_nothing(call, home):
    """Before Redis, before the workers, and inside."""
    end(halted(LOCAL, str(call)), signal.SIGKILL)

    nothing_is_left(home)
