"""Does a real Prefect run flows, with its states, retries, tags and dependencies?"""

from __future__ import annotations

import pytest

from flowlib import Flow, RunError, TaskSpec
from stores import LocalFileStore, TaskState
from tests.exports import tasks

HOMES = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240",
    "PREFECT_LOGGING_TO_API_ENABLED": "true",
}
SECRET = "ghp_" + "a1b2c3d4e5f6" * 3
"""Looks like a token, and may be the name of a folder."""


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder of Prefect; its server starts with the first flow, and ends with the tests."""
    folder = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**HOMES, "PREFECT_HOME": str(folder)}.items():
            patch.setenv(name, value)
        yield folder
        from prefect.server.api.server import SubprocessASGIServer

        for server in list(SubprocessASGIServer._instances.values()):
            server.stop()


@pytest.fixture(scope="session")
def to_flow(home):
    """The export; Prefect reads its environment when it is imported, and takes the root logger."""
    from prefect.logging.configuration import setup_logging

    from flowlib.export.prefect import to_flow

    setup_logging()  # as its first flow would: it stays for all tests
    return to_flow


def runs_of(state):
    """The task runs of a flow run, by their names."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
    with get_client(sync_client=True) as client:
        return {run.name: run for run in client.read_task_runs(flow_run_filter=wanted)}


def states_of(runs):
    return {name: run.state.name for name, run in sorted(runs.items())}


def test_a_flow_runs_with_the_options_and_states_of_its_tasks(to_flow, tmp_path):
    """What is stored is cached, what fails is tried again, what reads from it is not ready."""
    store = LocalFileStore(tmp_path / "store")
    loads = TaskSpec(tasks.load, {"n": [1, 2]}, expand="product", tags=["io"])
    refused = TaskSpec(
        tasks.refuse, {"seen": str(tmp_path / "seen")}, retries=1, retry_pause=0.1,
        executor_options={"prefect": {"tags": ["hard"], "description": "no luck"}},
    )  # fmt: skip
    sums = TaskSpec(tasks.total, reduce=True)
    slow = TaskSpec(tasks.sleep, {"seconds": 60}, timeout="1s")
    refused.requires(loads)
    sums.requires(refused)
    Flow([TaskSpec(tasks.load, {"n": 1})]).run(num_workers=1, results_store=store)

    made = to_flow(Flow([sums, slow]), store, name="figures")
    assert made.name == "figures"
    state = made(return_state=True)

    runs = runs_of(state)
    assert states_of(runs) == {
        "load-1": "Cached",
        "load-2": "Completed",
        "refuse-1": "Failed",
        "refuse-2": "Failed",
        "sleep": "TimedOut",
        "total": "NotReady",
    }
    assert state.name == "Failed"
    assert "3 of 6 tasks failed: " in state.message
    assert state.message.endswith("; 1 not run")
    assert runs["load-2"].tags == ["io"]
    assert runs["refuse-1"].tags == ["hard"]
    assert [runs[name].run_count for name in ("load-2", "refuse-1")] == [1, 2]
    assert sorted((tmp_path / "seen").read_text().split()) == ["1", "1", "2", "2"]
    assert "ValueError: the password of postgresql://***@host/db" in runs["refuse-1"].state.message
    reads = {run.id for name, run in runs.items() if name.startswith("refuse")}
    assert {each.id for each in runs["total"].task_inputs["wait_for"]} == reads
    assert {record.state for record in store.records("load")} == {TaskState.FINISHED}


def test_a_second_run_computes_nothing_and_gives_the_ids(to_flow, tmp_path):
    """Of all tasks, by their names; the results are in the store."""
    store = LocalFileStore(tmp_path / "store")
    flow = tasks.chain(resources={"cpu": 1})
    made = to_flow(flow, f"file:{tmp_path}/store", retries=0)
    ids = made()
    assert sorted(ids) == ["double-1", "double-2", "load-1", "load-2", "total"]
    assert store.get(store.find(ids["total"]), "sum") == 6
    attempts = [record.latest.number for record in store.records()]
    state = made(return_state=True)
    assert state.message == "5 tasks: 0 finished, 5 cached"
    assert set(states_of(runs_of(state)).values()) == {"Cached"}
    assert [record.latest.number for record in store.records()] == attempts


def test_what_bears_failures_waits_for_them_and_runs(to_flow, tmp_path):
    """Although Prefect by itself would run nothing after what was not run."""
    store = LocalFileStore(tmp_path / "store")
    state = to_flow(tasks.failing(tmp_path / "seen"), store)(return_state=True)
    assert states_of(runs_of(state)) == {
        "again-1": "Completed",
        "again-2": "UpstreamFailed",
        "refuse-1": "Completed",
        "refuse-2": "Failed",
        "total": "Completed",
    }
    assert state.message == "1 of 5 tasks failed: refuse-2; 1 not run"
    (record,) = store.records("total")
    assert store.get(record.address, "sum") == 1


def test_a_secret_address_is_seen_by_nobody(to_flow, home, tmp_path):
    """It reaches the processes by their environment, and nothing that Prefect keeps."""
    flow = Flow([TaskSpec(tasks.load, {"n": 7})])
    made = to_flow(flow, f"file:{tmp_path}/{SECRET}")
    state = made(return_state=True)
    assert state.name == "Completed", state.message
    assert LocalFileStore(tmp_path / SECRET).count() == 1
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert kept
    assert [path.name for path in kept if SECRET.encode() in path.read_bytes()] == []


def test_a_script_that_exports_is_an_entry_point(to_flow, tmp_path):
    """So a worker of a deployment finds the flow."""
    from prefect.flows import load_flow_from_entrypoint

    script = tmp_path / "nightly.py"
    script.write_text(
        "from flowlib.export.prefect import to_flow\n"
        "from tests.exports.tasks import chain\n"
        f"nightly = to_flow(chain(), 'file:{tmp_path}/store', name='nightly')\n"
    )
    assert load_flow_from_entrypoint(f"{script}:nightly").name == "nightly"


def test_what_prefect_cannot_know_is_refused_before_anything(to_flow, tmp_path):
    """A slip in its options names the nearest, and nothing is recorded."""
    spec = TaskSpec(tasks.load, {"n": 1}, executor_options={"prefect": {"retry": 1}})
    with pytest.raises(RunError, match="executor_options of load for prefect: .*'retry'.*retries"):
        to_flow(Flow([spec]), LocalFileStore(tmp_path / "store"))
    assert list(tmp_path.iterdir()) == []


def test_what_prefect_does_not_do_is_said_once(to_flow, tmp_path, caplog):
    """Not for each task."""
    flow = tasks.chain(resources={"gpu": 1}, priority=3)
    to_flow(flow, LocalFileStore(tmp_path / "store"))
    said = [each.getMessage() for each in caplog.records if each.name == "flowlib"]
    assert said == [
        "Prefect knows nothing of priorities: load",
        "Prefect knows nothing of resources (limit their tasks by tags): load",
    ]
