"""What only Ray does: its options for each task, its limit of pending jobs, fractions of GPUs."""

from __future__ import annotations

import pytest

from flowlib import Flow, RunError, TaskSpec
from flowlib.executor import ExecutorSetup
from flowlib.executors.ray import RayExecutor
from flowlib.policy import FailureKind
from stores import LocalFileStore, Owner
from tests.executors import contract_tasks as tasks
from tests.executors.cases import CASES

pytestmark = [pytest.mark.slow, pytest.mark.needs("gcs_server", "raylet")]

[RAY] = [case for case in CASES if case.name == "ray"]


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture
def connected():
    with RAY.given(4):
        yield


def test_no_more_jobs_are_pending_than_was_said(connected, store):
    """Free slots never exceed the limit, however short the tasks are."""
    setup = ExecutorSetup(store, 4, None, Owner.of_this_process())
    workers = RayExecutor(max_pending=3).start(setup)
    assert workers.free_slots == 3
    workers.close()

    spec = TaskSpec(tasks.square, {"n": list(range(40))}, expand="product")
    done = Flow([spec]).run(executor=RayExecutor(max_pending=3), results_store=store, progress=None)
    assert [each.results["square"] for each in done["square"]] == [n * n for n in range(40)]


def test_options_of_a_spec_reach_ray(connected, store):
    """A task that wants no processor and a name of its own runs; an unknown option is refused."""
    config = {"n": [1, 2, 3]}
    spec = TaskSpec(
        tasks.square, config, expand="product", executor_options={"ray": {"num_cpus": 0.5}}
    )
    assert Flow([spec]).run(executor="ray", results_store=store).counts == {"finished": 3}
    wrong = TaskSpec(tasks.raises, {"n": 1}, executor_options={"ray": {"num_gpu": 1}})
    with pytest.raises(RunError, match="raises.*num_gpu"):
        Flow([wrong]).run(executor="ray", results_store=store)


def test_a_lost_worker_is_tried_again_where_that_was_asked_for(connected, store, tmp_path):
    """Each of three tasks kills its worker once; one retry of that kind each."""
    config = {"folder": str(tmp_path), "n": [1, 2, 3]}
    spec = TaskSpec(tasks.dies, config, expand="product", retries={FailureKind.LOST.value: 1})
    done = Flow([spec]).run(executor="ray", results_store=store, progress=None)

    assert [each.results["n"] for each in done["dies"]] == [1, 2, 3]
    assert all(record.latest.number >= 2 for record in store.records("dies"))
