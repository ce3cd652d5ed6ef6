"""What would run, and why: the reasons, what is forced, what is older than its input."""

from __future__ import annotations

import pytest

from flowlib import Flow, SelectorError, TaskSpec
from stores import InMemoryStore


def number(x=1, fails=False):
    if fails:
        raise ValueError("told to")
    return {"value": x}


def double(value):
    return {"twice": 2 * value}


def chain(**config):
    first = TaskSpec(number, {"x": [1, 2], **config}, expand="product")
    return Flow([first, TaskSpec(double).requires(first)])


@pytest.fixture
def store():
    return InMemoryStore()


def reasons(plan):
    return {plan.graph.nodes[key].unique_name: reason.value for key, reason in plan.reasons.items()}


def test_an_empty_store_makes_everything_new(store):
    """Every node has a reason, in running order."""
    plan = chain().plan(results_store=store)

    assert reasons(plan) == dict.fromkeys(["number-1", "number-2", "double-1", "double-2"], "new")
    assert [n.unique_name for n in plan.to_run][:2] == ["number-1", "number-2"]
    assert plan.cached == []


def test_after_a_run_all_is_cached_and_planning_writes_nothing(store):
    """A plan never runs anything."""
    chain().run(num_workers=1, results_store=store)
    plan = chain().plan(results_store=store)

    assert plan.to_run == []
    assert len(plan.cached) == 4


def test_a_failed_node_says_so(store):
    """What waited for it is new."""
    flow = chain(fails=True)
    flow.run(num_workers=1, results_store=store, exit_on_error=False)

    assert reasons(chain(fails=True).plan(results_store=store)) == {
        "number-1": "failed",
        "number-2": "failed",
        "double-1": "new",
        "double-2": "new",
    }


def test_force_names_the_forced_and_plus_what_is_downstream(store):
    """Plain force leaves the readers cached, and names them as older than their input."""
    chain().run(num_workers=1, results_store=store)
    plain = chain().plan(force="number", results_store=store)
    spread = chain().plan(force=["number+"], results_store=store)

    assert set(reasons(plain).values()) == {"force"}
    assert {node.name for node in plain.stale} == {"double"}
    assert reasons(spread) == {
        "number-1": "force",
        "number-2": "force",
        "double-1": "upstream",
        "double-2": "upstream",
    }
    assert "older than their input: double" in str(plain)


def test_a_changed_default_runs_again_and_spreads(store):
    """A parameter that both know has another default now."""

    def old(x=1, extra=5):
        return {"value": x + extra}

    def new(x=1, extra=6):
        return {"value": x + extra}

    def more(x=1, extra=5, added=0):
        return {"value": x + extra + added}

    def flow(task):
        first = TaskSpec(task, {"x": 3}, name="sum")
        return Flow([TaskSpec(double).requires(first)])

    flow(old).run(num_workers=1, results_store=store)
    assert reasons(flow(more).plan(results_store=store)) == {}
    assert reasons(flow(new).plan(results_store=store)) == {"sum": "default", "double": "upstream"}


def test_why_explains_one_node_by_any_of_its_names(store):
    """Unique name, key, or the first characters of the key."""
    plan = chain().plan(results_store=store)
    node = plan.to_run[0]

    assert (
        str(plan.why("number-1"))
        == str(plan.why(node.key))
        == str(plan.why(f"number/{node.key[:8]}"))
    )
    assert plan.why("number-1").headline.endswith("no result for this configuration")
    with pytest.raises(SelectorError, match="Did you mean number-1"):
        plan.why("numbr-1")


@pytest.mark.parametrize(
    ("force", "error", "message"),
    [
        ("numbr", SelectorError, "Did you mean number"),
        (["number", "nope+"], SelectorError, "'nope\\+'"),
        ("", SelectorError, "is no selector"),
        (["all", "number"], TypeError, "alone"),
        (5, TypeError, "a selector or a list of them"),
    ],
)
def test_bad_force_is_refused(store, force, error, message):
    """Before anything runs."""
    with pytest.raises(error, match=message):
        chain().plan(force=force, results_store=store)
    with pytest.raises(error, match=message):
        chain().run(force=force, results_store=store)
    assert list(store.addresses()) == []


def test_the_table_counts_by_spec(store):
    """The text that the demo prints."""
    chain().run(num_workers=1, results_store=store)
    lines = str(chain().plan(force="double", results_store=store)).splitlines()

    assert [line.split() for line in lines[1:2] + lines[3:6]] == [
        ["spec", "tasks", "cached", "run", "why", "est."],
        ["number", "2", "2"],
        ["double", "2", "2", "force", "×2", "<0:01"],
        ["total", "4", "2", "2", "<0:01", "with", "2", "workers"],
    ]
