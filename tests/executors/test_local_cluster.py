"""One command for one machine: Redis and workers, for as long as a block runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowlib import Flow, LocalCluster, RunError, TaskSpec
from stores import LocalFileStore
from tests.executors import contract_tasks as tasks

pytestmark = pytest.mark.needs("redis-server")

DRIVER = """
import sys, time
from flowlib import LocalCluster
with LocalCluster(workers=2) as executor:
    print("ready", flush=True)
    time.sleep(60)
"""


def ours():
    """The command lines of processes of such clusters that run now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if "worker-pool" in words or words[0].startswith("redis-server"):
            found.append((int(folder.name), words))
    return found


@pytest.mark.slow
def test_a_flow_runs_and_nothing_is_left(tmp_path):
    """Results are right, tasks run elsewhere, the password stands in no command line."""
    before = {pid for pid, _ in ours()}
    spec = TaskSpec(tasks.square, {"n": list(range(20))}, expand="product")
    with LocalCluster(workers=2) as executor:
        secret = executor.url.partition(":")[2].partition("@")[0].lstrip("/:")
        until = time.monotonic() + 60.0
        while len(started := [words for pid, words in ours() if pid not in before]) < 2:
            assert time.monotonic() < until, f"only {started}"  # one becomes another program yet
            time.sleep(0.02)
        done = Flow([spec]).run(executor=executor, results_store=LocalFileStore(tmp_path))

    assert [each.results["square"] for each in done["square"]] == [n * n for n in range(20)]
    assert os.getpid() not in {each.results["pid"] for each in done["square"]}
    assert not [words for words in started if any(secret in word for word in words)]
    assert {pid for pid, _ in ours()} <= before


@pytest.mark.slow
def test_its_redis_is_on_loopback_and_wants_a_password():
    """Nobody else on this machine can put jobs into it, and nobody outside reaches it."""
    import redis

    with LocalCluster(workers=1) as executor:
        address = executor.url.rpartition("@")[2]
        host, _, port = address.partition(":")
        assert host == "127.0.0.1"
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(host=host, port=int(port)).ping()
        listening = [
            line.split()[1]
            for name in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{int(port):04X}")
        ]

    assert listening == [f"0100007F:{int(port):04X}"]


def test_it_ends_with_a_driver_that_is_killed(tmp_path):
    """kill -9: no Redis and no worker is left."""
    before = {pid for pid, _ in ours()}
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == b"ready\n"
    assert {pid for pid, _ in ours()} - before
    driver.send_signal(signal.SIGKILL)
    driver.communicate()

    until = time.monotonic() + 20.0
    while left := {pid for pid, _ in ours()} - before:
        assert time.monotonic() < until, f"still there: {left}"
        time.sleep(0.1)


def test_wrong_numbers_and_a_missing_server_are_told(monkeypatch):
    """Before anything is started."""
    with pytest.raises(ValueError, match="1 or more"):
        LocalCluster(workers=0)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RunError, match="redis-server"), LocalCluster():
        pass
