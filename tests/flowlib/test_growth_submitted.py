"""What a flow says of its specs holds for those that tasks return, also when others run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec, execute, task
from flowlib.execution import target_of
from flowlib.submission import read_submissions
from stores import LocalFileStore
from tests.flowlib import growing_tasks as tasks
from tests.flowlib.deferred_scripts import started

SCRIPT = """
import json, sys
from flowlib import Call, Flow, execute, task
from stores import open_store

@task
def flaky(n: int, folder: str) -> int:
    from pathlib import Path
    mark = Path(folder) / f"tried-{n}"
    if not mark.exists():
        mark.touch()
        raise ValueError("the first time")
    return n

@task
def several(folder: str) -> list[Call[int]]:
    return [flaky(n, folder) for n in range(2)]

if __name__ == "__main__":
    store = open_store(sys.argv[1])
    if sys.argv[2] == "submit":
        flow = Flow([several(sys.argv[3])])
        flow.query("^flaky$").set(retries=1)
        print(flow.submit(store).keys[0])
    else:
        run = execute("several", store, num_workers=1, exit_on_error=False, once="once" in sys.argv)
        print(json.dumps(run.counts))
"""


def scored(lr: float, device: str, depth: int = 1) -> dict:
    """What two configs of one key give."""
    return {"score": lr * depth}


@task
def search() -> list:
    """Specs with keys that the flow ignores, and a group of the flow."""
    config = {"lr": [1.0, 2.0, "@a"], "depth": [3, 4, "@a"], "_device": "cpu"}
    return [TaskSpec(scored, config, expand="product")]


def seeded(task) -> None:
    """A hook."""


def told(process):
    """What a script printed last."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "counts"), [([], {"finished": 3}), (["once"], {"failed": 2})])
def test_another_process_runs_grown_tasks_with_the_options_of_the_flow(tmp_path, words, counts):
    """Retries that were set for their names; with `once` there are none."""
    uri = f"file:{tmp_path}/store"
    told(started(SCRIPT, uri, "submit", str(tmp_path), folder=tmp_path))
    found = json.loads(told(started(SCRIPT, uri, "execute", *words, folder=tmp_path)))
    assert {name: found[name] for name in counts} == counts


def test_queries_defaults_and_hooks_are_those_of_the_flow(tmp_path):
    """In order, one query within another, as the flow itself would have it."""
    flow = Flow([tasks.split(tasks.load(2))]).defaults(retries=2, tags=["all"])
    flow.query("a", tags="all").query("^square$").set(priority=4, before=seeded)
    flow.query("^total$").set(executor_options={"ray": {"num_cpus": 1}})
    store = LocalFileStore(tmp_path / "s", fsync=False)
    flow.submit(store)
    assert execute("split", store, num_workers=1).counts == {"finished": 5}
    graph = target_of("split", store).graph
    later = graph.later_of[graph.by_spec["split"][0].key]
    for spec in (tasks.square(1), tasks.total([1])):
        mine = later(spec, spec.declaration()).options
        assert mine == flow.graph.later(spec, spec.declaration()).options
        assert (mine.retries.total, mine.tags) == (2, ("all",))
    squares = target_of("split", store).graph.later_of.values()
    assert len({*squares}) == 1  # one for all tasks of a submission


def test_submitting_the_same_again_writes_nothing_but_other_options_do(tmp_path):
    """Hooks are told apart by name; who says nothing records nothing."""
    store = LocalFileStore(tmp_path / "s")

    def submitted(**given):
        flow = Flow([tasks.split(tasks.load(2))])
        flow.query("^square$").set(**given)
        return flow.submit(store).is_new

    assert Flow([tasks.split(tasks.load(2))]).submit(store).is_new
    assert not read_submissions(store)[0].has_later
    assert submitted(before=seeded)
    assert not submitted(before=seeded)
    assert submitted(before=[seeded, seeded])
    assert submitted(priority=2)
    assert not submitted(priority=2)


def test_tasks_of_several_submissions_keep_what_was_said_of_each(tmp_path):
    """They run together, and grow with the options of their own flows."""
    store = LocalFileStore(tmp_path / "s", fsync=False)
    Flow([tasks.split([1])]).defaults(priority=1).submit(store)
    Flow([tasks.split([2])]).defaults(priority=2).submit(store)
    Flow([tasks.split([3])]).submit(store)
    run = execute("split", store, num_workers=1)
    assert run.counts == {"finished": 9}
    found = sorted(n.declaration.options.priority for n in run.plan.graph if n.name == "square")
    assert found == [0, 1, 2]


def test_prefixes_of_the_flow_hold_for_configs_of_what_is_returned(tmp_path):
    """Keys are those that the specs have in the flow itself; submitted or not."""
    prefixes = {"config_ignore_prefix": "_", "config_group_prefix": "@"}
    store = LocalFileStore(tmp_path / "s", fsync=False)
    flow = Flow([search()], **prefixes)
    run = flow.run(num_workers=1, results_store=store)
    config = {"lr": [1.0, 2.0, "@a"], "depth": [3, 4, "@a"], "_device": "cuda:1"}
    in_flow = Flow([TaskSpec(scored, config, expand="product")], **prefixes)
    assert [each["score"] for each in run["scored"]] == [3.0, 8.0]
    assert sorted(a.key for a in store.addresses("scored")) == sorted(in_flow.graph.nodes)
    assert in_flow.run(num_workers=1, results_store=store).counts == {"cached": 2}
    assert flow.run(num_workers=1, results_store=store).counts == {"cached": 3}

    other = LocalFileStore(tmp_path / "other", fsync=False)
    flow.submit(other)
    execute("search", other, num_workers=1)
    assert sorted(other.addresses()) == sorted(store.addresses())


def test_submissions_of_an_earlier_flowlib_say_nothing_of_it(tmp_path):
    """Their index does not tell of options for later."""
    store = LocalFileStore(tmp_path / "s")
    Flow([tasks.split(tasks.load(1))]).submit(store)
    index = next(Path(tmp_path).rglob("*.json")).read_text()
    assert '"later"' not in index
    assert target_of("split", store).graph.later_of == {}
