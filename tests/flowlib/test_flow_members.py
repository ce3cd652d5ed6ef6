"""Is a flow a collection of specs with names?"""

from __future__ import annotations

import pytest

from flowlib import Flow, GraphError, InMemoryStore, TaskSpec, sweep
from tests.flowlib.flow_tasks import Train, double, fit, load, pick, total


@pytest.fixture
def experiments():
    """Three experiments of one task, a sweep and two specs that share a name."""
    data = load(4)
    return Flow(
        {
            "baseline": Train.spec(lr=0.1),
            "fast": Train.spec(lr=1.0),
            "many": Train.spec(lr=sweep(0.2, 0.3)),
            "models": [fit(data, lr=0.5), fit(data, lr=0.25)],
        }
    )


def test_specs_are_found_by_name(experiments):
    """All members, in order; a name with several gives a list."""
    assert list(experiments) == ["baseline", "fast", "many", "models"]
    assert len(experiments) == 4
    assert experiments["fast"].config == {"lr": 1.0}
    assert [spec.config["lr"] for spec in experiments["models"]] == [0.5, 0.25]
    assert [name for name, _ in experiments.items()] == list(experiments)
    assert "slow" not in experiments and experiments.get("slow") is None
    assert experiments.num_tasks == 7


def test_tasks_are_called_by_the_names_of_their_specs(experiments):
    """In graphs, plans, selectors and results; records stay under the name of the task."""
    names = {node.unique_name for node in experiments.graph}
    assert names == {"load", "baseline", "fast", "many-1", "many-2", "models-1", "models-2"}
    store = InMemoryStore()
    run = experiments.run(num_workers=1, results_store=store)
    assert [each["loss"] for each in run["baseline"]] == [1.0]
    assert [each["loss"] for each in run["many"]] == [2.0, 3.0]
    assert [each["score"] for each in run["models"]] == [3.0, 1.5]
    assert [each["loss"] for each in run["Train"]] == [1.0, 10.0, 2.0, 3.0]
    assert store.count("Train") == 4
    assert len(experiments.plan(force="many", results_store=store).to_run) == 2
    assert len(experiments.plan(force="ma*", results_store=store).to_run) == 2
    assert len(experiments.plan(force="many[lr=0.2]", results_store=store).to_run) == 1
    assert [n.unique_name for n in experiments.plan(only="fast").to_run] == ["fast"]
    assert "lr=1.0" in str(experiments.plan(results_store=store).why("fast"))


def test_names_are_no_part_of_the_identity(experiments):
    """The same experiments under other names, or without any, are cached."""
    store = InMemoryStore()
    experiments.run(num_workers=1, results_store=store)
    renamed = Flow({f"my {name}": spec for name, spec in experiments.items()})
    assert renamed.run(num_workers=1, results_store=store).counts == {"cached": 7}
    bare = Flow([experiments["baseline"], *experiments["models"]])
    assert bare.run(num_workers=1, results_store=store).counts == {"cached": 4}


def test_specs_of_a_list_are_found_by_their_own_names():
    """That of the task, that of `named`; several calls of one task are a list."""
    data = load(2)
    small, big = fit(data), fit(data, lr=2.0).named("big")
    flow = Flow([TaskSpec(Train), small, big, fit(data, lr=3.0)])
    assert list(flow) == ["Train", "fit", "big"]
    assert (flow["big"], flow["fit"][0]) == (big, small)
    assert flow["Train"].task is Train
    assert flow.run(num_workers=1)["big"][0]["score"] == 2.0


def test_specs_with_lists_and_those_that_require_them_have_names_too():
    """The names of artifacts and of predecessors do not change."""
    doubles = TaskSpec(double, {"x": [1, 2, 3]}, expand="product")
    gather = TaskSpec(total, reduce=True)
    gather.requires(doubles)
    flow = Flow({"numbers": doubles, "sum": gather})
    assert {n.unique_name for n in flow.graph} == {"numbers-1", "numbers-2", "numbers-3", "sum"}
    run = flow.run(num_workers=1)
    assert run["sum"][0]["sum"] == 12
    assert [each["y"] for each in run["numbers"]] == [2, 4, 6]
    plain = Flow([gather])
    assert {n.key for n in plain.graph} == {n.key for n in flow.graph}


def test_an_unknown_name_is_told_with_the_nearest(experiments):
    """Also where results are asked for by it."""
    with pytest.raises(KeyError, match=r"no 'basline'\. Did you mean baseline\? It has: baseline"):
        experiments["basline"]
    with pytest.raises(KeyError, match="Did you mean baseline"):
        experiments.run(num_workers=1)["basline"]


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"": load(1)}, GraphError, "a name is text"),
        ({3: load(1)}, GraphError, "a spec is called 3"),
        ({"a": []}, GraphError, "'a' has no specs"),
        ({"a": load}, TypeError, "'a' is a spec or a list of specs"),
        ({"a": {"b": load(1)}}, TypeError, "unpack it"),
        ({}, GraphError, "there are no tasks"),
        ({"load": fit(load(1)), "x": load(1)}, GraphError, "'load' is the name of a task"),
        ([load(1), 3], TypeError, "Flow takes a list of TaskSpecs"),
        (load(1), TypeError, "Flow takes a list of TaskSpecs"),
    ],
)
def test_what_is_no_collection_of_specs_is_refused(given, error, match):
    """With what is wrong, when the flow is made."""
    with pytest.raises(error, match=match):
        Flow(given)


def test_two_specs_of_one_task_say_how_they_could_be_told_apart():
    """Calls of a class may be many; specs with grids need names, as records do."""
    with pytest.raises(GraphError, match="two specs are called 'Train'.*name="):
        Flow({"a": TaskSpec(Train), "b": TaskSpec(Train, {"lr": 1.0})})


def test_one_spec_may_have_two_names():
    """Its task has the first one."""
    spec = load(3)
    flow = Flow({"first": spec, "second": spec, "best": pick([spec])})
    assert flow["second"] is spec
    assert {n.unique_name for n in flow.graph} == {"first", "best"}
    assert hash(flow) == hash(flow) and flow == flow and flow != Flow([spec])
