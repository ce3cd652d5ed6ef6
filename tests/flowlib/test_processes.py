"""Workers in processes: what waits at them, what moves, what is replaced, what is killed."""

from __future__ import annotations

import itertools
import multiprocessing
import time

import pytest

from flowlib import Flow, RunError, TaskSpec, process_handle
from flowlib.executors.processes import ProcessExecutor, ProcessWorkers
from stores import InMemoryStore, LocalFileStore
from tests.flowlib import process_tasks as tasks


def run(spec, workers=2, **options):
    return Flow([spec]).run(num_workers=workers, **options)


def wait_until(is_so):
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.001)


def values(results, name):
    return [each.results[name] for each in results]


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_short_tasks_are_shared_by_all_workers(kind, tmp_path):
    """Three hundred quick tasks: all results, in order, from two processes."""
    store = InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path, fsync=False)
    spec = TaskSpec(tasks.quick, {"n": list(range(300))}, expand="product")
    found = run(spec, results_store=store)["quick"]

    assert values(found, "n") == list(range(300))
    assert len(set(values(found, "pid"))) == 2


def test_jobs_that_wait_behind_a_long_one_move_to_an_idle_worker():
    """After many quick tasks some are long: what waited behind them ends long before them."""
    config = {"n": list(range(200)), "long_ones": (150,), "seconds": 3.0}
    found = run(TaskSpec(tasks.long_at, config, expand="product"))["long_at"]
    ended = values(found, "ended")

    assert values(found, "n") == list(range(200))
    assert max(e for n, e in enumerate(ended) if n != 150) < ended[150] - 1.0


def test_a_dead_worker_fails_its_own_task_only(tmp_path):
    """Every fifth task kills its process once: with one retry all end well."""
    spec = TaskSpec(
        tasks.dies_once,
        {"n": list(range(20)), "folder": str(tmp_path)},
        expand="product",
        retries=1,
    )
    assert values(run(spec)["dies_once"], "n") == list(range(20))


def test_without_retries_the_dead_are_told(tmp_path):
    """The error names the signal; the record of the attempt says killed."""
    spec = TaskSpec(tasks.dies_once, {"n": 1, "folder": str(tmp_path)})
    store = LocalFileStore(tmp_path / "store")
    done = run(spec, results_store=store, exit_on_error=False)
    (failed,) = done.failed

    assert "SIGKILL" in failed.error.message
    assert store.record(failed.address).latest.state.value == "killed"
    assert run(spec, results_store=store).counts == {"finished": 1}


def test_a_timeout_ends_the_task_and_nothing_else():
    """The limit is told; the other task keeps its result; no worker is left."""
    slow = TaskSpec(tasks.sleeps, {"seconds": 60}, name="slow", timeout=0.5)
    fine = TaskSpec(tasks.sleeps, {"seconds": 0.01}, name="fine", timeout="1m")
    done = Flow([slow, fine]).run(num_workers=2, exit_on_error=False)

    assert done["fine"][0].results == {"slept": 0.01}
    assert "timeout of 0.5 s" in done["slow"][0].error.message
    assert multiprocessing.active_children() == []


def test_an_executor_that_cannot_kill_refuses_a_timeout():
    """Before anything runs."""
    with pytest.raises(RunError, match="cannot end a running task"):
        run(TaskSpec(tasks.sleeps, {"seconds": 0}, timeout=1), workers=1, executor="inline")


def test_resources_are_never_shared():
    """Three objects and four workers: at no time do two tasks hold one object."""
    spec = TaskSpec(tasks.UsesResource, {"n": list(range(24))}, expand="product")
    found = run(spec, workers=4, resources=["a", "b", "c"])["UsesResource"]
    spans = sorted(zip(values(found, "resource"), values(found, "span"), strict=True))

    assert {resource for resource, _ in spans} == {"a", "b", "c"}
    for (one, (_, ended)), (other, (began, _)) in itertools.pairwise(spans):
        assert one != other or began >= ended


def test_more_important_tasks_start_first():
    """Of all that are ready, whatever the order of the specs; equal ones keep theirs."""
    specs = [
        TaskSpec(tasks.UsesResource, {"n": [1, 2], "seconds": 0.0}, expand="product", **options)
        for options in (
            {"name": "low"},
            {"name": "high", "priority": 2},
            {"name": "mid", "priority": 1},
        )
    ]
    done = Flow(specs).run(num_workers=2, resources=["only"])
    began = {f"{name}-{n}": done[name][n]["span"][0] for name in done for n in (0, 1)}

    assert sorted(began, key=began.get) == ["high-0", "high-1", "mid-0", "mid-1", "low-0", "low-1"]


def test_memory_is_never_promised_twice():
    """Tasks of 3 GB each in 8 GB: two at a time, and the large one gets its turn."""
    config = {"n": [1, 2, 3, 4], "seconds": 0.05}
    small = TaskSpec(
        tasks.UsesResource, config, name="small", expand="product", resources={"mem": "3GB"}
    )
    large = TaskSpec(tasks.UsesResource, {"n": 0}, name="large", resources={"mem": "8GB"})
    done = Flow([small, large]).run(num_workers=4, resources={"mem": "8GB"})
    spans = [each["span"] for name in done for each in done[name]]
    needs = [3, 3, 3, 3, 8]

    for began, _ in spans:
        running = [
            each for each, (start, end) in zip(needs, spans, strict=True) if start <= began < end
        ]
        assert sum(running) <= 8
    assert done["large"][0]["resource"] == {"mem": 8 * 10**9}


def test_two_halves_of_one_object_run_at_the_same_time(tmp_path):
    """Each waits for the other; what wants the whole comes after both."""
    kwargs = {"folder": str(tmp_path)}
    half = TaskSpec(
        tasks.meets,
        {"n": [1, 2]},
        name="half",
        expand="product",
        additional_kwargs=kwargs,
        resources={"gpu": 0.5},
    )
    whole = TaskSpec(tasks.UsesResource, {"n": 3}, name="whole")
    done = Flow([half, whole]).run(num_workers=3, resources=["only"])

    assert values(done["half"], "met") == [True, True]
    assert done["whole"][0]["span"][0] >= max(values(done["half"], "ended"))


def test_cached_nodes_start_no_worker(monkeypatch, tmp_path):
    """A run in which all is cached makes no executor at all."""
    spec = TaskSpec(tasks.quick, {"n": [1, 2, 3]}, expand="product")
    store = LocalFileStore(tmp_path)
    run(spec, results_store=store)
    made = []
    monkeypatch.setattr(ProcessExecutor, "start", lambda self, setup: made.append(setup))

    assert run(spec, results_store=store).counts == {"cached": 3}
    assert made == []


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_start_method_works_and_none_is_set_globally(method):
    """The user's own choice of multiprocessing stays as it was."""
    before = multiprocessing.get_start_method()  # decided: else the first spawn does it
    found = run(TaskSpec(tasks.quick, {"n": [1, 2]}, expand="product"), start_method=method)

    assert values(found["quick"], "n") == [1, 2]
    assert multiprocessing.get_start_method(allow_none=True) == before


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_leave_by_themselves_at_the_end(method, monkeypatch):
    """None has to be killed because it never saw the end of its pipe."""
    killed = []
    monkeypatch.setattr(process_handle, "end_tree", killed.append)
    spec = TaskSpec(tasks.sleeps, {"seconds": [0.01, 0.02, 0.03]}, expand="product")
    assert run(spec, workers=3, start_method=method).counts == {"finished": 3}
    assert killed == []


def test_who_is_ended_too_late_takes_nobody_else_along(monkeypatch):
    """A job has ended that is over its time, which the driver has not seen: the next one goes on."""
    read, ended = ProcessWorkers._read, []

    def after_the_end(workers, timeout_s):
        [worker] = workers._workers.values()
        worker.flush()
        if not ended:
            first, second, *_ = worker.jobs
            wait_until(lambda: worker.has_begun(second))
            ended.append(first.job)
            workers.kill(first.job, "it took too long")
        return read(workers, timeout_s)

    monkeypatch.setattr(ProcessWorkers, "_read", after_the_end)
    monkeypatch.setattr(ProcessWorkers, "_depth", 4)
    config = {"n": list(range(8)), "long_ones": tuple(range(8)), "seconds": 0.1}
    spec = TaskSpec(tasks.long_at, config, expand="product")
    done = run(spec, workers=1, executor=ProcessExecutor(), exit_on_error=False)

    assert len(ended) == 1
    assert done.counts == {"finished": 8}


def test_a_task_that_closes_its_streams_spoils_no_other(tmp_path):
    """What those after it open gets no number that their output is given next: a lease, an index."""
    store = LocalFileStore(tmp_path / "store", fsync=False)
    config = {"n": list(range(40)), "deadly": 7}  # the index begins with the eighth record
    flow = Flow([TaskSpec(tasks.closes_streams, config, expand="product")])
    done = flow.run(num_workers=1, executor=ProcessExecutor(), results_store=store)

    assert done.counts == {"finished": 40}
    [index] = (tmp_path / "store" / "closes_streams" / ".index").glob("*.jsonl")
    assert len(index.read_text().splitlines()) == 40
