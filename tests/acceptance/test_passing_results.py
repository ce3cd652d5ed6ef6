"""How do the artifacts of one task reach the next?"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, Task, TaskSpec
from stores import InMemoryStore, LocalFileStore, ResultsStore
from tests.acceptance import tasks


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ResultsStore:
    """Both stores of the core."""
    return InMemoryStore() if request.param == "memory" else LocalFileStore(str(tmp_path / "s"))


def run_chain(*specs: TaskSpec, **options: Any) -> Any:
    """Link the specs one after the other and run them inline."""
    for first, second in pairwise(specs):
        second.requires(first)
    return Flow(list(specs)).run(num_workers=1, **options)


def numbers(*values: object) -> TaskSpec:
    """A sweep of `Number`."""
    return TaskSpec(tasks.Number, config={"x": list(values)}, expand="product")


def test_artifact_arrives_by_name(store: ResultsStore) -> None:
    """What is saved as `value` is the argument `value`."""
    run = run_chain(numbers(1, 2), TaskSpec(tasks.Add, config={"y": 10}), results_store=store)
    assert [each.results for each in run["Add"]] == [{"total": 11}, {"total": 12}]


def test_same_name_from_two_predecessors_is_an_error() -> None:
    """It is never decided silently whose `value` is meant; the message names both."""
    number, second, add = TaskSpec(tasks.Number), TaskSpec(tasks.Second), TaskSpec(tasks.Add)
    add.requires(number, second)
    with pytest.raises(Exception, match="value") as caught:
        Flow([number, second, add]).run(num_workers=1)
    assert "Number" in str(caught.value)
    assert "Second" in str(caught.value)


def test_missing_artifact_is_an_error_that_names_it() -> None:
    """Names without a default have to be saved by a predecessor."""
    with pytest.raises(Exception, match="absent") as caught:
        run_chain(TaskSpec(tasks.Number), TaskSpec(tasks.Wanting))
    assert "Wanting" in str(caught.value)


def test_default_is_used_for_a_missing_artifact() -> None:
    """A parameter of `run` with a default may stay without a value."""
    run = run_chain(TaskSpec(tasks.Number, config={"x": 4}), TaskSpec(tasks.WithDefault))
    assert run["WithDefault"][0].results == {"seen": [4, "default"]}


def test_kwargs_of_run_receive_nothing() -> None:
    """`**results` collects no artifacts."""
    run = run_chain(TaskSpec(tasks.Number), TaskSpec(tasks.Greedy))
    assert run["Greedy"][0].results == {"names": []}


def test_results_of_grandparents_are_not_visible() -> None:
    """Only direct predecessors are asked."""
    with pytest.raises(Exception, match="value"):
        run_chain(TaskSpec(tasks.Number), TaskSpec(tasks.Add), TaskSpec(tasks.Add, name="Again"))


def test_saved_none_arrives_as_none(store: ResultsStore) -> None:
    """None is a value; absence is something else."""
    run = run_chain(TaskSpec(tasks.SavesNone), TaskSpec(tasks.SeesNone), results_store=store)
    assert run["SeesNone"][0].results == {"is_none": True}


def test_reduce_gets_a_list_of_sweeps_in_order(store: ResultsStore) -> None:
    """Each with the value and the whole unique config of its task."""
    run = run_chain(numbers(3, 1, 2), TaskSpec(tasks.Gather, reduce=True), results_store=store)
    assert run["Gather"][0].results["gathered"] == [[x, {"Number": {"x": x}}] for x in (3, 1, 2)]


def test_reduce_skips_members_that_lack_the_name() -> None:
    """The list may be shorter than the sweep."""
    source = TaskSpec(tasks.SavesSometimes, config={"x": [1, 2, 3]}, expand="product")
    run = run_chain(source, TaskSpec(tasks.Gather, reduce=True))
    assert [each[0] for each in run["Gather"][0].results["gathered"]] == [1, 3]


@pytest.mark.parametrize(
    "task", [tasks.LazyPromise, tasks.LazyOptional, tasks.LazyUnion], ids=lambda t: t.__name__
)
def test_promise_annotation_gives_a_promise(task: type[Task], store: ResultsStore) -> None:
    """Also as a union, and although the module keeps its annotations as strings."""
    run = run_chain(TaskSpec(tasks.Number, config={"x": 5}), TaskSpec(task), results_store=store)
    assert run[task.__name__][0].results == {"seen": [True, 5]}


@pytest.mark.parametrize("task", [tasks.LazyList, tasks.LazyOldList], ids=lambda t: t.__name__)
def test_lazy_sweep_annotation_gives_lazy_sweeps(task: type[Task], store: ResultsStore) -> None:
    """`list[LazySweep]` and `List[LazySweep]`, in every store."""
    run = run_chain(numbers(5, 6), TaskSpec(task, reduce=True), results_store=store)
    assert run[task.__name__][0].results == {"seen": [["LazySweep", 5], ["LazySweep", 6]]}


def test_function_tasks_with_and_without_task() -> None:
    """A function gets its config and its inputs, and the running task if it asks for it."""
    source = TaskSpec(tasks.plain_source, config={"x": [2, 3]}, expand="product")
    middle = TaskSpec(tasks.with_task, config={"y": 10})
    run = run_chain(source, middle, TaskSpec(tasks.plain_reduce, reduce=True))
    assert [each.results for each in run["with_task"]] == [
        {"product": 20, "name": "with_task-1"},
        {"product": 30, "name": "with_task-2"},
    ]
    assert run["plain_reduce"][0].results == {"products": [20, 30]}


def test_expects_of_class_and_function_tasks() -> None:
    """Config, `task` and variadic parameters are not expected from predecessors."""
    assert list(TaskSpec(tasks.Both).expects) == ["left", "right"]
    assert list(TaskSpec(tasks.Greedy).expects) == []
    assert list(TaskSpec(tasks.with_task, config={"y": 1}).expects) == ["value"]


def test_config_key_task_of_a_function_is_refused() -> None:
    """`task` is the running task; the spec says so at once."""
    with pytest.raises(ValueError, match="task"):
        TaskSpec(tasks.with_task, config={"y": 1, "task": 2})


@pytest.mark.parametrize("key", ["name", "config", "save", "run_dir", "results_store"])
def test_config_keys_of_task_attributes_are_protected(key: str) -> None:
    """A class task has attributes of these names: refused before anything runs."""
    with pytest.raises(ValueError, match=key):
        Flow([TaskSpec(tasks.Anything, config={key: 1})])


def test_calling_super_is_optional() -> None:
    """`self` works in `__init__` whether or not `super().__init__()` is called."""
    run = run_chain(TaskSpec(tasks.WithSuper, config={"x": 3}))
    assert run["WithSuper"][0].results == {"x": 3}


def test_config_in_annotated_fields() -> None:
    """A class without `__init__` takes its annotated fields, defaults included."""
    run = run_chain(TaskSpec(tasks.Fields, config={"x": 3}))
    assert run["Fields"][0].results == {"sum": 8}


def test_resource_set_in_init_wins() -> None:
    """What user code assigns is what it reads."""
    run = run_chain(TaskSpec(tasks.OwnResource), resources=["theirs"])
    assert run["OwnResource"][0].results == {"resource": "mine"}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("dict", {"a": 1, "b": 2}),
        ("none", None),
        ("number", {"result": 7}),
        ("list", {"result": [1, 2]}),
    ],
)
def test_returned_values_are_artifacts(what: str, expected: object) -> None:
    """A dict item by item, None nothing, anything else as `result`."""
    run = run_chain(TaskSpec(tasks.Returns, config={"what": what}))
    assert (run["Returns"][0].results or None) == expected


def test_saving_and_returning_one_name_is_an_error() -> None:
    """It is never decided silently which of the two counts."""
    with pytest.raises(Exception, match="value"):
        run_chain(TaskSpec(tasks.SavesTwice))


def test_saved_value_is_independent_of_later_changes(store: ResultsStore) -> None:
    """A saved list is what it was when it was saved, and every consumer has its own."""
    mutator = TaskSpec(tasks.Mutator)
    readers = TaskSpec(tasks.MutatesInput, config={"who": ["a", "b"]}, expand="product")
    run = run_chain(mutator, readers, results_store=store)
    assert run["Mutator"][0].results == {"value": [1, 2]}
    assert [each.results["length"] for each in run["MutatesInput"]] == [3, 3]


def test_additional_kwargs_win_over_the_config() -> None:
    """They override keys of the same name and leave the identity alone."""
    first = TaskSpec(tasks.Number, config={"x": 1}, additional_kwargs={"x": 2})
    run = run_chain(first)
    assert run["Number"][0].results == {"value": 2}


def test_grandparent_is_loaded_by_the_config_of_a_sweep(store: ResultsStore) -> None:
    """`task.load(name, task_name=, task_unique_config=sweep.config)` finds the exact ancestor."""
    run = run_chain(
        numbers(3, 4),
        TaskSpec(tasks.Add, config={"y": [10, 20]}, expand="product"),
        TaskSpec(tasks.LoadsUpstream, reduce=True),
        results_store=store,
    )
    assert run["LoadsUpstream"][0].results == {"values": [3, 3, 4, 4]}


def test_mutated_config_does_not_leak() -> None:
    """A task may change the config it was given; the next node has its own copy."""
    nested = {"inner": [1, 2]}
    spec = TaskSpec(tasks.MutatesConfig, config={"nested": nested})
    run = run_chain(spec)
    assert run["MutatesConfig"][0].results == {"nested": {"inner": [1, 2, 4], "new": 1}}
    assert dict(run["MutatesConfig"][0].unique_config) == {
        "MutatesConfig": {"nested": {"inner": [1, 2]}}
    }
    assert nested == {"inner": [1, 2]}
