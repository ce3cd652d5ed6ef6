"""What does another engine run of a flow, and where does it find the store?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flowlib import (
    Flow,
    GraphError,
    InMemoryStore,
    MissingExtra,
    RunError,
    TaskFailed,
    TaskSpec,
    configure,
)
from flowlib.credentials import without_credentials
from flowlib.export.execution import StepCommand, _Lines
from flowlib.export.steps import Engine, steps_of
from flowlib.export.store_place import place_of
from stores import LocalFileStore, ReadOnlyStore, StoreError, TaskState
from tests.exports import tasks

ENGINE = Engine("Engine", "engine", frozenset({"retries", "tags"}))
TOKEN = "ghp_" + "a1b2c3d4e5f6" * 3


def steps(flow, store):
    return steps_of(flow, place_of(flow, store), ENGINE)


def test_each_task_is_a_command_that_executes_it_by_its_key(tmp_path):
    """In the same order, with what it demands, and once where the engine tries again."""
    flow = tasks.chain(retries=2, resources={"mem": "2 GiB", "gpu": 0.5, "seat": 0})
    found = steps(flow, LocalFileStore(tmp_path))
    assert found.name == "flowlib"
    assert [each.name for each in found.all] == [node.unique_name for node in flow.graph]
    first, last = found.all[0], found.all[-1]
    usual = ("execute", "--workers", "1", "--store", f"file:{tmp_path}", "--once")
    demand = ("--resource", "mem=2 GiB", "--gpus", "auto")
    assert first.words == (*usual, *demand, "--", first.id)
    assert last.words == (*usual, "--", last.id)
    assert (first.retries, last.retries, first.is_tolerant) == (2, 0, False)
    doubles = [each.address.key for each in found.all if each.address.task == "double"]
    assert sorted(last.reads) == sorted(doubles)


def test_retries_by_kind_stay_with_flowlib(tmp_path):
    """An engine knows no kinds of failures."""
    flow = Flow([TaskSpec(tasks.load, {"n": 1}, retries={"oom": 3})])
    (step,) = steps(flow, LocalFileStore(tmp_path)).all
    assert "--once" not in step.words
    assert step.retries == 0


def test_what_a_tolerant_task_is_made_of_is_known(tmp_path):
    """All of it, for engines that would not tell it of what was not run."""
    found = steps(tasks.failing(tmp_path / "seen"), LocalFileStore(tmp_path))
    above = found.above_tolerant()
    names = {step.name for step in found.all if step.address.key in above}
    assert names == {"again-1", "again-2", "refuse-1", "refuse-2"}


def test_what_an_engine_cannot_know_is_refused_before_anything_is_written(tmp_path):
    """An option it has not, or a store that only this process knows by name."""
    slip = TaskSpec(tasks.load, {"n": 1}, executor_options={"engine": {"retry": 1}})
    with pytest.raises(RunError, match="load for engine: .*'retry'. Did you mean retries"):
        steps(Flow([slip]), LocalFileStore(tmp_path / "store"))
    named = TaskSpec(tasks.load, {"n": 1}, store="git")
    with pytest.raises(RunError, match="store='git'.*setting `stores`"):
        steps(Flow([named]), LocalFileStore(tmp_path / "store"))
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_the_settings_name_is_found_by_all(tmp_path):
    """So a spec may keep its results there."""
    flow = Flow([TaskSpec(tasks.load, {"n": 1}, store="git")])
    configure(stores={"git": f"file:{tmp_path}/git"})
    try:
        assert len(steps(flow, LocalFileStore(tmp_path)).all) == 1
    finally:
        configure(stores=None)


def test_an_empty_flow_is_none(tmp_path):
    """As everywhere; and what is no flow is told."""
    with pytest.raises(GraphError, match="no tasks"):
        Flow([])
    with pytest.raises(TypeError, match="is no flow"):
        place_of([TaskSpec(tasks.load)], LocalFileStore(tmp_path))


@pytest.mark.parametrize("store", [InMemoryStore(), "memory:", None], ids=["object", "uri", "none"])
def test_a_memory_store_is_refused(store):
    """With what to do."""
    with pytest.raises(RunError, match=r"LocalFileStore\('runs'\)"):
        place_of(Flow([TaskSpec(tasks.load, {"n": 1})]), store)


def test_a_relative_folder_is_made_absolute(tmp_path, monkeypatch):
    """Whoever runs it may have another working directory."""
    monkeypatch.chdir(tmp_path)
    flow = Flow([TaskSpec(tasks.load, {"n": 1})])
    places = [place_of(flow, each) for each in ("file:runs", LocalFileStore("runs"))]
    flow.results_store = LocalFileStore("runs")
    places.append(place_of(flow, None))
    assert {place.uri for place in places} == {f"file:{tmp_path}/runs"}
    assert {place.words for place in places} == {("--store", f"file:{tmp_path}/runs")}


def test_so_is_that_of_a_database_in_a_file(tmp_path, monkeypatch):
    """As for the command."""
    pytest.importorskip("sqlalchemy")
    monkeypatch.chdir(tmp_path)
    flow = Flow([TaskSpec(tasks.load, {"n": 1})])
    assert place_of(flow, "sqlite:///runs.db").uri == f"sqlite:///{tmp_path}/runs.db"


def test_a_store_that_has_no_address_is_asked_for_one(tmp_path):
    """So that nothing of it is lost on the way."""
    flow = Flow([TaskSpec(tasks.load, {"n": 1})])
    with pytest.raises(RunError, match="by its URI: give that"):
        place_of(flow, ReadOnlyStore(LocalFileStore(tmp_path)))
    with pytest.raises(StoreError, match="is no URI of a store"):
        place_of(flow, "runs")
    with pytest.raises(TypeError, match="which is no store"):
        place_of(flow, 7)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ann:hunter2@host/db",
        "mongodb://ann:hunter2@host/db",
        "postgresql://host/db?password=hunter2",
        "postgresql://ann:hun/ter2@host/db",
        "postgresql://ann:12/hunter2@host/db",
        "postgresql://host/db?sslpassword=hunter2",
        "mongodb://host/db?tlsCertificateKeyFilePassword=hunter2",
        "mongodb://host/db?authMechanismProperties=AWS_REGION:x,AWS_SESSION_TOKEN:hunter2",
    ],
)
def test_an_address_with_a_password_is_never_shown(uri, tmp_path, monkeypatch):
    """It goes by the environment, and not by the words of a command."""
    opened = LocalFileStore(tmp_path)
    monkeypatch.setattr("flowlib.export.store_place.open_store", lambda _: opened)
    place = place_of(Flow([TaskSpec(tasks.load, {"n": 1})]), uri)
    assert (place.words, place.variables) == ((), {"FLOWLIB_STORE": uri})
    assert "hunter2" not in repr(place)


@pytest.mark.parametrize(
    "uri", ["s3://bucket/a@b", "mongodb://host:27017/db?tls=true", "postgresql://host:5432/db"]
)
def test_an_address_without_one_stands_in_the_command(uri, tmp_path, monkeypatch):
    """So that everybody sees where results are."""
    opened = LocalFileStore(tmp_path)
    monkeypatch.setattr("flowlib.export.store_place.open_store", lambda _: opened)
    assert place_of(Flow([TaskSpec(tasks.load, {"n": 1})]), uri).words == ("--store", uri)


@pytest.mark.parametrize(("engine", "name"), [("prefect", "to_flow"), ("kfp", "to_pipeline")])
def test_an_engine_that_is_not_installed_is_told_with_the_cure(engine, name, monkeypatch):
    """The front door itself needs none of them."""
    import flowlib.export

    assert flowlib.export.__all__ == dir(flowlib.export) == ["kfp", "prefect"]
    export = getattr(getattr(flowlib.export, engine), name)
    monkeypatch.setitem(sys.modules, engine, None)
    arguments = ["python:3.11"] if engine == "kfp" else []
    with pytest.raises(MissingExtra, match=rf"pip install 'flowlib-runner\[{engine}\]'"):
        export(Flow([TaskSpec(tasks.load, {"n": 1})]), *arguments)
    with pytest.raises(AttributeError, match="has no attribute 'airflow'"):
        _ = flowlib.export.airflow


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see postgresql://ann:hun/ter2@host/db", "see postgresql://***@host/db"),
        ("see https://ann:hunter2@host/a@b", "see https://***@host/a@b"),
        ("see https://host:8080/a@b", "see https://host:8080/a@b"),
        ("see https://host/a:b@c", "see https://host/a:b@c"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
    ],
)
def test_passwords_of_addresses_are_hidden_whatever_is_in_them(text, shown):
    """And paths are no passwords."""
    assert without_credentials(text) == shown


KEY = ["-----BEGIN RSA PRIVATE KEY-----", "bm90IGEga2V5", "", "-----END RSA PRIVATE KEY-----"]


def test_a_private_key_of_several_lines_is_not_passed_on():
    """The lines before and after it are; in events each line is one by itself."""
    said = []
    lines = _Lines(said.append)
    lines.feed("\n".join(["before", *KEY, "between", *KEY, "after"]).encode())
    lines.end()
    assert said == list(lines.last)
    assert said == ["before", f"{KEY[0]}***", "between", f"{KEY[0]}***", "after"]
    events = []
    _Lines(events.append, is_text=False).feed(f"{KEY[0]}\nnext\n".encode())
    assert events == [f"{KEY[0]}***", "next"]


def command_of(flow, store, position=0):
    found = steps(flow, store)
    step = found.all[position]
    return StepCommand(step.address, step.words, found.place.variables)


@pytest.mark.slow
def test_a_command_tells_whether_it_has_computed(tmp_path):
    """And leaves the result in a store whose address is seen by nobody."""
    uri = f"file:{tmp_path}/{TOKEN}"
    command = command_of(Flow([TaskSpec(tasks.load, {"n": 7})]), uri)
    assert TOKEN not in repr(command)
    said = []
    assert [command.run(said.append), command.run(said.append)] == [True, False]
    assert TOKEN not in "".join(said)
    (record,) = LocalFileStore(tmp_path / TOKEN).records()
    assert (record.state, record.latest.number) == (TaskState.FINISHED, 1)


@pytest.mark.slow
def test_a_failure_comes_back_without_secrets(tmp_path):
    """That of the task, with its log; or what the command has said."""
    store = LocalFileStore(tmp_path / "store")
    refused = TaskSpec(tasks.refuse, {"loaded": 1, "seen": str(tmp_path / "seen")})
    command = command_of(Flow([refused]), store)
    with pytest.raises(TaskFailed, match=r"ValueError: .*postgresql://\*\*\*@host") as error:
        command.run(lambda line: None)
    assert Path(str(error.value).partition("log: ")[2]).exists()
    gone = StepCommand(command.address, ("execute", "--store", f"file:{tmp_path}/gone", "x"), {})
    with pytest.raises(TaskFailed, match="exit code 4: .*there is no store in"):
        gone.run(lambda line: None)
