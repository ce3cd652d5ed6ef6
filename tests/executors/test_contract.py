"""What every executor promises, checked for each of them."""

from __future__ import annotations

import contextlib
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec
from flowlib.errors import RunError
from flowlib.executor import Executor
from stores import InMemoryStore, LocalFileStore
from tests.executors import contract_tasks as tasks
from tests.executors.cases import CASES, Case, parameters

each_case = pytest.mark.parametrize("case", parameters(CASES))

LOSSES = {"WorkerDied", "WorkerLost"}
OTHERS = [case for case in CASES if not case.is_here]


def run(case: Case, specs, store, workers=2, **options):
    """Run on this executor, with so many workers where it can have several."""
    count = 1 if case.is_lone else workers
    with case.given(count) as executor:
        return Flow(specs).run(
            executor=executor, num_workers=count, results_store=store, progress=None, **options
        )


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


def sweep(lrs: int, seeds: int):
    """Two to prepare, many to train on each, one to collect what did not fail."""
    prepare = TaskSpec(tasks.prepare, {"n": [5, 9]}, expand="product")
    config = {"lr": [0.5 * each for each in range(lrs)], "seed": list(range(seeds))}
    train = TaskSpec(tasks.Train, config, expand="product")
    collect = TaskSpec(tasks.collect, reduce=True, on_failure="skip")
    train.requires(prepare)
    collect.requires(train)
    return [prepare, train, collect]


def essence(store):
    """All records, without times, hosts, and the name of the run."""
    found = {}
    for record in store.records():
        known = json.loads(record.to_json())
        for attempt in (known["finished"], known["latest"]):
            for name in ("started", "ended", "owner", "provenance"):
                (attempt or {}).pop(name, None)
            if attempt:
                attempt["run"][1] = ""
            if attempt and attempt.get("error"):  # our own frames above it are of no interest
                error = attempt["error"]
                error["traceback"] = error["traceback"].partition("contract_tasks.py")[2]
        found[record.address] = known
    return found


def log_of(store, record):
    """What stands in the log of a record."""
    return (Path(store.base_dir) / ".runs" / record.latest.provenance["log"]).read_text()


@each_case
def test_a_sweep_with_failures_leaves_the_same_records(case, tmp_path):
    """303 tasks, of which thirty fail: the records are those of a run in this process."""
    wanted, store = (LocalFileStore(tmp_path / name, fsync=False) for name in ("here", "there"))
    specs = sweep(5, 30)
    run(CASES[0], specs, wanted, exit_on_error=False)
    counts = run(case, specs, store, exit_on_error=False).counts

    assert counts == {"finished": 273, "failed": 30}
    assert essence(store) == essence(wanted)
    again = run(case, specs, store, exit_on_error=False, keep="@failed").counts
    assert again == {"cached": 272, "failed": 30, "finished": 1}  # which collects without some


@each_case
def test_a_thousand_tasks_and_then_none(case, store):
    """Every value in its place; the second run submits nothing and starts nobody."""
    spec = TaskSpec(tasks.square, {"n": list(range(1000))}, expand="product")
    done = run(case, [spec], store)

    assert [each.results["square"] for each in done["square"]] == [n * n for n in range(1000)]
    pids = {each.results["pid"] for each in done["square"]}
    assert (os.getpid() in pids) is case.is_here
    refusing = Flow([spec]).run(executor=_Refusing(), results_store=store, progress=None)
    assert refusing.counts == {"cached": 1000}


class _Refusing(Executor):
    """Must not be started."""

    def start(self, setup):
        raise AssertionError("workers were started for a run in which all is cached")


@each_case
def test_the_exception_of_a_task_is_raised_and_recorded(case, store):
    """Its own type with its own words; the record has the traceback with the line."""
    with pytest.raises(LookupError, match="no 4 here"):
        run(case, [TaskSpec(tasks.raises, {"n": 4})], store)
    [record] = store.records("raises")

    assert record.state.value == "failed"
    assert record.latest.error.message == "no 4 here"
    assert "contract_tasks.py" in record.latest.error.traceback


@each_case
def test_what_a_task_prints_and_logs_is_in_its_log(case, store):
    """Also what is logged at DEBUG; nothing of the task beside it."""
    run(case, [TaskSpec(tasks.talks, {"n": [1, 2, 3]}, expand="product")], store)

    for record in store.records("talks"):
        number = json.loads(record.identity.config)["n"]
        text = log_of(store, record)
        assert f"said {number}\n" in text
        assert f"logged {number}" in text
        others = {1, 2, 3} - {number}
        assert not [n for n in others if f"said {n}" in text or f"logged {n}" in text]


@each_case
def test_resources_are_never_shared(case, store):
    """Three of them, four workers: two tasks that hold one do not overlap."""
    spec = TaskSpec(tasks.Holds, {"n": list(range(30))}, expand="product")
    objects = ["a", "b", "c"] if not case.is_lone else ["a"]
    done = run(case, [spec], store, workers=4, resources=objects)["Holds"]
    held = [(each.results["resource"], each.results["span"]) for each in done]

    assert {name for name, _ in held} == set(objects)
    for name in objects:
        spans = sorted(span for each, span in held if each == name)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


@each_case
def test_a_timeout_is_kept_or_refused_before_anything_runs(case, store, tmp_path):
    """Who cannot end a task says so, by name, and runs nothing."""
    spec = TaskSpec(tasks.sleeps, {"seconds": 60.0, "folder": str(tmp_path)}, timeout=0.5)
    if case.can_kill:
        done = run(case, [spec], store, exit_on_error=False)
        assert done.counts == {"failed": 1}
        [record] = store.records("sleeps")
        assert "timeout of 0.5 s" in record.latest.error.message
    else:
        with pytest.raises(RunError, match="cannot end a running task.*executor=.processes"):
            run(case, [spec], store)
        assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize("case", parameters(OTHERS))
def test_a_lost_worker_is_told_at_once(case, store, tmp_path):
    """A process that is killed fails its task, or the whole pool; the next run does the rest."""
    spec = TaskSpec(tasks.dies, {"folder": str(tmp_path), "n": [1, 2, 3]}, expand="product")
    if case.survives:
        counts = run(case, [spec], store, exit_on_error=False).counts
        ended = "finished" if case.takes_up else "killed" if case.can_kill else "failed"
        assert counts == {ended: 3}
        errors = {record.latest.error and record.latest.error.type_ for record in store.records()}
        assert errors <= LOSSES if not case.takes_up else errors == {None}
    else:
        with contextlib.suppress(RunError):  # the pool is broken, and takes no more jobs
            run(case, [spec], store, exit_on_error=False)
    for n in (1, 2, 3):
        (tmp_path / str(n)).touch()
    again = run(case, [spec], store)

    assert [each.results["n"] for each in again["dies"]] == [1, 2, 3]


@pytest.mark.slow
@each_case
def test_a_hundred_megabytes_between_two_tasks(case, store):
    """All of them arrive."""
    large = TaskSpec(tasks.large, {"megabytes": 100})
    measure = TaskSpec(tasks.measure)
    measure.requires(large)
    done = run(case, [large, measure], store)

    assert done["measure"][0].results["length"] == 100 << 20
    assert done["measure"][0].results["ends_alike"] is True


@each_case
def test_a_memory_store_is_shared_or_refused(case):
    """Where workers cannot reach it, the error names what can."""
    spec = TaskSpec(tasks.square, {"n": [1, 2, 3]}, expand="product")
    if case.is_here or case.name == "processes":
        done = run(case, [spec], InMemoryStore())
        assert [each.results["square"] for each in done["square"]] == [1, 4, 9]
    else:
        with pytest.raises(RunError, match="LocalFileStore"):
            run(case, [spec], InMemoryStore())
