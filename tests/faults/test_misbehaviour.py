"""Does only that task fail which ends in an odd way?"""

from __future__ import annotations

import pytest

from flowlib import Flow, TaskSpec, TaskState
from stores import InMemoryStore, LocalFileStore
from tests.faults.tasks import (
    ENDINGS,
    FailsFirst,
    LockedError,
    Make,
    Misbehave,
    OddError,
    names_oddly,
    noted,
)

KILLED = {"os._exit", "SIGKILL", "SIGTERM", "segfault"}
TOLD = {
    "sys.exit": ("SystemExit", "3"),
    "os._exit": ("WorkerDied", "ended with exit code 4"),
    "SIGKILL": ("WorkerDied", "killed by SIGKILL"),
    "SIGTERM": ("Preempted", "ended by SIGTERM from outside"),
    "segfault": ("WorkerDied", "killed by SIGSEGV"),
    "odd": ("OddError", "odd 7: strange"),
    "locked": ("LockedError", "holds a lock"),
    "mute": ("MuteError", "without a message"),
    "worded": ("WordedError", "words of its own"),
    "unpicklable": ("", "lock"),
    "recursion": ("RecursionError", "maximum recursion depth"),
    "base": ("AbortError", "a BaseException"),
}
IN_PROCESS = sorted(set(ENDINGS) - KILLED)


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    """An empty store of either kind."""
    return LocalFileStore(tmp_path / "store") if request.param == "file" else InMemoryStore()


def flow(how, log, around=3):
    """One task that ends as told, between some that are well."""
    good_config = {"x": list(range(around)), "how": None}
    good = TaskSpec(Misbehave, good_config, {"log": str(log)}, name="Good", expand="product")
    bad = TaskSpec(Misbehave, {"x": -1, "how": how}, {"log": str(log)}, name="Bad")
    return Flow([bad, good])


def check(run, store, how):
    """The bad one failed and says why, the others have their values."""
    assert [each.results for each in run["Good"]] == [{"value": x} for x in range(3)]
    [bad] = run["Bad"]
    assert bad.results is None
    record = store.record(bad.address)
    assert record.finished is None
    state = TaskState.KILLED if how in KILLED else TaskState.FAILED
    assert (record.latest.state, run.counts) == (state, {state.value: 1, "finished": 3})
    type_, message = TOLD[how]
    assert type_ in record.latest.error.type_
    assert message in record.latest.error.message


@pytest.mark.parametrize("how", sorted(ENDINGS))
def test_others_finish_beside_it_in_processes(how, store, tmp_path):
    """Whatever the task does to its worker, the run ends and the others have their values."""
    log = tmp_path / "log"
    run = flow(how, log).run(num_workers=2, exit_on_error=False, results_store=store)
    check(run, store, how)
    tries = 6 if how == "SIGTERM" else 1  # its process was taken away: that is no failure at first
    assert sorted(noted(log)) == [*["-1"] * tries, "0", "1", "2"]


@pytest.mark.parametrize("how", IN_PROCESS)
def test_others_finish_beside_it_inline(how, store, tmp_path):
    """The same in the process of the driver, as far as that survives."""
    log = tmp_path / "log"
    run = flow(how, log).run(num_workers=1, exit_on_error=False, results_store=store)
    check(run, store, how)


@pytest.mark.parametrize("how", sorted(ENDINGS))
def test_the_failure_is_raised_under_exit_on_error(how, tmp_path):
    """As the exception it was, where that can be rebuilt; the note says whose it is."""
    store = LocalFileStore(tmp_path / "store")
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        flow(how, tmp_path / "log").run(num_workers=2, results_store=store)
    text = "\n".join([str(caught.value) if how != "mute" else "", *caught.value.__notes__])
    assert "Bad" in text
    if how == "recursion":
        assert type(caught.value).__name__ == TOLD[how][0]
    if how == "sys.exit":  # raised as it is, it would end the script as if all were well
        assert type(caught.value).__name__ == "TaskFailed"
        assert "SystemExit: 3" in str(caught.value)


@pytest.mark.parametrize(("how", "type_"), [("odd", OddError), ("locked", LockedError)])
def test_what_cannot_be_rebuilt_is_told_by_name(how, type_, tmp_path):
    """Inline or in a worker, the name and the message of the exception are in what is raised."""
    for workers in (1, 2):
        store = LocalFileStore(tmp_path / f"store-{workers}")
        with pytest.raises(Exception) as caught:  # noqa: B017, PT011
            flow(how, tmp_path / "log").run(num_workers=workers, results_store=store)
        text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
        assert type_.__name__ in text or isinstance(caught.value, type_)
        assert TOLD[how][1] in text


def test_a_name_of_a_class_of_its_own_is_a_name(store):
    """What is saved under it reaches the driver, and is read by the text."""
    spec = TaskSpec(names_oddly, {"x": [1, 2]}, expand="product")
    run = Flow([spec]).run(num_workers=2, results_store=store)
    assert [each.results for each in run["names_oddly"]] == [{"odd": 1}, {"odd": 2}]


def test_a_task_that_kills_its_worker_is_retried(tmp_path):
    """A retry is a new attempt in a new worker."""
    store, log = LocalFileStore(tmp_path / "store"), tmp_path / "log"
    spec = TaskSpec(FailsFirst, {"x": 5, "log": str(log)}, retries=1)
    run = Flow([spec]).run(executor="processes", results_store=store)
    [result] = run["FailsFirst"]
    assert result.results == {"value": 5}
    assert noted(log) == ["run", "run"]
    assert store.record(result.address).state is TaskState.FINISHED


def test_many_killers_do_not_stop_the_others(tmp_path):
    """Ten tasks kill their workers one after the other, ten do not."""
    store, log = LocalFileStore(tmp_path / "store"), tmp_path / "log"
    config = {"x": list(range(10)), "how": [None, "SIGKILL"]}
    spec = TaskSpec(Misbehave, config, {"log": str(log)}, expand="product")
    run = Flow([spec]).run(num_workers=2, exit_on_error=False, results_store=store)
    assert run.counts == {"killed": 10, "finished": 10}
    values = [each.results for each in run["Misbehave"] if each.results is not None]
    assert values == [{"value": x} for x in range(10)]
    assert len(noted(log)) == 20


def _sized(x):
    return {"data": bytes([x]) * 1_000_000}


def _total(data, x):
    return len(data) + x


def test_large_inputs_and_outcomes_pass_each_other(tmp_path):
    """Many short tasks on much data: neither end of a pipe waits for the other for ever."""
    make = TaskSpec(_sized, {"x": list(range(60))}, name="Sized", expand="product")
    use = TaskSpec(_total, {"x": [1, 2, 3]}, name="Total", expand="product")
    use.requires(make)
    run = Flow([make, use]).run(num_workers=2, results_store=InMemoryStore())
    assert run.counts == {"finished": 240}
    totals = sorted(each.results["result"] for each in run["Total"])
    assert totals == sorted(1_000_000 + x for x in (1, 2, 3) for _ in range(60))


def test_a_timeout_ends_the_task_and_is_told(tmp_path):
    """The worker is killed, the record says why, and the others finish."""
    store, log = LocalFileStore(tmp_path / "store"), tmp_path / "log"
    slow = TaskSpec(Make, {"x": 1}, {"log": str(log), "pause_s": 60.0}, name="Slow", timeout=0.5)
    good = TaskSpec(Make, {"x": [2, 3]}, {"log": str(log)}, name="Good", expand="product")
    run = Flow([slow, good]).run(num_workers=2, exit_on_error=False, results_store=store)
    assert run.counts == {"failed": 1, "finished": 2}
    [result] = run["Slow"]
    error = store.record(result.address).latest.error
    assert error.type_ == "Timeout"
    assert "longer than its timeout of 0.5 s" in error.message
    assert [each.results["square"] for each in run["Good"]] == [4, 9]
