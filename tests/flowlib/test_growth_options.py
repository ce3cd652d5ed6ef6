"""What a flow says of options holds for specs that tasks return, too."""

from __future__ import annotations

import pytest

from flowlib import Flow, GraphError, InMemoryStore, NothingSelected, SpecError
from tests.flowlib import growing_tasks as tasks
from tests.flowlib.function_tasks import fit


def options(run_or_plan):
    """The options of each node."""
    return {node.unique_name: node.declaration.options for node in run_or_plan.graph}


def test_defaults_hold_for_what_tasks_return():
    """In the run in which they are returned, in later plans, and at every level."""
    store = InMemoryStore()
    flow = Flow([tasks.split(tasks.load(2))]).defaults(retries=2, tags=["all"])
    run = flow.run(num_workers=1, results_store=store)
    assert run.counts == {"finished": 5}
    found = options(flow.plan(results_store=store))
    assert {each.retries.total for each in found.values()} == {2}
    assert {each.tags for each in found.values()} == {("all",)}

    flow = Flow([tasks.fibonacci(4)]).defaults(priority=7)
    flow.run(num_workers=1, results_store=store)
    assert {each.priority for each in options(flow.plan(results_store=store)).values()} == {7}


def test_queries_find_what_tasks_return_by_name_tag_and_option():
    """What they set is obeyed: here by hooks, which are called before each of these tasks."""
    seen = []
    store = InMemoryStore()
    flow = Flow([tasks.labelled(2)])
    flow.query("^big$").set(before=lambda task: seen.append(("big", task.name)))
    flow.query(tags="odd").set(before=lambda task: seen.append(("odd", task.name)))
    flow.query("^labelled$").set(priority=1)
    flow.run(num_workers=1, results_store=store)
    assert sorted(seen) == [("big", "square"), ("odd", "add")]
    plan = flow.plan(results_store=store)
    assert {name: each.priority for name, each in options(plan).items()} == {
        "labelled": 1,
        "big": 0,
        "add": 0,
    }


def test_layers_and_their_order_are_those_of_other_specs():
    """A spec over defaults, what is set over both; a query means what it meant when it was asked."""
    store = InMemoryStore()
    flow = Flow([tasks.labelled(2)]).defaults(timeout=None, retries=1, wait_timeout=9)
    untried = flow.query(retries=1)
    untried.set(retries=3).query("add").set(retries=5)
    flow.query("add", retries=1)  # it fits nothing any more
    flow.run(num_workers=1, results_store=store)
    found = options(flow.plan(results_store=store))
    assert {name: each.retries.total for name, each in found.items()} == {
        "labelled": 3,
        "big": 4,
        "add": 5,
    }
    assert {each.wait_timeout_s for each in found.values()} == {9}


def test_a_plan_keeps_the_options_it_was_made_with():
    """What is said later counts for later plans."""
    store = InMemoryStore()
    flow = Flow([tasks.split(tasks.load(1))])
    flow.run(num_workers=1, results_store=store)
    first = flow.plan(results_store=store)
    flow.query("^square$").set(priority=2)
    second = flow.plan(results_store=store)
    assert (options(first)["square"].priority, options(second)["square"].priority) == (0, 2)


def test_a_name_that_nothing_has_yet_may_come_if_a_task_says_that_it_returns_specs():
    """Else it is an error, which tells of that."""
    flow = Flow([tasks.split(tasks.load(1))])
    assert len(flow.query("^square$")) == 0
    assert repr(flow.query("^square$")) == "<FlowQuery of 0: >"
    with pytest.raises(NothingSelected, match=r"There are: fit\. .*annotation"):
        Flow([fit([1])]).query("^square$")


def test_an_option_that_does_not_fit_what_was_returned_fails_the_task_that_returned_it():
    """As it is an error for specs that are there."""
    flow = Flow([tasks.split(tasks.load(1))])
    flow.query("^total$").set(min_ok=1)
    with pytest.raises(SpecError, match=r"split returned specs: total: .* is no reduce"):
        flow.run(num_workers=1)


def test_task_specs_that_are_returned_get_options_too():
    """Also those with a grid, and what they require."""
    store = InMemoryStore()
    flow = Flow([tasks.Search.spec([1, 2])]).defaults(retries=1)
    flow.run(num_workers=1, results_store=store)
    found = options(flow.plan(results_store=store))
    assert {name: each.retries.total for name, each in found.items()} == dict.fromkeys(found, 1)
    assert {"Train-1", "make", "pick"} <= set(found)


def test_the_store_of_what_is_returned_is_known_before():
    """Another one is an error, in place of results that lie elsewhere than was said."""
    main, other = InMemoryStore(), InMemoryStore()
    flow = Flow([tasks.split(tasks.load(2))])
    flow.query("^square$").set(store="other")
    stores = {"results_store": main, "stores": {"other": other}}
    with pytest.raises(GraphError, match=r"square-1 has store='other', but .*SplitStore\(main"):
        flow.run(num_workers=1, **stores)

    flow = Flow([tasks.split(tasks.load(2)), tasks.square(9)])
    flow.query("^square$").set(store="other")
    assert flow.run(num_workers=1, **stores).counts == {"finished": 5, "cached": 1}
    assert (other.count("square"), main.count("square")) == (3, 0)
