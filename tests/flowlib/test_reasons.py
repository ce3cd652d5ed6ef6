"""Every reason once, from a run to the plan, its table and its explanation."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from flowlib import Flow, Task, TaskSpec
from flowlib.reasons import EXPLANATIONS, Reason
from stores import LocalFileStore


def large(x=1):
    return {"value": bytes(10_000 * x)}


def small(value):
    return {"size": len(value)}


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def failing():
    raise ValueError("told to")


def chain(task=large, **options):
    first = TaskSpec(task, name="first", **options)
    return Flow([TaskSpec(small, name="second").requires(first)])


def run(flow, store, **options):
    options = {"num_workers": 1, "exit_on_error": False, "progress": None, **options}
    return flow.run(results_store=store, **options)


def value_file(store):
    (file,) = (each for each in Path(store.base_dir).rglob("first/*/1/*") if each.is_file())
    return file


def forced(store):
    run(chain(), store)
    return chain(), {"force": "first"}


def new(store):
    return chain(), {}


def missing(store):
    run(chain(), store)
    value_file(store).unlink()
    return chain(), {}


def damaged(store):
    run(chain(), store)
    value_file(store).write_bytes(b"short")
    return chain(), {}


class Judging(Task):
    """Its result counts as long as its file is there."""

    def run(self):
        (self.run_dir / "file").write_text("x")
        return {"value": b"abc"}

    def validate(self):
        return (self.run_dir / "file").exists()


def refused(store):
    run(chain(Judging), store)
    next(Path(store.base_dir).rglob("first/*/1/file")).unlink()
    return chain(Judging), {}


def failed(store):
    run(chain(failing), store)
    return chain(failing), {}


def interrupted(store):
    run(chain(killed), store, executor="processes")
    return chain(killed), {"executor": "processes"}


def another_version(store):
    run(chain(version=3), store)
    return chain(version=5), {}


def changed_default(store):
    def older(x=2):
        return {"value": bytes(x)}

    def newer(x=3):
        return {"value": bytes(x)}

    run(chain(older), store)
    return chain(newer), {}


def changed_code(store):
    def older(x=2):
        return {"value": bytes(x)}

    def newer(x=2):
        return {"value": bytes(x) + b"more"}

    run(chain(older), store)
    return chain(newer), {"on_code_change": "rerun"}


def incomplete_input(store):
    def gathered(value):
        return {"value": b"" if value is None else b"x"}

    def flow(task):
        members = [TaskSpec(large, {"x": [1]}, expand="product", name="good")]
        members.append(TaskSpec(task, name="bad"))
        reduce = TaskSpec(gathered, name="first", reduce=True, on_failure="skip")
        reduce.requires(*members)
        return Flow([TaskSpec(small, name="second").requires(reduce)])

    run(flow(failing), store)
    return flow(failing)


REASONS = {
    Reason.FORCE: (forced, "cached"),
    Reason.NEW: (new, "new"),
    Reason.MISSING: (missing, "cached"),
    Reason.DAMAGED: (damaged, "cached"),
    Reason.INVALID: (refused, "cached"),
    Reason.FAILED: (failed, "new"),
    Reason.INTERRUPTED: (interrupted, "new"),
    Reason.VERSION: (another_version, "new"),
    Reason.DEFAULT: (changed_default, "upstream"),
    Reason.CODE: (changed_code, "upstream"),
}


@pytest.mark.parametrize("reason", REASONS, ids=lambda each: each.value)
def test_every_reason_is_found_told_and_cured_by_a_run(tmp_path, reason):
    """In the plan, its table and its explanation; what follows for the reader; and then it runs."""
    store = LocalFileStore(tmp_path)
    prepare, reader = REASONS[reason]
    flow, wanted = prepare(store)
    options = {"executor": wanted.pop("executor", None)}
    plan = flow.plan(results_store=store, **wanted)
    first, second = plan.graph.by_spec["first"][0], plan.graph.by_spec["second"][0]

    assert plan.reasons[first.key] is reason
    assert plan.reasons.get(second.key, "cached") == reader
    assert {row[0]: row[4] for row in plan.rows()}["first"].startswith(reason.value)
    assert EXPLANATIONS[reason] in plan.why("first").headline
    (node,) = (each for each in plan.to_dict()["nodes"] if each["spec"] == "first")
    assert node["reason"] == reason.value
    done = run(flow, store, **wanted, **options)
    if reason not in (Reason.FAILED, Reason.INTERRUPTED):
        assert done.ok
        assert flow.plan(results_store=store).to_run == []


def test_every_reason_is_tried():
    """But for `upstream`, which every reader in the test above has, and those of graphs that grow.

    `growth` is tried in test_growth.py.
    """
    assert set(REASONS) | {Reason.UPSTREAM, Reason.GROWTH} == set(Reason)
    assert set(EXPLANATIONS) == set(Reason)


def test_a_result_that_lacks_inputs_is_upstream(tmp_path):
    """It was computed without what failed; as long as that is not there, it counts if kept."""
    store = LocalFileStore(tmp_path)
    flow = incomplete_input(store)
    plan = flow.plan(results_store=store)
    names = {plan.graph.nodes[key].name: reason for key, reason in plan.reasons.items()}

    assert names == {"bad": "failed", "first": "upstream", "second": "upstream"}
    assert plan.why("first").headline.endswith("would run: 1 of its inputs failed or lacked some")
    kept = flow.plan(results_store=store, keep="first+", skip="bad")
    assert kept.reasons == {}
