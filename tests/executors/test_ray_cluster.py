"""Ray with several nodes: where tasks run, shares of GPUs, a store of one node, a node that goes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import combinations
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.needs("gcs_server", "raylet")]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the driver of `ray_cluster` saw: one for all processes that run these tests."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "ray-cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen = shared / "ray-cluster.json"
        if not seen.exists():
            seen.write_text(_seen_by_driver(tmp_path_factory.mktemp("cluster")))
        return json.loads(seen.read_text())


def _seen_by_driver(folder):
    """All its nodes listen on loopback."""
    root = Path(__file__).parents[2]
    loopback = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.executors.ray_cluster", str(folder)],
        cwd=root,
        env={**os.environ, **loopback, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = driver.communicate(timeout=250)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)  # what it might have left behind
    assert driver.returncode == 0, err[-4000:]
    return out.splitlines()[-1]


def test_nodes_listen_on_loopback_only(told):
    """Nobody else on the network can send tasks to them."""
    assert told["listening"] == []


def test_tasks_run_where_their_resources_are(told):
    """As `executor_options` of their specs say."""
    nodes = told["nodes"]
    assert len(set(nodes.values())) == 3
    assert told["places"] == {"Far": [nodes["far"]] * 3, "Disk": [nodes["head"]] * 3}


def test_two_tasks_share_a_gpu_and_a_third_waits(told):
    """Half a GPU each, on the one node that has one; they see its number."""
    assert {each["node"] for each in told["fractions"]} == {told["nodes"]["gpu"]}
    assert {each["gpus"] for each in told["fractions"]} == {"0"}
    spans = [each["span"] for each in told["fractions"]]
    for three in combinations(spans, 3):
        assert max(began for began, _ in three) >= min(ended for _, ended in three)


def test_a_store_of_one_node_is_used_there_and_tasks_run_elsewhere(told):
    """Only the actor on that node opens it; values, failures and cached results are right."""
    pinned = told["pinned"]
    assert pinned["stores"] == ["AskedStore"] * 2
    assert pinned["nodes"] == [told["nodes"]["far"]] * 2
    assert pinned["lengths"] == [100_000] * 2
    assert pinned["counts"] == [{"finished": 4, "failed": 2}, {"cached": 4, "failed": 2}]
    assert pinned["error"] == "nothing from 56 letters"
    assert pinned["openers"] == 2  # one actor for each run
    assert pinned["in_work"] == 0


def test_a_resource_that_no_node_has_is_told_before_anything_runs(told):
    """With the command that starts such a node."""
    assert "no node of Ray has 1 of 'tape'" in told["refused"]
    assert "ray start --resources" in told["refused"]


def test_a_task_of_a_removed_node_is_tried_again_on_another(told):
    """As a lost worker, where that was asked for."""
    removed, nodes = told["removed"], told["nodes"]
    assert removed["counts"] == {"finished": 1}
    assert {removed["first"], removed["last"]} == {nodes["far"], nodes["gpu"]}
