"""What is grown and the task that has grown it belong together: removal, copies, listings."""

from __future__ import annotations

import json

import pytest

from flowlib import Flow, InMemoryStore, LocalFileStore
from flowlib.record_story import record_story
from flowlib.removal import plan_removal
from flowlib.stored_selection import select_records
from stores import DependentsExist
from tests.flowlib import growing_tasks as tasks


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    """A store with a split that was computed, and what reads it."""
    store = InMemoryStore() if request.param == "memory" else LocalFileStore(tmp_path / "s")
    flow = Flow([tasks.after(tasks.split(tasks.load(2)))])
    flow.run(num_workers=1, results_store=store)
    return store


def names(addresses):
    return sorted(each.task for each in addresses)


def test_who_has_grown_a_task_has_its_results_from_there(store):
    """Removal of what was grown names and removes the task that has returned it, and its readers."""
    total = select_records(store, ["total"])
    assert names(plan_removal(store, total).dependents) == ["after", "split"]
    assert names(store.dependents("square")) == ["after", "split", "total"]
    with pytest.raises(DependentsExist, match="split"):
        store.delete_records("total")
    done = store.delete_records("total", with_dependents=True)
    assert [each.task for each in done.removed] == ["after", "split", "total"]
    assert names(store.addresses()) == ["load", "square", "square"]


def test_what_has_grown_a_task_is_no_source_of_it(store):
    """The other direction: what is grown stands for itself."""
    assert names(store.dependents("split")) == ["after"]


def test_dependents_of_what_was_grown_may_stay(store):
    """The values are kept with the task that has returned the specs, too."""
    store.delete_records("total", keep_dependents=True)
    assert store.get(select_records(store, ["split"])[0], "result") == 1
    plan = Flow([tasks.split(tasks.load(2))]).plan(results_store=store)
    assert sorted(node.name for node in plan.to_run) == ["split", "total"]


def test_a_copy_takes_along_what_was_grown(store):
    """A plan over the copy has nothing to run."""
    other = InMemoryStore()
    store.copy("after", other)
    assert names(other.addresses()) == ["after", "load", "split", "square", "square", "total"]
    plan = Flow([tasks.after(tasks.split(tasks.load(2)))]).plan(results_store=other)
    assert plan.to_run == []


def test_selectors_and_stories_know_of_it(store):
    """`total+`, `+split`, and what `flowlib show` tells of both."""
    assert names(select_records(store, ["total+"])) == ["after", "split", "total"]
    found = names(select_records(store, ["+split"]))
    assert found == ["load", "split", "square", "square", "total"]
    [split], [total] = select_records(store, ["split"]), select_records(store, ["total"])
    assert names(e.address for e in record_story(store, split).upstream) == ["load", "total"]
    assert names(e.address for e in record_story(store, total).downstream) == ["split"]


def test_the_configs_of_ancestors_are_those_of_what_was_read(store):
    """What was grown is no ancestor: two squares have no common config."""
    [split] = select_records(store, ["split"])
    [config] = store.unique_configs([split]).values()
    assert sorted(config) == ["load", "split"]


def test_records_of_an_earlier_flowlib_are_read(tmp_path):
    """Which did not tell what was grown."""
    store = LocalFileStore(tmp_path / "s")
    Flow([tasks.split(tasks.load(2))]).run(num_workers=1, results_store=store)
    [split] = select_records(store, ["split"])
    path = tmp_path / "s" / "split" / f"{split.key}.json"

    found = json.loads(path.read_text())
    assert [each[:2] for each in found["latest"].pop("grown")] == [["value", "total"]]
    path.write_text(json.dumps(found))
    assert store.record(split).latest.grown == ()
    assert store.dependents("total") == []
    assert Flow([tasks.split(tasks.load(2))]).plan(results_store=store).to_run == []
