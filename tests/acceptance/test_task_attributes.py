"""Are the documented attributes and methods of a running task there, and true?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, TaskInfo, TaskSpec, TaskState
from stores import InMemoryStore, LocalFileStore
from tests.acceptance import tasks


@pytest.fixture(params=[1, 2], ids=["inline", "processes"])
def facts(request: pytest.FixtureRequest, tmp_path: Path) -> list[dict[str, Any]]:
    """What two nodes say of themselves, run inline and in worker processes."""
    number = TaskSpec(tasks.Number, config={"x": 7})
    spec = TaskSpec(
        tasks.Attributes,
        config={"x": [1, 2], "nested": {"y": 3}},
        expand="product",
        name="Facts",
    )
    after = TaskSpec(tasks.Anything)
    spec.requires(number)
    after.requires(spec)
    run = Flow([number, spec, after]).run(
        num_workers=request.param,
        resources=["cuda:0", "cuda:1"],
        project_name="proj",
        run_name="demo",
        results_store=LocalFileStore(str(tmp_path)),
    )
    return [each.results["facts"] for each in run["Facts"]]


def test_names(facts: list[dict[str, Any]]) -> None:
    """Spec, node, project and run; in `__init__` as well as in `run`."""
    assert [each["name"] for each in facts] == ["Facts", "Facts"]
    assert [each["unique_name"] for each in facts] == ["Facts-1", "Facts-2"]
    assert [each["name_in_init"] for each in facts] == ["Facts-1", "Facts-2"]
    assert {(each["project_name"], each["run_name"]) for each in facts} == {("proj", "demo")}


def test_state_and_times(facts: list[dict[str, Any]]) -> None:
    """While it runs a task is running, has started and has not ended."""
    assert {each["state"] for each in facts} == {"running"}
    assert all(each["has_started"] and not each["has_ended"] for each in facts)
    assert all(each["duration_s"] >= 0 for each in facts)


def test_identity(facts: list[dict[str, Any]]) -> None:
    """The counter is the index in the spec; the id joins it to the run; the hash is the key's."""
    assert [each["sweep_counter"] for each in facts] == ["000", "001"]
    assert [each["id"] for each in facts] == ["demo-000", "demo-001"]
    assert all(len(each["unique_config_hash"]) == 8 for each in facts)
    assert len({each["unique_config_hash"] for each in facts}) == 2
    assert facts[1]["run_history"] == {"Number": "demo-000", "Facts": "demo-001"}


def test_configs(facts: list[dict[str, Any]]) -> None:
    """`config` is the task's own, with attribute access; `unique_config` has the ancestors too."""
    assert facts[0]["config"] == {"x": 1, "nested": {"y": 3}}
    assert (facts[0]["config_x"], facts[0]["nested_y"]) == (1, 3)
    assert facts[1]["unique_config"] == {
        "Number": {"x": 7},
        "Facts": {"x": 2, "nested": {"y": 3}},
    }


def test_surroundings(facts: list[dict[str, Any]]) -> None:
    """Store, resource, force, expects, reduce and neighbours."""
    assert {each["store"] for each in facts} == {"LocalFileStore"}
    assert {each["resource"] for each in facts} <= {"cuda:0", "cuda:1"}
    assert [each["force"] for each in facts] == [False, False]
    assert [each["expects"] for each in facts] == [["value"], ["value"]]
    assert [each["reduce"] for each in facts] == [False, False]
    assert {tuple(each["predecessors"]) for each in facts} == {("Number",)}
    assert {tuple(each["successors"]) for each in facts} == {("Anything",)}


def test_info(facts: list[dict[str, Any]]) -> None:
    """`info` sums it up as a TaskInfo."""
    info = TaskInfo(**facts[1]["info"])
    assert (info.project_name, info.run_name, info.id) == ("proj", "demo", "demo-001")
    assert info.state == TaskState.RUNNING
    assert info.sweep_counter == "001"
    assert info.unique_config_hash == facts[1]["unique_config_hash"]
    assert info.run_history == {"Number": "demo-000", "Facts": "demo-001"}


def test_force_is_seen_by_the_task() -> None:
    """A forced task knows it, and the spec does not stay forced."""
    flow = Flow([TaskSpec(tasks.Attributes, config={"x": 1})])
    store = InMemoryStore()
    seen = []
    for force in (None, "all"):
        run = flow.run(num_workers=1, results_store=store, force=force)
        seen.append(run["Attributes"][0].results["facts"]["force"])
    assert seen == [False, True]
    assert flow.plan(results_store=store).to_run == []


@pytest.mark.parametrize("workers", [1, 2])
def test_task_uses_its_store(workers: int, tmp_path: Path) -> None:
    """save, load, delete, open, run_dir and get_store_context, and reading and writing of files."""
    store = LocalFileStore(str(tmp_path))
    run = Flow([TaskSpec(tasks.StoreUser)]).run(num_workers=workers, results_store=store)
    results = run["StoreUser"][0].results
    assert results["seen"] == {
        "loaded": {"a": 1},
        "written": 8,
        "lines": ["one\n", "two\n"],
        "has_folder": True,
        "same_folder": True,
        "sweep_counter": "000",
    }
    assert sorted(results) == ["kept", "lines", "seen"]
    assert results["lines"] == "one\ntwo\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_states_are_true_in_the_driver_afterwards(workers: int, tmp_path: Path) -> None:
    """Finished, failed and upstream_failed can be read from the graph (D26)."""
    stop = tmp_path / "stop"
    stop.touch()
    failing = TaskSpec(
        tasks.Failing,
        config={"x": 1},
        additional_kwargs={"while_exists": str(stop)},
    )
    after, other = TaskSpec(tasks.Add), TaskSpec(tasks.Number)
    after.requires(failing)
    flow = Flow([failing, after, other])
    run = flow.run(num_workers=workers, exit_on_error=False)
    states = {name: data["task"].state for name, data in flow.task_graph.nodes(data=True)}
    assert states == {
        "Failing": TaskState.FAILED,
        "Add": TaskState.UPSTREAM_FAILED,
        "Number": TaskState.FINISHED,
    }
    assert run.counts["failed"] == 1
