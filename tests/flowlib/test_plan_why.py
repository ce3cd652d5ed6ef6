"""Why a task is to run or not: what is the same, what is different, what it costs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flowlib import Flow, NothingSelected, SelectorError, TaskSpec
from flowlib.estimates import Cost
from flowlib.signs import ASCII_SIGNS
from stores import InMemoryStore, LocalFileStore
from tests.flowlib.plan_cases import classifiers, put_results


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The results of the classifiers, but for the last."""
    monkeypatch.chdir(tmp_path)
    found = InMemoryStore()
    put_results(found, classifiers(), "Select")
    return found


def key(flow, unique_name):
    return next(str(node.address) for node in flow.graph if node.unique_name == unique_name)


def text(why):
    return str(why).splitlines()


def test_a_new_task_names_the_nearest_and_what_differs(store):
    """And all that would have to be computed for it and because of it."""
    flow = classifiers((1, 3))
    why = flow.plan(results_store=store).why("Tfidf-2")
    nearest = key(classifiers(), "Tfidf-2")

    assert text(why) == [
        f"{key(flow, 'Tfidf-2')} would run: the store has no result for this configuration",
        "  task      Tfidf-2  min_df=3",
        f"  config    min_df 5 → 3 (nearest {nearest})",
        "  upstream  same (1 result)          version  none",
        "  cost      0:40 to compute, 7:44 or more with the 5 tasks that read from it",
    ]
    (document,) = why.to_dict()["tasks"]
    assert document["reason"] == "new"
    assert document["config"] == {
        "differences": [{"path": "min_df", "before": "5", "now": "3"}],
        "nearest": nearest,
        "has_same_upstream": True,
    }
    assert json.dumps(why.to_dict())


def test_a_cached_task_tells_when_it_was_computed(store):
    """And what it would cost to compute it, and all that reads from it, once more."""
    why = classifiers().plan(results_store=store).why("Glove-2")

    assert text(why) == [
        f"{key(classifiers(), 'Glove-2')} is cached: attempt 1 counts",
        "  task      Glove-2  dim=100",
        "  config    same          upstream  same (1 result)          version  none          code  same",
        "  last      finished 2026-11-20 18:02 in run calm-finch-07 after 20.0 s",
        "  cost      0:20 to compute, 7:24 or more with the 5 tasks that read from it",
    ]


def test_what_is_upstream_is_named(store):
    """Those that would run, with their reasons; what may be kept, if it is not forced."""
    flow = classifiers()
    plan = flow.plan(results_store=store, force="Glove-1+")
    assert text(plan.why("Train-1"))[3] == f"  upstream  {key(flow, 'Glove-1')} would run (force)"
    assert "keep" not in str(plan.why("Train-1"))

    lines = text(flow.plan(results_store=store, force="Eval").why("Select"))
    assert lines[3:9] == [
        *[f"  {'upstream' * (n == 1):<8}  {key(flow, f'Eval-{n}')} would run (force)" for n in range(1, 5)],
        "  version   none",
        "  cost      nobody knows how long it takes",
    ]  # fmt: skip


def test_another_version_is_a_reason_of_its_own(store):
    """None, a lower number, another word: same task, same config, same inputs."""
    flow = classifiers(version=2)
    plan = flow.plan(results_store=store)
    assert {r.value for r in plan.reasons.values()} == {"version", "new"}
    assert [n.name for n in plan.to_run if plan.reasons[n.key] == "version"] == ["Train"] * 4
    assert text(plan.why("Train-1")) == [
        f"{key(flow, 'Train-1')} would run: there is a result of another version of the task",
        "  task      Train-1",
        f"  config    the same as that of {key(classifiers(), 'Train-1')}",
        "  upstream  same (2 results)",
        "  version   none → 2",
        "  cost      3:16 to compute, 3:32 or more with the 2 tasks that read from it",
    ]
    put_results(store, classifiers(version="old"), "Fetch", "Clean", "Tfidf", "Glove", "Select")
    other = InMemoryStore()
    put_results(other, classifiers(version="old"), "Select")
    plan = classifiers(version="new").plan(results_store=other)
    assert [n.name for n in plan.to_run if plan.reasons[n.key] == "version"] == ["Train"] * 4
    assert "  version   old → new" in text(plan.why("Train-1"))


def test_another_input_of_a_new_task_is_named(store):
    """What the nearest result read instead is not it; a reduce may read fewer."""
    flow = classifiers((1, 3))
    put_results(store, flow, "Fetch", "Clean", "Glove", "Tfidf-1", "Train", "Eval", "Select")
    lines = text(flow.plan(results_store=store).why("Train-3"))
    input_ = key(flow, "Tfidf-2")
    assert re.fullmatch(rf"  upstream  {input_} is another one than Train/\w{{8}} read", lines[3])

    put_results(store, classifiers(), "Fetch", "Clean", "Glove", "Tfidf", "Train", "Eval")
    lines = text(classifiers((1,)).plan(results_store=store).why("Select"))
    last = key(classifiers(), "Select")
    assert lines[3] == f"  upstream  fewer than {last} read (2 results)          version  none"
    empty = classifiers().plan(results_store=InMemoryStore(), only="Clean").why("Clean")
    assert text(empty)[3].startswith(f"  upstream  {key(classifiers(), 'Fetch')} would run (new)")


def test_a_failure_is_told_with_its_last_line_and_its_log(tmp_path, monkeypatch):
    """When, in which run, after how long; the log is there to be read."""
    monkeypatch.chdir(tmp_path)
    store = LocalFileStore(tmp_path / "store")
    flow = classifiers((1,), fails=True)
    flow.run(results_store=store, num_workers=1, exit_on_error=False, run_name="bad", progress=None)
    plan = flow.plan(results_store=store)
    lines = text(plan.why("@failed"))

    assert lines[0].endswith("would run: it failed the last time")
    assert re.fullmatch(
        r"  last      failed \d{4}-\d\d-\d\d \d\d:\d\d in run bad after \d\.\d\d s: ValueError: loss is nan",
        lines[3],
    )
    log = lines[4].removeprefix("  log       ")
    assert "loss is nan" in Path(log).read_text()
    document = plan.why("Train-1").to_dict()["tasks"][0]
    assert document["log"] == log
    assert document["last"]["error"]["type"] == "ValueError"


def test_a_changed_default_and_a_changed_input_are_told(tmp_path):
    """The parameter with both values; the attempts of the input; how the old result counts."""
    store = LocalFileStore(tmp_path)

    def flow(task):
        first = TaskSpec(task, {"x": 3}, name="sum")
        return Flow([TaskSpec(double, name="double").requires(first)])

    def double(value):
        return {"twice": 2 * value}

    def old(x=1, extra=5):
        return {"value": x + extra}

    def new(x=1, extra=6, added=0):
        return {"value": x + extra}

    flow(old).run(num_workers=1, results_store=store, progress=None)
    plan = flow(new).plan(results_store=store)
    first, id_ = text(plan.why("sum")), str(plan.to_run[0].address)
    assert first[0] == f"{id_} would run: a default of the task was changed since"
    assert first[2] == "  config    extra 5 → 6 (a default was changed)"
    assert f"  keep      the old result counts with keep='{id_}', or --keep {id_}" in first
    assert text(plan.why("double"))[3] == f"  upstream  {id_} would run (default)"
    assert flow(new).plan(results_store=store, keep=id_).to_run == []

    flow(old).run(num_workers=1, results_store=store, force="sum", progress=None)
    plan = flow(old).plan(results_store=store)
    expected = f"  upstream  {id_} was computed again since (attempt 1 → 2)"
    assert text(plan.why("double"))[3] == expected
    assert plan.why("double").headline.endswith("is cached: attempt 1 counts")


def test_what_is_meant_by_a_name(store):
    """A unique name, an id, the beginning of a key, any selector; the nearest if there is none."""
    plan = classifiers().plan(results_store=store)
    node = next(node for node in plan.graph if node.unique_name == "Train-2")
    by_name = str(plan.why("Train-2"))
    for name in (node.key, node.key[:8], str(node.address), f"Train/{node.key[:5]}"):
        assert str(plan.why(name)) == by_name
    assert len(plan.why("Glove[dim=50]").tasks) == 1
    assert [len(plan.why("Fetch+").tasks), plan.why("Fetch+").hidden] == [5, 10]
    assert text(plan.why("Fetch+"))[-1] == "and 10 more tasks are meant: name one of them"
    with pytest.raises(NothingSelected, match="no node 'Trian-2'. Did you mean Train-2"):
        plan.why("Trian-2")
    with pytest.raises(NothingSelected, match=f"Did you mean {node.address}"):
        plan.why(f"Train/{node.key[:6]}{'0' if node.key[6] != '0' else '1'}")
    with pytest.raises(NothingSelected, match="no task has this key or config"):
        plan.why("Train/ffffffff")
    with pytest.raises(SelectorError, match="is no selector"):
        plan.why("")


def test_what_an_edit_would_make_out_of_date(store):
    """How many results, what they cost, what they cost again; also of what is left out."""
    flow = classifiers()
    spent = 2 * 20.0 + 4 * 196 + 4 * 16

    assert flow.plan(results_store=store).cost("Glove") == Cost(11, 10, spent, spent, 1)
    assert flow.plan(results_store=store, only="Fetch").cost(["Glove"]) == Cost(
        11, 10, spent, spent, 1
    )
    assert flow.plan(results_store=InMemoryStore()).cost("Select") == Cost(1, 0, 0, None, 1)


def test_what_is_left_out_says_why(store):
    """Skipped itself, in need of what is skipped, or not wanted."""
    flow = classifiers((1, 3))
    plan = flow.plan(results_store=store, skip="Tfidf-2")
    assert plan.why("Tfidf-2").headline.endswith("is left out: it is to be skipped")
    needs = "is left out: it needs a result of what is to be skipped"
    assert plan.why("Train-3").headline.endswith(needs)
    assert text(plan.why("Eval-4"))[-1].endswith("with the task that reads from it")
    plan = flow.plan(results_store=store, only="Tfidf")
    not_wanted = "is left out: it is not wanted, and nothing that would run needs it"
    assert plan.why("Clean").headline.endswith(not_wanted)
    assert plan.why("Clean").to_dict()["tasks"][0]["state"] == "left_out"


def test_names_and_values_of_users_are_harmless(store):
    """Control characters and signs that ASCII lacks are told, not sent."""
    spec = TaskSpec(lambda x: None, {"x": "\x1b[31m→"}, name="t")
    (headline, *rest) = Flow([spec]).plan(results_store=store).why("t").lines(ASCII_SIGNS)
    told = "".join(span.text for line in rest for span in line)

    assert told.isascii()
    assert "\x1b" not in told
    assert headline[0].style == "bold"
