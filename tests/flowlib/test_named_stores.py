"""Do the results of some tasks lie in stores of their own?"""

from __future__ import annotations

import pytest

from flowlib import Flow, InMemoryStore, LocalFileStore, RunError, TaskSpec, task
from flowlib.configuration import forget
from tests.flowlib.flow_tasks import double, fit, load, total

CALLS = load.__module__


@task(store="git")
def versioned(n):
    return {"n": n}


@task
def reader(item):
    return item["n"] + 1


@pytest.fixture
def stores(tmp_path):
    """The store of the run and the one called `git`."""
    return LocalFileStore(tmp_path / "main"), LocalFileStore(tmp_path / "git")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_lie_in_the_store_that_the_spec_names(stores, workers):
    """Tasks read results of other stores, in this process and in workers; then all is cached."""
    main, git = stores
    flow = Flow([reader(versioned(3)), reader(versioned(4))])
    run = flow.run(num_workers=workers, results_store=main, stores={"git": git})
    assert [each["result"] for each in run["reader"]] == [4, 5]
    assert [each["n"] for each in run["versioned"]] == [3, 4]
    assert {each.task for each in main.addresses()} == {"reader"}
    assert {each.task for each in git.addresses()} == {"versioned"}
    plan = flow.plan(results_store=main, stores={"git": git})
    assert (len(plan.cached), plan.to_run) == (4, [])
    again = flow.run(num_workers=workers, results_store=main, stores={"git": git})
    assert again.counts == {"cached": 4}
    assert sorted(each.task for each in run.store.addresses()) == ["reader"] * 2 + ["versioned"] * 2


def test_the_settings_name_stores_for_all_runs(stores, tmp_path, monkeypatch):
    """A store that is given for the run is stronger."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowlib.toml").write_text("[stores]\ngit = 'file:settled'\n")
    forget()
    main, git = stores
    flow = Flow([reader(versioned(3))])
    try:
        flow.run(num_workers=1, results_store=main)
        assert LocalFileStore(tmp_path / "settled").count() == 1
        plan = flow.plan(results_store=main, stores={"git": git})
        assert [node.name for node in plan.to_run] == ["versioned"]
    finally:
        forget()


def test_the_store_is_no_part_of_the_identity(stores):
    """The same spec without it has the same key, and is not found in the other store."""
    main, git = stores
    named, plain = (Flow([TaskSpec(double, {"x": 1}, store=each)]) for each in ("git", None))
    assert [*named.graph.nodes] == [*plain.graph.nodes]
    named.run(num_workers=1, results_store=main, stores={"git": git})
    assert plain.run(num_workers=1, results_store=git).counts == {"cached": 1}
    assert len(plain.plan(results_store=main).to_run) == 1


def test_specs_require_results_of_other_stores(stores):
    """Artifacts by name, gathered, with their configs."""
    main, git = stores
    doubles = TaskSpec(double, {"x": [1, 2]}, expand="product", store="git")
    gather = TaskSpec(total, reduce=True)
    gather.requires(doubles)
    run = Flow([gather]).run(num_workers=1, results_store=main, stores={"git": git})
    assert run["total"][0]["sum"] == 6
    assert run["total"][0].unique_config["double"]["x"] == [1, 2]
    assert main.count() == 1 and git.count() == 2


@pytest.mark.parametrize(
    ("stores", "match"),
    [
        ({"gti": 1}, "versioned has store='git', which is none of gti. Did you mean gti"),
        (None, r"versioned has store='git'.*Flow.run\(stores=\{'git'"),
    ],
)
@pytest.mark.parametrize("method", ["run", "plan"])
def test_an_unknown_store_is_told_before_anything_runs(tmp_path, stores, match, method):
    """With the nearest name, or with what is to be given."""
    main = LocalFileStore(tmp_path / "main")
    given = stores and dict.fromkeys(stores, InMemoryStore())
    with pytest.raises(RunError, match=match):
        getattr(Flow([reader(versioned(3))]), method)(results_store=main, stores=given)
    assert not (tmp_path / "main").exists()


def test_what_is_no_store_is_refused(stores):
    """Also where no spec names one."""
    with pytest.raises(TypeError, match=r"stores\['git'\] is 'git', which is no store"):
        Flow([load(1)]).plan(stores={"git": "git"})
    with pytest.raises(TypeError, match="stores is a mapping"):
        Flow([load(1)]).run(stores=[stores[0]])
    with pytest.raises(ValueError, match="store is 3; give the name of a store"):
        TaskSpec(double, store=3)


def test_all_results_of_a_task_lie_in_one_store(stores):
    """Records are found by the name of the task, so its calls may not be scattered."""
    flow = Flow([fit(load(1)), fit(load(2)).options(store="git")])
    with pytest.raises(
        RunError, match="calls of fit are to be kept in the store of the run and st"
    ):
        flow.run(results_store=stores[0], stores={"git": stores[1]})


def test_a_memory_store_among_them_needs_one_worker(stores):
    """Worker processes could not write to it; that is told before anything runs."""
    flow, git = Flow([reader(versioned(3)), reader(versioned(4))]), stores[1]
    run = flow.run(num_workers=1, results_store=InMemoryStore(), stores={"git": git})
    assert [each["result"] for each in run["reader"]] == [4, 5]
    with pytest.raises(RunError, match="worker processes cannot write to SplitStore"):
        flow.run(num_workers=2, results_store=InMemoryStore(), stores={"git": git})


def test_a_document_names_stores(tmp_path):
    """Relative folders are those of the project; a word that is no store is told with its line."""
    document = tmp_path / "flow.yaml"
    text = """\
import: tests.flowlib.flow_tasks
store: file:main
stores: {git: "file:versioned"}
specs:
  double: {config: {x: 4}, store: git}
  total: {requires: double, reduce: true}
"""
    document.write_text(text)
    flow = Flow.from_file(document)
    run = flow.run(num_workers=1)
    assert run["total"][0]["sum"] == 8
    assert len(list((tmp_path / "versioned" / "double").glob("*.json"))) == 1
    assert [each.name for each in (tmp_path / "main").iterdir() if each.name[0] != "."] == ["total"]
    assert Flow.from_file(document).plan().to_run == []
    assert flow.to_document()["specs"]["double"]["store"] == "git"
    document.write_text(text.replace('"file:versioned"', "fiel:x"))
    with pytest.raises(ValueError, match=r"flow.yaml:3.*no kind of store|flow.yaml:3"):
        Flow.from_file(document)
