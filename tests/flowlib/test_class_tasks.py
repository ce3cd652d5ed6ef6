"""What may classes of tasks say: their parameters, their values, what of theirs still counts?"""

from __future__ import annotations

from pathlib import Path

import pytest

from flowlib import Flow, InMemoryStore, LocalFileStore, RunError, SpecError, TaskSpec, sweep
from flowlib.restoring import validates
from stores import SplitStore, StoreWithoutFiles
from tests.flowlib import class_tasks
from tests.flowlib.class_tasks import (
    Checked,
    Clean,
    Constructed,
    Dataset,
    Forbidden,
    Hidden,
    Marked,
    Model,
    Shared,
    gather,
    read,
    reads_text,
    size,
)

TOY = "toy [1, 2, 3]"


@pytest.fixture
def store(tmp_path):
    """A store in a folder."""
    class_tasks.COUNT.clear()
    return LocalFileStore(tmp_path / "store")


def test_annotated_fields_are_parameters_with_defaults(store):
    """A factory gives each task a value of its own; unknown fields and wrong types are errors."""
    for _ in range(2):
        assert Dataset.spec().result(store, force=True) == TOY
    assert Dataset.spec(sizes=[1, 2]).key == Dataset.spec().key
    assert Dataset.spec(kind="a").key == Dataset.spec("a").key != Dataset.spec().key
    with pytest.raises(SpecError, match="Did you mean sizes"):
        Dataset.spec(size=[1])
    with pytest.raises(SpecError, match="wants str"):
        Dataset.spec(kind=3)
    run = Flow([TaskSpec(Dataset, {"kind": ["a", "b"]}, expand="product")]).run(
        num_workers=1, results_store=store
    )
    assert [each.unwrap() for each in run["Dataset"]] == ["a [1, 2, 3]", "b [1, 2, 3]"]


def test_configs_are_frozen_and_compared_by_their_keys(store):
    """Nodes are equal, and hash equal, whatever the order in which a config was given."""
    nodes = [
        Flow([spec]).graph.by_spec["Dataset"][0]
        for spec in (Dataset.spec(kind="a", sizes=[1]), Dataset.spec(sizes=[1], kind="a"))
    ]
    assert nodes[0] == nodes[1] and len({*nodes}) == 1
    with pytest.raises(AttributeError):
        nodes[0].key = "other"
    given = [1]
    spec = Dataset.spec(sizes=given)
    given.append(2)
    assert spec.key == Dataset.spec(sizes=[1]).key


def test_a_spec_may_be_the_default_of_a_field(store):
    """It is read like an argument, has a result of its own, and is in the key."""
    model = Model.spec(lr=0.5)
    assert model.result(store).read_text() == f"0.5 on {TOY}"
    assert {each.task for each in store.addresses()} == {"Dataset", "Model"}
    assert model.key == Model.spec(Dataset.spec(), 0.5).key
    assert model.key != Model.spec(Dataset.spec(kind="b"), 0.5).key
    plan = Flow([model]).plan(results_store=store)
    assert len(plan.cached) == 2
    assert size().result(store) == len("seven [1, 2, 3]")
    with pytest.raises(SpecError, match=r"Model.dataset has a spec as its default.*Model.spec"):
        Flow([TaskSpec(Model)])
    swept = Flow([Model.spec(lr=sweep(0.1, 0.2))])
    assert [len(nodes) for nodes in swept.graph.by_spec.values()] == [1, 2]


@pytest.mark.parametrize("workers", [1, 2])
def test_restore_gives_the_value_wherever_it_is_asked_for(store, workers):
    """In `result`, in what reads from it, also in other processes; what it reads is loaded late."""
    model = Model.spec()
    flow = Flow([read(model), gather.reduce(Model.spec(lr=sweep(0.1, 0.2)))])
    run = flow.run(num_workers=workers, results_store=store)
    assert run["read"][0].unwrap() == f"0.1 on {TOY}"
    assert run["gather"][0].unwrap() == [f"0.1 on {TOY}", f"0.2 on {TOY}"]
    assert run["Model"][0].unwrap() == model.result(store) == Path(model.result(store))
    class_tasks.COUNT.clear()
    assert isinstance(model.result(store), Path)
    assert class_tasks.COUNT == {}  # the dataset was not read again
    assert Dataset.spec().result(store) == TOY
    assert class_tasks.COUNT == {"restore dataset": 1}


def test_restore_of_a_class_with_a_constructor(store):
    """It has its arguments, the values of specs among them, and its artifacts."""
    assert Constructed.spec(lr=0.3).result(store) == "0.3 on made [1, 2, 3] 0.3"
    text = TaskSpec(reads_text).requires(TaskSpec(Constructed, {"dataset": "given"}))
    run = Flow([text]).run(num_workers=1, results_store=store)
    assert run["reads_text"][0]["length"] == len("0.1 on given")


def test_a_memory_store_restores_what_needs_no_files():
    """The value of a class with a constructor is made of what was saved."""
    memory = InMemoryStore()
    spec = Constructed.spec(dataset="plain")
    assert spec.result(memory) == "0.1 on plain 0.1"
    flow = Flow([size(spec)])
    assert flow.run(num_workers=2, results_store=memory)["size"][0].unwrap() == 16


def test_numbers_are_converted_and_marks_are_known():
    """As those of functions: an int for a float is one, and what is ignored is not in the key."""
    assert Marked.spec(lr=1).key == Marked.spec(lr=1.0).key
    assert Marked.spec(verbose=True).key == Marked.spec().key
    assert next(iter(Flow([Marked.spec()]).graph)).config == {}
    with pytest.raises(SpecError, match="shared"):
        Marked.spec(shared=2)


@pytest.mark.parametrize("what", ["save", "delete", "open", "checkpoint_dir"])
def test_what_is_stored_is_only_read(store, what):
    """A task that has finished cannot write any more."""
    spec = Forbidden.spec(what=what)
    with pytest.raises(RunError, match=f"{what}.*does not work there"):
        spec.result(store)
    assert store.get(next(store.addresses()), "one") == 1


def test_validate_decides_whether_a_result_counts(store):
    """The plan says so; it is computed again; it asks again afterwards."""
    flow = Flow([Checked.spec(lr=sweep(0.1, 0.2))])
    flow.run(num_workers=1, results_store=store)
    assert len(flow.plan(results_store=store).cached) == 2
    assert class_tasks.COUNT == {"validate": 2}
    first = flow.graph.by_spec["Checked"][0]
    (store.record_folder(first.address) / "checkpoint").write_text("bad")
    plan = flow.plan(results_store=store)
    assert {node.key: plan.reasons[node.key].value for node in plan.to_run} == {
        first.key: "invalid"
    }
    assert "its validate() says that its result does not count" in str(plan.why("Checked-1"))
    assert not flow["Checked"].exists(store)
    assert flow.run(num_workers=1, results_store=store).counts == {"cached": 1, "finished": 1}
    assert flow.plan(results_store=store).to_run == []
    (store.record_folder(first.address) / "checkpoint").unlink()
    assert len(flow.plan(keep="Checked", results_store=store).cached) == 2
    assert Checked.spec(lr=0.1).result(store) == {"lr": 0.1}
    assert store.record(first.address).finished.number == 3


def test_an_error_in_validate_is_a_no(store, caplog):
    """It is told, and the task runs again."""
    flow = Flow([Checked.spec(lr=9.0)])
    flow.run(num_workers=1, results_store=store)
    assert [each.value for each in flow.plan(results_store=store).reasons.values()] == ["invalid"]
    assert "validate() of Checked raised OSError: no disk" in caplog.text


def test_validate_sees_the_values_of_specs(store):
    """They are loaded when they are touched."""
    spec = Checked.spec(source=Dataset.spec())
    spec.result(store)
    assert spec.exists(store)


def test_tasks_without_validate_are_not_made_for_a_plan(store, monkeypatch):
    """Their warm path costs nothing more: no object is made of them."""
    flow = Flow([Clean.spec(x=sweep(*range(50)))])
    flow.run(num_workers=1, results_store=store)
    monkeypatch.setattr(Clean, "__new__", lambda cls: pytest.fail("made"))
    assert len(flow.plan(results_store=store).cached) == 50
    assert not validates(Clean) and validates(Checked)


def test_all_configs_of_a_task_share_a_folder(store, tmp_path):
    """It is there for all of them, is no part of any result, and survives them."""
    flow = Flow([Shared.spec(x=1), Shared.spec(x=2)])
    run = flow.run(num_workers=1, results_store=store)
    assert [each["seen"] for each in run["Shared"]] == ["", "1"]
    folder = tmp_path / "store" / "Shared" / ".shared"
    assert {each["folder"] for each in run["Shared"]} == {str(folder)}
    store.delete_records("Shared")
    assert (folder / "all.txt").read_text() == "12"
    apart = SplitStore(store, {"Shared": LocalFileStore(tmp_path / "git")})
    assert Shared.spec(x=3).result(apart)["seen"] == ""
    with pytest.raises(StoreWithoutFiles, match="shared_dir"):
        Shared.spec(x=3).result(InMemoryStore())


def test_the_names_of_these_are_no_parameters():
    """A field of such a name would hide what a task has."""

    with pytest.raises(SpecError, match="the config keys logger are protected"):
        Hidden.spec()
    for name in ("shared_dir", "restore", "validate"):
        with pytest.raises(SpecError, match="protected"):
            TaskSpec(Clean, {name: 1})
