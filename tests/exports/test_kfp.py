"""Is the YAML that kfp compiles what the flow asks for, and does its local runner run it?"""

from __future__ import annotations

import http.server
import json
import pickle
import threading

import pytest
from ruamel.yaml import YAML

from flowlib import Flow, RunError, TaskSpec
from flowlib.export.kfp import to_pipeline
from stores import LocalFileStore, TaskState
from tests.exports import tasks

PASSWORD = "hunter2-of-the-registry"
CREDENTIALS = {"server": "registry.example.org/team", "username": "ann", "password": PASSWORD}


def documents(pipeline):
    """The tasks of the compiled YAML by their shown names, and what their pods run."""
    (document,) = [each for each in YAML(typ="safe").load_all(str(pipeline)) if "root" in each]
    found = {}
    for task in document["root"]["dag"]["tasks"].values():
        component = document["components"][task["componentRef"]["name"]]
        executor = document["deploymentSpec"]["executors"][component["executorLabel"]]
        found[task["taskInfo"]["name"]] = (task, executor["container"])
    return document, found


def words_of(task):
    """What a component of a task is called with."""
    return task["inputs"]["parameters"]["words"]["runtimeValue"]["constant"]


@pytest.fixture
def local_runner(tmp_path):
    """kfp's own runner, in processes of this environment."""
    from kfp import local

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))


def test_the_yaml_says_what_the_flow_asks_for(tmp_path, caplog):
    """A component for each task, with its command, image, resources, retries and dependencies."""
    flow = tasks.chain(
        resources={"cpu": 1.5, "mem": "2GiB", "gpu": 2, "seat": 1},
        retries=3,
        retry_pause=2,
        tags=["io"],
        executor_options={"kfp": {"env_variable": {"name": "MODE", "value": "fast"}}},
    )
    store = LocalFileStore(tmp_path / "store")
    pipeline = to_pipeline(flow, "python:3.11", CREDENTIALS, results_store=store, name="My Sums")
    document, found = documents(pipeline)
    assert document["pipelineInfo"]["name"] == pipeline.name == "my-sums"
    assert sorted(found) == ["double-1", "double-2", "load-1", "load-2", "total"]
    assert {container["image"] for _, container in found.values()} == {
        "registry.example.org/team/my-sums:latest"
    }
    task, container = found["load-1"]
    key = flow.graph.by_spec["load"][0].key
    store_words = ["--store", f"file:{tmp_path}/store"]
    resources = ["--resource", "cpu=1.5", "--resource", "mem=2GiB", "--gpus", "auto"]
    resources += ["--resource", "seat=1"]
    usual = ["execute", "--workers", "1", *store_words, "--once"]
    assert words_of(task) == [*usual, *resources, "--", f"load/{key}"]
    limits = container["resources"]
    assert (limits["resourceCpuLimit"], limits["resourceMemoryLimit"]) == ("1500m", "2147484K")
    assert limits["accelerator"] == {
        "resourceCount": "2",
        "resourceType": "nvidia.com/gpu",
        "count": "2",
        "type": "nvidia.com/gpu",
    }
    policy = task["retryPolicy"]
    assert (policy["maxRetryCount"], policy["backoffDuration"]) == (3, "2s")
    assert (policy["backoffFactor"], policy["backoffMaxDuration"]) == (2.0, "8s")
    assert {"name": "MODE", "value": "fast"} in container["env"]
    assert "enableCache" not in task.get("cachingOptions", {})
    dependencies = {name: len(task.get("dependentTasks", [])) for name, (task, _) in found.items()}
    assert dependencies == {"load-1": 0, "load-2": 0, "double-1": 1, "double-2": 1, "total": 2}
    assert [each.getMessage() for each in caplog.records if each.name == "flowlib"] == [
        "Kubeflow knows nothing of tags: load",
        "Kubeflow knows nothing of resources other than cpu, mem and gpu: load",
    ]


def test_the_local_runner_runs_it(local_runner, tmp_path):
    """And all results are in the store; what needs no registry runs the base image itself."""
    store = LocalFileStore(tmp_path / "store")
    pipeline = to_pipeline(tasks.chain(), "python:3.11", results_store=store)
    assert pipeline.image == pipeline.base_image
    pipeline.pipeline()
    (record,) = store.records("total")
    assert store.get(record.address, "sum") == 6
    assert {each.state for each in store.records()} == {TaskState.FINISHED}


def test_a_failure_is_one_of_the_pipeline(local_runner, tmp_path):
    """What reads from it does not run."""
    store = LocalFileStore(tmp_path / "store")
    refused = TaskSpec(tasks.refuse, {"loaded": 1, "seen": str(tmp_path / "seen")})
    doubles = TaskSpec(tasks.again)
    doubles.requires(refused)
    pipeline = to_pipeline(Flow([doubles]), "python:3.11", results_store=store)
    with pytest.raises(RuntimeError, match="refuse"):
        pipeline.pipeline()
    assert (tmp_path / "seen").read_text() == "1\n"
    assert [each for each in store.records("again") if each.finished] == []


def test_a_task_that_bears_failures_is_refused(tmp_path):
    """Kubeflow would run it once for each that it reads from; nothing is recorded."""
    flow = tasks.failing(tmp_path / "seen")
    with pytest.raises(
        RunError, match="total has on_failure='skip'.*under Prefect, or by Flow.run"
    ):
        to_pipeline(flow, "python:3.11", results_store=f"file:{tmp_path}/store")
    assert list(tmp_path.iterdir()) == []
    alone = TaskSpec(tasks.load, {"n": 1}, on_failure="pass")
    store = LocalFileStore(tmp_path / "store")
    assert to_pipeline(Flow([alone]), "python:3.11", results_store=store).name == "flowlib"


def test_credentials_are_nowhere(tmp_path, caplog):
    """Neither of the registry, nor of the host, nor of the store."""
    store = LocalFileStore(tmp_path / "store")
    host = f"http://ann:{PASSWORD}@127.0.0.1:9"
    pipeline = to_pipeline(tasks.chain(), "python:3.11", CREDENTIALS, host, store)
    path = pipeline.save(tmp_path / "pipeline.yaml")
    shown = [str(pipeline), repr(pipeline), path.read_text(), caplog.text]
    with pytest.raises(
        RunError, match="Kubeflow at http://.*127.0.0.1:9 cannot be reached"
    ) as error:
        pipeline.submit()
    shown += [str(error.value), repr(error.value.__cause__)]
    assert [text for text in shown if PASSWORD in text] == []
    with pytest.raises(Exception, match="pickle"):
        pickle.dumps(pipeline)


def test_a_store_with_a_password_is_not_named(tmp_path):
    """It is refused, or the pods name it by themselves."""
    secret = "ghp_" + "a1b2c3d4e5f6" * 3
    uri = f"file:{tmp_path}/{secret}"
    with pytest.raises(RunError, match="holds a password.*names_store=False") as error:
        to_pipeline(tasks.chain(), "python:3.11", results_store=uri)
    assert secret not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    pipeline = to_pipeline(tasks.chain(), "python:3.11", results_store=uri, names_store=False)
    _, found = documents(pipeline)
    assert all("--store" not in words_of(task) for task, _ in found.values())
    assert secret not in str(pipeline)


class Kubeflow(http.server.BaseHTTPRequestHandler):
    """As much of the API of Kubeflow Pipelines as a submission asks for."""

    asked: list[str]

    def do_GET(self):
        self._answer({"experiment_id": "e1", "display_name": "Default", "multi_user": False})

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        self.asked.append(f"{self.path} {self.rfile.read(size).decode()}")
        self._answer({"run_id": "r1", "experiment_id": "e1", "display_name": "sums"})

    def _answer(self, content):
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("is_named", [True, False], ids=["argument", "variable"])
def test_it_is_submitted_to_a_host(is_named, tmp_path, monkeypatch, capfd):
    """The pipeline arrives there, by the words of the API; what kfp prints has no password."""
    handler = type("Handler", (Kubeflow,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://ann:{PASSWORD}@127.0.0.1:{server.server_address[1]}"
        if not is_named:
            monkeypatch.setenv("KF_PIPELINES_ENDPOINT", host)
        store = LocalFileStore(tmp_path / "store")
        pipeline = to_pipeline(
            tasks.chain(), "python:3.11", CREDENTIALS, host if is_named else None, store
        )
        run = pipeline.submit(run_name="sums", experiment_name="Default")
        server.shutdown()
    assert run.run_id == "r1"
    (sent,) = [text for text in handler.asked if "/runs" in text.partition(" ")[0]]
    assert "pipeline_spec" in sent
    assert PASSWORD not in sent
    said = "".join(capfd.readouterr())
    assert "/#/runs/details/r1" in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"kfp": {"cpu_limits": "1"}}, "kfp: there is no option 'cpu_limits'.*cpu_limit"),
        ({"kfp": {"retry": {"often": 1}}}, "kfp: retry: .*often"),
    ],
)
def test_what_kfp_cannot_know_is_refused(options, error, tmp_path):
    """With the spec, the option, and the nearest name."""
    spec = TaskSpec(tasks.load, {"n": 1}, executor_options=options)
    with pytest.raises(RunError, match=f"executor_options of load for {error}"):
        to_pipeline(Flow([spec]), "python:3.11", results_store=LocalFileStore(tmp_path / "store"))


def test_the_image_is_that_of_the_registry_or_of_the_user(tmp_path):
    """Without one there is nothing to build."""
    store = LocalFileStore(tmp_path / "store")
    plain = to_pipeline(tasks.chain(), "python:3.11", results_store=store)
    with pytest.raises(RunError, match="pods run python:3.11 itself"):
        plain.build_image(tmp_path)
    named = to_pipeline(tasks.chain(), "python:3.11", results_store=store, image="ours:2")
    path = named.build_image(tmp_path, program="no-such-docker")
    assert path.read_text().splitlines()[1] == "FROM python:3.11"
