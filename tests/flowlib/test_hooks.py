"""`before=`: what a worker calls before each task, and the seed that belongs to a node."""

from __future__ import annotations

import random

import pytest

from flowlib import Flow, SpecError, TaskSpec
from stores import InMemoryStore
from tests.flowlib import hook_tasks as tasks


@pytest.fixture(autouse=True)
def no_state():
    """Hooks of other tests have left nothing."""
    tasks.STATE.clear()


def run(*specs, workers=1, **options):
    return Flow(list(specs)).run(num_workers=workers, **options)


def spec(task, count=3, **options) -> TaskSpec:
    return TaskSpec(task, {"n": list(range(count))}, expand="product", **options)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("task", [tasks.drawn, tasks.Drawn])
def test_a_hook_runs_before_the_task_and_its_constructor(task, workers):
    """Seeded by the node, numbers are the same wherever and in whatever order they are drawn."""
    found = run(spec(task, before=tasks.seeded), workers=workers)[task.__name__]
    numbers = [each["number"] for each in found]
    seeds = [int(each.address.key[:8], 16) for each in found]

    assert numbers == [random.Random(seed).random() for seed in seeds]
    assert len(set(numbers)) == 3


def test_the_seed_of_a_node_follows_from_its_key():
    """The same for the same config, in every run and store; another one for another."""
    first, second = (run(spec(tasks.Drawn))["Drawn"] for _ in range(2))
    seeds = [each["seed"] for each in first]

    assert seeds == [each["seed"] for each in second]
    assert len(set(seeds)) == 3
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_hooks_run_in_order_and_see_the_task():
    """Its name, its config, and what it was leased; the devices are set by then."""
    hooks = [tasks.noted, tasks.ordered]
    one = spec(tasks.drawn, 1, before=hooks, resources={"gpu": 1})
    state = run(one, resources={"gpu": [2]})["drawn"][0]["state"]

    assert state["order"] == ["noted", "ordered"]
    assert (state["name"], state["config"]) == ("drawn", {"n": 0})
    assert (state["resource"], state["device"]) == ("cuda:0", "2")


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_hook_raises_is_a_failure_of_its_task(workers):
    """The task is not run; retries and records are those of any failure."""
    store = InMemoryStore()
    done = run(
        spec(tasks.drawn, 2, before=tasks.refuses, retries={"exception": 1}),
        workers=workers,
        results_store=store,
        exit_on_error=False,
    )

    assert done.counts == {"failed": 2}
    assert {each.error.type_ for each in done.failed} == {"LookupError"}
    record = store.record(done.failed[0].address)
    assert record.latest.number == 2
    assert record.latest.error.message.startswith("no licence for drawn-")


def test_hooks_are_no_part_of_the_identity():
    """A result that was computed with another hook is found."""
    store = InMemoryStore()
    run(spec(tasks.drawn, before=tasks.seeded), results_store=store)

    assert run(spec(tasks.drawn), results_store=store).counts == {"cached": 3}
    assert run(spec(tasks.drawn, before=[]), results_store=store).counts == {"cached": 3}


def test_lambdas_and_built_in_functions_are_hooks():
    """They travel by value."""
    hooks = [lambda task: random.seed(7), print, str]
    found = run(spec(tasks.drawn, 2, before=hooks), workers=2)["drawn"]

    assert {each["number"] for each in found} == {random.Random(7).random()}


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("seed", "drawn: before has 's', which cannot be called"),
        (3, "drawn: before has 3, which cannot be called"),
        ([None], "drawn: before has None"),
        (lambda: None, "cannot be called with the task: too many positional"),
        (lambda one, two: None, "cannot be called with the task: missing a required"),
    ],
)
def test_what_cannot_be_called_with_a_task_is_refused_at_once(before, message):
    """With the spec and the hook."""
    with pytest.raises(SpecError, match=message):
        TaskSpec(tasks.drawn, {"n": 1}, before=before)
