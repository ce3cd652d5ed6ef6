"""Does a task find traces of those that ran before it in the same worker?"""

from __future__ import annotations

import itertools
import os
import signal
import time
from pathlib import Path

import pytest

from flowlib import Flow, RunError, SpecError, TaskSpec
from stores import InMemoryStore
from tests.faults import isolation_tasks as tasks
from tests.faults.drivers import is_running

RANDOM = {"executor": "processes", "num_workers": 1}


@pytest.fixture(scope="module", name="traces")
def _traces():
    """What each task saw: one before all changes, and one after each of them, in one worker."""
    changes = sorted(tasks.CHANGES)
    spec = TaskSpec(tasks.change, {"how": ["first", *changes, "last"]}, expand="product")
    found = [each.results for each in Flow([spec]).run(**RANDOM)["change"]]
    assert len({each["pid"] for each in found}) == 1
    first, *others = [each["seen"] for each in found]
    return first, dict(zip(changes, others[1:], strict=True))


@pytest.mark.parametrize("how", sorted(tasks.CHANGES))
def test_what_a_task_changes_is_put_back(how, traces):
    """The next task of the same process sees what the first one saw."""
    first, after = traces
    assert after[how] == first


def test_a_timer_that_is_left_ends_no_other_task():
    """An alarm would kill the process in the middle of the next task."""
    spec = TaskSpec(tasks.change, {"how": "alarm"})
    long = TaskSpec(sleep_long, {"after": 1.5})
    long.requires(spec)
    assert Flow([spec, long]).run(**RANDOM).counts == {"finished": 2}


def sleep_long(after, seen=None):
    """Take longer than the alarm."""
    time.sleep(after)


@pytest.mark.parametrize("how", ["nice", "files"])
def test_a_worker_is_replaced_when_something_cannot_be_put_back(how):
    """Root may put back what others may not; either way the next task sees nothing of it."""
    spec = TaskSpec(tasks.change_for_good, {"x": [0, 1, 2], "how": how}, expand="product")
    first, *others = [each.results for each in Flow([spec]).run(**RANDOM)["change_for_good"]]
    assert [each["seen"] for each in others] == [first["seen"]] * 2


@pytest.mark.parametrize("task", [tasks.draw, tasks.draw_numpy])
def test_random_numbers_do_not_depend_on_earlier_tasks(task):
    """A seed that one task sets is unknown to the next; without one all draw different numbers."""
    if task is tasks.draw_numpy:
        pytest.importorskip("numpy")
    config = {"x": [0, 1, 2], "seeds": [True, False]}
    spec = TaskSpec(task, config, expand="product")
    found = [each.results for each in Flow([spec]).run(**RANDOM)[task.__name__]]
    seeded = {each["drawn"] for each in found[::2]}
    free = [each["drawn"] for each in found[1::2]]
    assert len(seeded) == 1
    assert len({*free, *seeded}) == 4
    assert {each.get("divide", "warn") for each in found} == {"warn"}
    assert len({each["pid"] for each in found}) == 1


def test_a_fresh_process_runs_one_task():
    """Others share their workers, before and after it."""
    fresh = TaskSpec(tasks.pid_of, {"x": list(range(6))}, expand="product", fresh_process=True)
    shared = TaskSpec(tasks.pid_of, {"x": list(range(60))}, expand="product", name="Shared")
    run = Flow([fresh, shared]).run(num_workers=2)
    alone = [each.results["pid"] for each in run["pid_of"]]
    others = {each.results["pid"] for each in run["Shared"]}
    assert len(set(alone)) == 6
    assert not others & set(alone)
    assert len(others) <= 8


def test_a_fresh_process_needs_no_second_worker():
    """With one worker the run is in processes by itself."""
    spec = TaskSpec(tasks.pid_of, {"x": [1, 2, 3]}, expand="product", fresh_process=True)
    pids = {each.results["pid"] for each in Flow([spec]).run(num_workers=1)["pid_of"]}
    assert len(pids) == 3
    assert os.getpid() not in pids


def test_inline_refuses_a_fresh_process():
    """Before anything runs; and the option takes a truth value."""
    spec = TaskSpec(tasks.pid_of, {"x": 1}, fresh_process=True)
    with pytest.raises(RunError, match="process of its own"):
        Flow([spec]).run(num_workers=1, executor="inline")
    with pytest.raises(SpecError, match="fresh_process is 'yes'"):
        TaskSpec(tasks.pid_of, {"x": 1}, fresh_process="yes")


@pytest.mark.parametrize("is_daemon", [False, True])
def test_threads_that_are_left_delay_nothing(is_daemon):
    """The next task has another process, unless the thread was one that nobody waits for."""
    spec = TaskSpec(
        tasks.leave_thread,
        {"x": [0, 1], "seconds": 60.0, "is_daemon": is_daemon},
        expand="product",
    )
    began = time.monotonic()
    first, second = (each.results["pid"] for each in Flow([spec]).run(**RANDOM)["leave_thread"])
    assert time.monotonic() - began < 30.0
    assert (first == second) == is_daemon


def pids_in(folder):
    """The processes that a task has left behind, without its own."""
    return [int(word) for word in (folder / "pids").read_text().split()[:3]]


def are_gone(pids):
    """Whether none of these processes runs."""
    return not any(
        Path(f"/proc/{pid}").exists() and is_running(Path(f"/proc/{pid}")) for pid in pids
    )


@pytest.mark.parametrize("how", ["return", "fail"])
def test_processes_that_are_left_end_with_their_task(how, tmp_path):
    """Also those in sessions of their own, and orphans; they are gone when the run is."""
    spec = TaskSpec(tasks.leave_children, {"folder": str(tmp_path), "how": how})
    after = TaskSpec(tasks.pid_of, {"x": 1})
    run = Flow([spec, after]).run(executor="processes", num_workers=1, exit_on_error=False)
    assert are_gone(pids_in(tmp_path))
    assert run["pid_of"][0].results is not None


def test_a_timeout_ends_the_processes_of_the_task(tmp_path):
    """With the worker, all below it."""
    config = {"folder": str(tmp_path), "how": "sleep"}
    spec = TaskSpec(tasks.leave_children, config, timeout=3.0)
    Flow([spec]).run(num_workers=1, exit_on_error=False)
    assert are_gone(pids_in(tmp_path))


def test_the_death_of_a_worker_ends_what_it_has_started(tmp_path):
    """What shares its session; one that made its own may outlive a crash, but not for tasks."""
    spec = TaskSpec(tasks.leave_children, {"folder": str(tmp_path), "how": "die"})
    Flow([spec]).run(executor="processes", num_workers=1, exit_on_error=False)
    child, *alone = pids_in(tmp_path)
    try:
        assert are_gone([child])
    finally:
        for pid in alone:
            os.kill(pid, signal.SIGKILL)


def test_memory_that_one_task_could_not_get_is_there_for_the_next():
    """MemoryError is a failure of kind oom; the limit that the task has set ends with it."""
    spec = TaskSpec(tasks.eat_memory, {"x": [0, 1], "limit": 1 << 30}, expand="product")
    run = Flow([spec]).run(**RANDOM, exit_on_error=False)
    eater, modest = run["eat_memory"]
    assert eater.error.type_ == "MemoryError"
    assert modest.results == {"size": 1 << 27}


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_that_print_a_lot_block_nothing(workers, capfd):
    """Eighty megabytes, to both streams."""
    spec = TaskSpec(tasks.flood, {"x": [0, 1], "megabytes": 10}, expand="product")
    assert Flow([spec]).run(num_workers=workers).counts == {"finished": 2}
    capfd.readouterr()


def test_what_is_not_changed_costs_little():
    """No task of many has a process of its own, and nothing is reported."""
    spec = TaskSpec(tasks.pid_of, {"x": list(range(200))}, expand="product")
    found = Flow([spec]).run(num_workers=2, results_store=InMemoryStore())["pid_of"]
    pids = [each.results["pid"] for each in found]
    assert len(set(pids)) <= 2
    assert [k for k, _ in itertools.groupby(sorted(pids))] == sorted(set(pids))
