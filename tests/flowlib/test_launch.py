"""How a run is put together: its arguments, refused early and clearly."""

from __future__ import annotations

import re
import sys
import time

import pytest

from flowlib import Flow, ResourceError, Task, TaskFailed, TaskSpec
from flowlib.spec_totals import spec_totals
from stores import InMemoryStore, UnknownPlugin


def task(x=1):
    return {"x": x}


def slow(x=1):
    time.sleep(0.02)


def leaves(code=0):
    sys.exit(code)


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__("odd")
        self.both = (one, two)


def odd():
    raise OddError(1, 2)


def scored(i=0):
    return {"score": float("nan") if i == 0 else float(i), "blob": "x" * 10_000}


@pytest.fixture
def flow():
    return Flow([TaskSpec(task, {"x": [1, 2]}, expand="product")])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_workers": 0}, ValueError, "num_workers must be 1 or more, not 0"),
        ({"num_workers": True}, ValueError, "num_workers"),
        ({"max_failures": 0}, ValueError, "max_failures must be 1 or more, not 0"),
        ({"return_results": "al"}, ValueError, '"all", "latest" and None'),
        ({"executor": "inlin"}, UnknownPlugin, "Did you mean inline"),
        ({"progress": "line"}, UnknownPlugin, "Did you mean lines"),
        ({"progress": "autoo"}, UnknownPlugin, "auto, .*Did you mean auto"),
        ({"progress": 3}, UnknownPlugin, "unknown view '3'"),
        ({"run_name": 3}, TypeError, "run_name is text, not 3"),
        ({"project_name": 3}, TypeError, "project_name is text, not 3"),
        ({"resources": {"cpu": -1}}, ResourceError, "0 or more"),
        ({"start_method": "spwan"}, ValueError, "Did you mean spawn"),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(flow, options, error, message):
    """Nothing is in the store afterwards."""
    store = InMemoryStore()
    with pytest.raises(error, match=message):
        flow.run(results_store=store, **{"num_workers": 1, **options})

    assert list(store.addresses()) == []


def test_what_is_no_store_or_no_spec_is_told(flow):
    """With what to write instead."""
    for call in (flow.run, flow.plan):
        with pytest.raises(TypeError, match="no store: give LocalFileStore"):
            call(results_store="runs")
    for wrong in (TaskSpec(task), [task]):
        with pytest.raises(TypeError, match="a list of TaskSpecs"):
            Flow(wrong)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config": {1: 2}}, "parameter names, not 1"),
        ({"config": [1]}, "config is a mapping"),
        ({"reduce": []}, "reduce is True, or a list"),
        ({"reduce": 1}, "reduce is True, or a list"),
        ({"priority": "a"}, "priority"),
        ({"name": 3}, "task: a name is text that is not empty, not 3"),
        ({"retries": -1}, "retries"),
        ({"timeout": "soon"}, "timeout"),
    ],
)
def test_odd_options_of_a_spec_are_told_at_once(options, message):
    """The spec and the option are named."""
    with pytest.raises(ValueError, match=message):
        Flow([TaskSpec(task, **options)])


def test_a_task_that_cannot_be_called_is_told_at_once():
    """No run(), or one that has to be awaited."""

    async def waits():
        return None

    class Empty(Task):
        pass

    with pytest.raises(ValueError, match="Empty has no run"):
        TaskSpec(Empty, name="Empty")
    with pytest.raises(ValueError, match="async"):
        TaskSpec(waits, name="waits")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_exits_fails_and_never_ends_the_driver(workers):
    """sys.exit(0) in a task is a failure, not a success of the script."""
    spec = TaskSpec(leaves, {"code": [0, 1]}, expand="product")
    with pytest.raises(TaskFailed, match="SystemExit: [01]"):
        Flow([spec]).run(num_workers=workers)


def test_the_exception_of_a_task_in_this_process_is_the_one_it_raised():
    """Also one that cannot be pickled."""
    with pytest.raises(OddError) as caught:
        Flow([TaskSpec(odd)]).run(num_workers=1)

    assert caught.value.both == (1, 2)


def test_the_best_is_found_without_loading_the_rest(flow, monkeypatch):
    """NaN never wins; only the metric is loaded."""
    run = Flow([TaskSpec(scored, {"i": [0, 1, 2]}, expand="product")]).run(num_workers=1)
    loaded = []
    load = run.store.load_artifact
    monkeypatch.setattr(
        run.store, "load_artifact", lambda a, n, r, **o: loaded.append(r.name) or load(a, n, r, **o)
    )

    assert run["scored"].best("score").task_unique_name == "scored-3"
    assert set(loaded) <= {"score"}  # a plain number is read where it stands
    assert [row.keys() & {"score", "blob"} for row in run["scored"].to_dicts()] == [{"score"}] * 3


def test_a_run_without_a_store_forgets(flow):
    """Each such run has a memory store of its own."""
    assert flow.run(num_workers=1).counts == {"finished": 2}
    assert flow.run(num_workers=1).counts == {"finished": 2}


def test_lines_tell_every_event(flow, capsys):
    """One plain line per event on stderr and a summary, nothing on stdout."""
    flow.run(num_workers=1, progress="lines", run_name="demo")
    out, err = capsys.readouterr()
    lines = [line.split(maxsplit=1)[1] for line in err.splitlines()]

    assert out == ""
    assert lines[0] == "run demo: 2 to run, 0 cached"
    assert lines[1].startswith("[0/2] start   task-1 x=1 (task/")
    assert lines[2].startswith("[1/2] done    task-1 x=1 (task/")
    assert lines[5].startswith("2 tasks finished  in ")
    assert lines[5].endswith(" s   run demo")


def test_plans_and_runs_are_shown_in_notebooks(tmp_path):
    """Static, escaped, small: a table of the plan, the summary of the run."""
    name = "<b>&task</b>"
    flow = Flow([TaskSpec(task, {"x": [1, 2]}, expand="product", name=name)])
    store = InMemoryStore()
    plan = flow.plan(results_store=store)._repr_html_()
    run = flow.run(num_workers=1, results_store=store, run_name="demo")

    for page in (plan, run._repr_html_()):
        assert "&lt;b&gt;&amp;task&lt;/b&gt;" in page
        assert "<b>" not in page
        assert len(page) < 50_000
    assert '<td style="text-align:right">2</td>' in plan
    assert "new ×2" in plan
    assert "✔ 2 tasks finished" in run._repr_html_()
    assert str(run).startswith("✔ 2 tasks finished  in ")
    assert repr(run) == "<Run demo: 2 finished>"


def test_a_large_plan_is_a_small_page():
    """A thousand specs: the first hundred, and how many more."""
    specs = [TaskSpec(task, name=f"{number}{'<' * 80}") for number in range(1000)]
    page = Flow(specs).plan()._repr_html_()

    assert len(page) < 50_000
    (hidden,) = re.findall(r"… and (\d+) more", page)
    assert page.count("<tr>") - 2 + int(hidden) == 1000  # without the head and the total


def test_a_plan_knows_how_long_its_tasks_took():
    """From the look that it took into the store; forced ones count for the mean, not as saved."""
    store = InMemoryStore()
    flow = Flow([TaskSpec(slow, {"x": [1, 2]}, expand="product"), TaskSpec(task)])
    before = spec_totals(flow.plan(results_store=store))
    flow.run(num_workers=1, results_store=store)
    after = {each.name: each for each in spec_totals(flow.plan("slow", store))}

    assert [(each.cached, each.cached_s, each.mean_s) for each in before] == [(0, 0.0, None)] * 2
    assert (after["slow"].total, after["slow"].cached, after["slow"].cached_s) == (2, 0, 0.0)
    assert 0.02 <= after["slow"].mean_s < 20.0  # a busy machine sleeps longer than it is told
    assert after["task"].cached == 1
    assert after["task"].cached_s == after["task"].mean_s > 0
