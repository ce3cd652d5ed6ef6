"""Runs of what is wanted: only, skip, keep, resume; views, manifest and totals agree."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowlib import Flow, NothingSelected, SelectorError, TaskSpec, TaskState
from flowlib.event_log import read_events
from flowlib.events import RunEnded, RunStarted
from flowlib.flow_arguments import RunArguments, WantedArguments
from flowlib.run_manifest import states_of_run
from flowlib.run_options import RunOptions
from flowlib.stored_runs import tasks_of_run
from flowlib.stored_selection import select_records
from stores import InMemoryStore, LocalFileStore


def load(n=1):
    return {"data": n}


def fit(data, lr=0.1, fails=False):
    if fails:
        raise ValueError("told to")
    return {"score": data * lr}


def report(score):
    return {"text": len(score)}


def flow(lr=(0.1, 0.2), fails=()):
    """load → fit (one for each lr; those in `fails` fail) → report."""
    first = TaskSpec(load)
    config = {"lr": list(lr), **({"fails": [each in fails for each in lr]} if fails else {})}
    second = TaskSpec(fit, config, expand="zip" if fails else "product").requires(first)
    return Flow([TaskSpec(report, reduce=True).requires(second)])


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path)


def run(flow, store, **wanted):
    wanted = {"num_workers": 1, "exit_on_error": False, "progress": None, **wanted}
    return flow.run(results_store=store, **wanted)


def reasons(plan):
    return {plan.graph.nodes[key].unique_name: reason.value for key, reason in plan.reasons.items()}


def totals(done):
    """What views, the manifest and the last event say of the counts of a run."""
    events = list(read_events(Path(done.folder)))
    start = next(each for each in events if isinstance(each, RunStarted))
    end = next(each for each in events if isinstance(each, RunEnded))
    manifest = json.loads(Path(done.folder, "manifest.json").read_text())
    states = states_of_run(Path(done.folder))
    assert end.counts == done.counts == manifest["counts"]
    assert sum(each.total for each in start.specs) == sum(done.counts.values()) == len(states)
    assert sum(each.cached for each in start.specs) == done.counts.get("cached", 0)
    return {each.name: (each.total, each.cached) for each in start.specs}


def test_only_what_is_missing_for_the_targets_runs(store):
    """Then nothing but the targets is wanted, and a cached target needs nothing."""
    first = run(flow(), store, only="fit[lr=0.1]")
    assert first.counts == {"finished": 2}
    assert totals(first) == {"load": (1, 0), "fit": (1, 0)}
    assert first.ok

    again = run(flow(), store, only="fit[lr=0.1]")
    assert again.counts == {"cached": 1}
    assert totals(again) == {"fit": (1, 1)}
    assert again.ok
    assert again["load"][0].state is TaskState.PENDING
    assert again["load"][0].results is None
    assert [each.state for each in again["fit"]] == [TaskState.FINISHED, TaskState.PENDING]
    assert str(again).startswith("≡ 1 task is cached")


def test_a_cached_target_needs_no_ancestor_even_if_that_failed_or_is_gone(store):
    """Its result counts; only what is missing looks upstream."""
    run(flow(), store)
    load_ = next(each for each in store.addresses("load"))
    store.remove(load_)
    assert reasons(flow().plan(results_store=store, only="report")) == {}
    assert reasons(flow().plan(results_store=store)) == {"load": "new"}
    more = flow((0.1, 0.2, 0.3)).plan(results_store=store, only="fit")
    assert reasons(more) == {"load": "new", "fit-3": "new"}


def test_what_is_skipped_and_what_needs_it_is_not_wanted(store):
    """It is no failure; what needs none of its results goes on."""
    first = run(flow(), store, skip="fit[lr=0.2]")
    assert first.counts == {"finished": 2}
    assert first.ok
    assert totals(first) == {"load": (1, 0), "fit": (1, 0)}
    assert first["report"][0].state is TaskState.PENDING
    assert [each.state for each in first["fit"]] == [TaskState.FINISHED, TaskState.PENDING]

    rest = run(flow(), store, skip="load")
    assert rest.counts == {"cached": 1, "finished": 2}, "the result of load is there"
    assert run(flow(), store).counts == {"cached": 4}


def test_a_run_that_wants_nothing_is_ok_and_says_so(store):
    """Nothing is counted."""
    done = run(flow(), store, skip="all")
    assert (done.ok, done.counts, list(done)) == (True, {}, ["load", "fit", "report"])
    assert str(done).startswith("≡ nothing was wanted  in")


def test_keep_lets_a_result_count_whatever_is_different(store):
    """A changed default and all that follows from it; force is stronger."""

    def make(extra):
        def other(x=1, extra=extra):
            return {"data": x + extra}

        first = TaskSpec(other, name="load")
        second = TaskSpec(fit).requires(first)
        return Flow([TaskSpec(report, reduce=True).requires(second)])

    run(make(1), store)
    changed = make(2)
    assert reasons(changed.plan(results_store=store)) == {
        "load": "default",
        "fit": "upstream",
        "report": "upstream",
    }
    assert reasons(changed.plan(results_store=store, keep="load")) == {}
    kept = changed.plan(results_store=store, keep="fit+")
    assert reasons(kept) == {"load": "default"}
    assert run(changed, store, keep="load").counts == {"cached": 3}
    forced = changed.plan(results_store=store, keep="all", force="fit")
    assert reasons(forced) == {"fit": "force"}


def test_what_cannot_be_kept_is_told_and_runs(store):
    """There is no result: a note, no error."""
    run(flow((0.1,)), store)
    plan = flow().plan(results_store=store, keep="fit")
    assert reasons(plan) == {"fit-2": "new", "report": "new"}
    assert plan.notes == ("keep: 1 of 2 tasks has no result to keep",)
    assert "  note: keep: 1 of 2 tasks has no result to keep" in str(plan).splitlines()


def test_failures_are_selected_by_their_word(store):
    """In force, only, skip and keep; @last is what the last run was asked for."""
    run(flow(fails=(0.2,)), store)
    again = flow(fails=(0.2,))
    assert reasons(again.plan(results_store=store, only="@failed")) == {"fit-2": "failed"}
    rest = again.plan(results_store=store, skip="@failed")
    assert (reasons(rest), len(rest.left_out)) == ({}, 2)
    assert reasons(again.plan(results_store=store, force="@failed")) == {
        "fit-2": "force",
        "report": "new",
    }
    run(again, store, only="load")
    assert [n.name for n in again.plan(results_store=store, only="@last").cached] == ["load"]
    with pytest.raises(NothingSelected, match="only: '@interrupted' selects nothing"):
        again.plan(results_store=store, only="@interrupted")
    with pytest.raises(SelectorError, match="there is no @fialed. Did you mean failed"):
        again.plan(results_store=store, only="@fialed")


def test_the_last_run_is_the_same_for_a_flow_and_for_a_store(store):
    """What was left out of it is not meant, and names keep their numbers."""
    done = run(flow(), store, only="fit[lr=0.2]")
    assert set(tasks_of_run(Path(done.folder))) == {"load", "fit-2"}
    plan = flow().plan(results_store=store, only="@last")
    assert sorted(n.address for n in plan.cached) == select_records(store, ["@last"])


def test_resume_goes_on_where_a_run_was(store):
    """What it wanted is wanted, what had finished counts, what had not runs; not more."""
    bad = flow(fails=(0.2,))
    run(bad, store, run_name="calm-finch-07", only="fit")
    plan = bad.plan(results_store=store, resume="calm-finch-07")
    assert reasons(plan) == {"fit-2": "failed"}
    assert sorted(n.unique_name for n in plan.cached) == ["fit-1", "load"]
    assert [plan.graph.nodes[key].unique_name for key in plan.left_out] == ["report"]

    done = run(bad, store, resume="calm-finch-07")
    assert done.counts == {"cached": 2, "failed": 1}
    assert not done.ok
    assert reasons(bad.plan(results_store=store, resume="calm-finch-07", only="load")) == {}


def test_a_run_that_does_not_exist_is_named_with_the_nearest(store):
    """So is one that wanted nothing of this flow, and what the two wishes do not share."""
    run(flow(), store, run_name="calm-finch-07", only="load")
    with pytest.raises(NothingSelected, match="no run 'calm-fnich-07'. Did you mean calm-finch-07"):
        flow().plan(results_store=store, resume="calm-fnich-07")
    with pytest.raises(NothingSelected, match="did not want what only='fit' means"):
        flow().plan(results_store=store, resume="calm-finch-07", only="fit")
    other = Flow([TaskSpec(load, {"n": 7})])
    with pytest.raises(NothingSelected, match="wanted none of the tasks of this flow"):
        other.plan(results_store=store, resume="calm-finch-07")
    with pytest.raises(NothingSelected, match="knows of no run"):
        flow().plan(results_store=LocalFileStore(store.base_dir + "/other"), resume="x")


def test_the_rest_of_a_flow_that_has_changed_is_resumed_with_a_note(store):
    """Tasks that are not there any more are counted."""
    run(flow((0.1, 0.2, 0.3)), store, run_name="r")
    plan = flow((0.1,)).plan(results_store=store, resume="r")
    assert plan.notes == ("3 tasks that run r wanted are not in this flow",)


SCRIPT = """
import os, signal
from flowlib import Flow, TaskSpec
from stores import LocalFileStore

def number(x=0):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"y": x}

def other():
    return {"z": 1}

flow = Flow([TaskSpec(number, {"x": list(range(5))}, expand="product"), TaskSpec(other)])
flow.run(1, results_store=LocalFileStore("store"), run_name="killed", only="number", progress=None)
"""


def test_a_run_that_was_killed_is_resumed(tmp_path):
    """Its manifest was there from the start: what it wanted is wanted, what it did is cached."""
    script = tmp_path / "killed.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == -signal.SIGKILL

    def number(x=0):
        return {"y": x}

    def other():
        return {"z": 1}

    numbers = TaskSpec(number, {"x": list(range(5))}, expand="product", name="number")
    same = Flow([numbers, TaskSpec(other, name="other")])
    store = LocalFileStore(tmp_path / "store")
    resumed = run(same, store, resume="killed")
    assert resumed.counts == {"cached": 3, "finished": 2}
    assert resumed.ok


def test_wishes_that_are_none_are_refused_before_anything_runs():
    """With the name of the argument; so are arguments that do not exist."""
    store = InMemoryStore()
    for name in ("only", "skip", "keep"):
        with pytest.raises(NothingSelected, match=f"{name}: 'ftt' selects nothing.*mean fit"):
            run(flow(), store, **{name: "ftt"})
        with pytest.raises(TypeError, match=f"{name} takes a selector or a list of them, not int"):
            flow().plan(results_store=store, **{name: 5})
    with pytest.raises(
        TypeError, match=r"Flow.run\(\) takes no argument 'olny'. Did you mean only"
    ):
        run(flow(), store, olny="fit")
    with pytest.raises(TypeError, match=r"argument 'num_worker'\. Did you mean num_workers\?"):
        flow().run(num_worker=2)
    with pytest.raises(TypeError, match=r"argument 'result_store'\. Did you mean results_store\?"):
        flow().plan(result_store=store)
    with pytest.raises(TypeError, match=r"Flow.plan\(\) takes no argument 'grace_s'"):
        flow().plan(results_store=store, grace_s=1)
    with pytest.raises(ValueError, match="num_workers must be 1 or more"):
        flow().plan(results_store=store, num_workers=0)
    assert list(store.addresses()) == []


def test_every_argument_by_name_is_an_option_of_the_run():
    """What may be said stands in one place and is known to the machinery."""
    known = set(inspect.signature(RunOptions).parameters)
    assert set(RunArguments.__annotations__) | set(WantedArguments.__annotations__) <= known
    for each in (WantedArguments, RunArguments):
        for name in set(each.__annotations__) - set(WantedArguments.__annotations__):
            assert re.search(rf"^ +{name}: ", each.__doc__, re.MULTILINE)


def test_resources_of_what_is_not_wanted_need_not_be_there(store):
    """A flow without the GPU of its training runs as far as it can."""
    first = TaskSpec(load)
    greedy = TaskSpec(fit, resources={"gpu": 1}).requires(first)
    done = run(Flow([greedy]), store, skip="fit", resources={"cpu": 1})
    assert done.counts == {"finished": 1}
