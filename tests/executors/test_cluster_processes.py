"""Which processes does a cluster end: all of its own, and none of others?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from flowlib import RunError, cluster
from flowlib.cluster_programs import end_program, wait_for_redis
from flowlib.cluster_state import KnownCluster, keep_cluster, known_cluster, usable_cluster
from flowlib.executors.rq import RQExecutor
from stores import Owner
from tests.executors.sessions import of_session, runs
from tests.services.redis import redis_server

pytestmark = pytest.mark.needs("redis-server")

NOWHERE = "redis://:secret@127.0.0.1:1"
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, b"ready\\n")
time.sleep(600)
"""
PARENT = """
import subprocess, sys
subprocess.Popen(["sleep", "600"])
input()
"""


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def leader():
    """A process that leads a session with one more in it, until it is told to go on."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, start_new_session=True
    )
    wait_until(lambda: len(of_session(process.pid)) == 2)
    yield process
    for pid in of_session(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate()


def wait_until(holds):
    until = time.monotonic() + 60.0
    while not holds():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


def keep(owner, url=NOWHERE):
    """Let that process be what is known of a cluster."""
    keep_cluster(KnownCluster(url, 2, time.time(), owner, owner))


class Interrupted(subprocess.Popen):
    """Somebody presses Ctrl-C while it is waited for."""

    def wait(self, timeout=None):
        if timeout is not None:
            raise KeyboardInterrupt
        return super().wait()


def test_a_program_is_killed_although_the_wait_is_interrupted():
    """With all of its group: nobody else would end them."""
    words = [sys.executable, "-c", STUBBORN]
    program = Interrupted(words, stdout=subprocess.PIPE, start_new_session=True)
    with program.stdout as said:
        assert [said.readline(), said.readline()] == [b"ready\n"] * 2
    with pytest.raises(KeyboardInterrupt):
        end_program(program)
    assert program.returncode == -signal.SIGKILL
    wait_until(lambda: of_session(program.pid) == [])


@pytest.mark.slow
def test_what_is_started_can_be_stopped_before_it_is_up(monkeypatch):
    """Also if the process that starts it is killed; what does not come up is forgotten and ended."""
    found = []

    def fail(*args):
        found.append(known_cluster())
        raise RunError("the workers do not come up")

    monkeypatch.setattr(cluster, "_wait_for_workers", fail)
    with pytest.raises(RunError, match="do not come up"):
        cluster.start_cluster(1)
    (known,) = found
    assert known_cluster() is None
    assert [runs(each.pid) for each in (known.redis, known.pool)] == [False, False]


def test_the_session_of_a_leader_that_nobody_has_buried_is_ended(leader):
    """In a container there may be nobody who asks for exit codes."""
    keep(Owner.of_process(leader.pid))
    leader.stdin.write(b"\n")
    leader.stdin.flush()
    wait_until(lambda: not runs(leader.pid))
    assert len(of_session(leader.pid)) == 1
    cluster.stop_cluster()
    assert of_session(leader.pid) == []


@pytest.mark.parametrize("boot_id", ["", "another", "{boot}:1"])
def test_processes_of_which_nobody_can_tell_are_spared(boot_id, leader):
    """Numbers of another host or container mean other processes here."""
    boot = Owner.of_this_process().boot_id.partition(":")[0]
    keep(replace(Owner.of_process(leader.pid), boot_id=boot_id.format(boot=boot)))
    cluster.stop_cluster()
    assert len(of_session(leader.pid)) == 2
    assert known_cluster() is None


def test_where_the_system_does_not_tell_redis_does(leader, monkeypatch):
    """Without the start of processes, only what answers with the password is asked to end."""
    monkeypatch.setattr(cluster, "LEAVE_S", 0.2)
    unsure = replace(Owner.of_process(leader.pid), started=0)
    assert unsure.is_alive() is None
    keep(unsure)
    cluster.stop_cluster()
    assert len(of_session(leader.pid)) == 2
    with redis_server() as server:
        keep(unsure, server.url.replace("secret", "other"))
        cluster.stop_cluster()
        assert len(of_session(leader.pid)) == 2
        keep(unsure, server.url)
        cluster.stop_cluster()
        wait_until(lambda: of_session(leader.pid) == [])


def test_a_redis_that_has_ended_is_told_whoever_answers_in_its_place():
    """Its port may be that of another by then."""
    with redis_server() as other:
        ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
        ended.wait()
        with pytest.raises(RunError, match="redis-server ended with exit code 3"):
            wait_for_redis(ended, other.url)


def test_a_cluster_that_has_died_is_not_looked_for(leader):
    """Whoever listens there now is not trusted."""
    with redis_server() as other:
        keep(replace(Owner.of_process(leader.pid), started=1), other.url)
        with pytest.raises(RunError, match="the cluster has died: `flowlib cluster start`"):
            usable_cluster()
        keep(Owner.of_process(leader.pid), other.url)
        assert usable_cluster() == known_cluster()
        assert RQExecutor().own_workers == 2


def test_the_password_is_not_printed():
    """Neither with what is known, nor with what is told of it."""
    owner = Owner.of_this_process()
    known = KnownCluster(NOWHERE, 1, 0.0, owner, owner)
    assert "secret" not in f"{known!r} {cluster.ClusterStatus(known, is_running=True)!r}"
