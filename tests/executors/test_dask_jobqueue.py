"""Dask whose workers are jobs of a real SLURM, which dask-jobqueue asks for."""

from __future__ import annotations

import os
import shlex
import signal

import pytest

from flowlib import DaskExecutor, Flow, TaskSpec
from stores import LocalFileStore
from tests.executors import slurm_tasks
from tests.services.slurm import ROOT, ask, shared_cluster, until

pytestmark = [
    pytest.mark.needs("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel"),
    pytest.mark.slow,
]

PATIENCE_S = 180.0
NAME = "flowlib-by-dask"
TASKS = 20


@pytest.fixture
def cluster(tmp_path):
    """A scheduler of Dask here, whose workers are to be jobs with one processor."""
    shared_cluster()
    SLURMCluster = imported_cluster()
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    path = f"export PYTHONPATH={shlex.quote(str(ROOT))}"
    with SLURMCluster(
        queue="low",
        cores=1,
        processes=1,
        memory="500MB",
        walltime="00:10:00",
        job_name=NAME,
        job_script_prologue=[path],
        worker_extra_args=here,
        log_directory=str(tmp_path / "logs"),
        local_directory=str(tmp_path / "scratch"),
        shared_temp_directory=str(tmp_path),
        scheduler_options={"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"},
    ) as made:
        yield made


def imported_cluster():
    """The class; its module takes Ctrl-C for itself when it is imported, which is undone here."""
    before = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue import SLURMCluster  # noqa: PLC0415
    finally:
        signal.signal(signal.SIGINT, before)
    return SLURMCluster


def jobs():
    """The ids of the jobs of Dask that SLURM has not ended."""
    return set(ask("squeue", "-h", "--name", NAME, "-o", "%A").split())


def test_tasks_run_in_the_jobs_that_dask_has_asked_for(cluster, tmp_path):
    """Two jobs take all tasks; nothing of theirs is left when the cluster is closed."""
    cluster.scale(jobs=2)
    cluster.wait_for_workers(2, timeout=PATIENCE_S)
    seen = jobs()
    gate = tmp_path / "gate"
    gate.mkdir()
    spec = TaskSpec(
        slurm_tasks.meets, {"n": list(range(TASKS)), "gate": str(gate)}, expand="product"
    )
    store = LocalFileStore(tmp_path / "store", fsync=False)
    done = Flow([spec]).run(executor=DaskExecutor(cluster), results_store=store, progress=None)

    assert done.counts == {"finished": TASKS}
    results = [each.results for each in done["meets"]]
    assert [each["square"] for each in results] == [n * n for n in range(TASKS)]
    assert {each["job"] for each in results} == seen
    assert len(seen) == 2
    assert os.getpid() not in {each["pid"] for each in results}
    cluster.close()
    until(lambda: not jobs(), PATIENCE_S, "jobs are left")
    until(lambda: not any(map(is_running, results)), PATIENCE_S, "workers are left")


def is_running(result):
    """Whether the process that has computed a result is there."""
    try:
        os.kill(result["pid"], 0)
    except ProcessLookupError:
        return False
    return True
