"""What was started for a run does not outlive a start that fails, or an end that does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.needs("gcs_server", "raylet")]


def tried(engine, case, folder):
    """What a driver of its own tells; see `failed_starts`."""
    command = [sys.executable, "-m", "tests.executors.failed_starts", engine, case, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("engine", ["dask", "ray"])
@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("store", "RunError: the store cannot be sent to a worker process: holds an open"),
        ("timeout", "cannot end a running task, but a spec has a timeout"),
    ],
)
def test_a_cluster_is_closed_when_its_workers_cannot_be_had(engine, case, says, tmp_path):
    """The run has nobody else who would do it; both is known only when there is a cluster."""
    seen = tried(engine, case, tmp_path)
    assert says in seen["error"]
    assert seen["left"] == []
    assert not seen.get("is_connected", False)


def test_a_ray_that_has_gone_is_left_all_the_same(tmp_path):
    """It cancels nothing any more; what else runs of it ends with the run."""
    seen = tried("ray", "gone", tmp_path)
    assert seen["running"], "there was something to leave"
    assert seen["error"] == "ConnectionError: gone"
    assert (seen["left"], seen["is_connected"]) == ([], False)
