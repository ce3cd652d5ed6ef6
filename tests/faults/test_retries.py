"""Is a task tried again as its spec says, and a run stopped after as many failures?"""

from __future__ import annotations

import itertools
import os
import signal
import time
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec
from stores import LocalFileStore, TaskState
from tests.faults.tasks import note, noted


def fails(x, log, ways):
    """Fail in the next way of the list, then be well."""
    step = len(noted(Path(log)))
    note(log, repr(time.monotonic()))
    match dict(enumerate(ways)).get(step):
        case "exception":
            raise ValueError("on purpose")
        case "oom":
            raise MemoryError("on purpose")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "lost":
            os._exit(3)
        case "timeout":
            time.sleep(60)
    return {"x": x}


def attempt(tmp_path, ways, *, executor="processes", **options):
    """The run of one task that fails in these ways, and how often it was tried."""
    log = str(tmp_path / "log")
    store = LocalFileStore(tmp_path / "store")
    spec = TaskSpec(fails, {"x": 1}, {"log": log, "ways": ways}, **options)
    run = Flow([spec]).run(executor=executor, exit_on_error=False, results_store=store)
    return run, store, [float(line) for line in noted(Path(log))]


@pytest.mark.parametrize("kind", ["exception", "oom", "killed", "lost", "timeout"])
def test_a_kind_of_failure_that_is_named_is_tried_again(kind, tmp_path):
    """So often as said, and the other kinds are not."""
    limit = {"timeout": 4.0} if kind == "timeout" else {}
    run, _, times = attempt(tmp_path, [kind], retries={kind: 1}, **limit)
    assert run.counts == {"finished": 1}
    assert len(times) == 2


@pytest.mark.parametrize("kind", ["exception", "oom", "killed", "lost"])
def test_a_kind_of_failure_that_is_not_named_is_the_end(kind, tmp_path):
    """Though all others are named."""
    others = {"exception", "oom", "killed", "lost", "timeout", "input"} - {kind}
    run, store, times = attempt(tmp_path, [kind], retries=dict.fromkeys(others, 5))
    [result] = run["fails"]
    assert len(times) == 1
    state = TaskState.KILLED if kind in ("killed", "lost") else TaskState.FAILED
    assert store.record(result.address).latest.state is state


def test_each_kind_has_its_own_count(tmp_path):
    """One `killed` does not use up the retries of `exception`."""
    ways = ["exception", "killed", "exception", "exception"]
    run, _, times = attempt(tmp_path, ways, retries={"exception": 2, "killed": 1})
    assert list(run.counts.values()) == [1]
    assert len(times) == 4
    assert run["fails"][0].results is None


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_pauses_between_tries_grow(executor, tmp_path):
    """The second one is twice the first, and the driver sleeps meanwhile."""
    before = time.process_time()
    ways = ["exception", "exception"]
    run, _, times = attempt(tmp_path, ways, executor=executor, retries=2, retry_pause=0.5)
    assert run.counts == {"finished": 1}
    first, second = (later - earlier for earlier, later in itertools.pairwise(times))
    assert first >= 0.5
    assert second >= 1.0
    assert time.process_time() - before < 1.2  # a loop that does not sleep uses 1.5 s


def test_a_task_that_pauses_holds_no_worker(tmp_path):
    """Others run in the meantime, on the only worker there is."""
    log = str(tmp_path / "log")
    slow = TaskSpec(fails, {"x": 1}, {"log": log, "ways": ["exception"]}, retries=1, retry_pause=1)
    other = TaskSpec(note, {"text": "other"}, {"log": log}, name="Other")
    run = Flow([slow, other]).run(num_workers=1)
    assert run.counts == {"finished": 2}
    assert noted(Path(log))[1] == "other"


def well(x, log):
    """Note, and fail where x is odd."""
    note(log, str(x))
    if x % 2:
        raise ValueError(x)


@pytest.mark.parametrize(("limit", "ran"), [(1, 2), (3, 6), (None, 20)])
def test_a_run_stops_after_so_many_failures(limit, ran, tmp_path):
    """What was not started is pending; without a limit all is tried."""
    log = str(tmp_path / "log")
    spec = TaskSpec(well, {"x": list(range(20))}, {"log": log}, expand="product")
    run = Flow([spec]).run(num_workers=1, exit_on_error=False, max_failures=limit)
    assert len(noted(Path(log))) == ran
    failures = limit or 10
    assert len(run.failed) == failures


def test_a_limit_of_failures_is_kept_when_the_first_is_raised_in_the_end(tmp_path):
    """`exit_on_error` raises, `max_failures` says when to stop."""
    log = str(tmp_path / "log")
    spec = TaskSpec(well, {"x": list(range(20))}, {"log": log}, expand="product")
    with pytest.raises(ValueError, match="1"):
        Flow([spec]).run(num_workers=1, max_failures=3)
    assert len(noted(Path(log))) == 6


def gone(data):
    """Never called: its input is gone."""
    return len(data)


def removes(folder):
    """Return something large."""
    return {"data": "x" * 100_000}


def test_an_input_that_is_gone_is_a_kind_of_its_own(tmp_path):
    """The task is not called, and `input` decides about retries."""
    store = LocalFileStore(tmp_path / "store")
    make = TaskSpec(removes, {"folder": "a"})
    Flow([make]).run(results_store=store, num_workers=1)
    tries = []

    def begin(address, owner=None, **options):
        tries.append(address)
        for path in (tmp_path / "store" / "removes").rglob("*"):
            if path.is_file() and path.stat().st_size > 50_000:
                path.unlink()
        return LocalFileStore.begin(store, address, owner, **options)

    store.begin = begin
    use = TaskSpec(gone, retries={"input": 1, "exception": 9}).requires(make)
    run = Flow([make, use]).run(results_store=store, num_workers=1, exit_on_error=False)
    assert run["gone"][0].results is None
    assert len([each for each in tries if each.task == "gone"]) == 2
