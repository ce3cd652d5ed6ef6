"""What do signals do to a run: to its driver, its workers, its tasks, its exit code?"""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from flowlib import Flow, TaskSpec, TaskState
from stores import LocalFileStore
from tests.faults.drivers import driver, leftovers, wait_until
from tests.faults.signal_tasks import Meets
from tests.faults.tasks import note, noted

SCRIPT = """
import json, signal, sys
from flowlib import Flow
from stores import LocalFileStore
from tests.faults.test_signals import flow_of

if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    given = json.loads(sys.argv[1])
    flow = flow_of(given["hows"], given["log"], given["seconds"])
    flow.run(num_workers=given["workers"], grace_s=given["grace_s"], exit_on_error=False,
             results_store=LocalFileStore(given["store"]))
"""


def flow_of(hows, log, seconds=60.0):
    """One task for each way to go on, and after each another one."""
    specs = []
    for x, how in enumerate(hows):
        hidden = {"log": str(log), "seconds": seconds}
        first = TaskSpec(Meets, {"x": x, "how": how}, hidden, name=f"First{x}")
        after = TaskSpec(
            Meets, {"x": x, "how": "sleeps"}, {**hidden, "seconds": 0.0}, name=f"After{x}"
        )
        after.requires(first)
        specs += [first, after]
    return Flow(specs)


@contextlib.contextmanager
def running(tmp_path, hows, *, workers=2, seconds=60.0, grace_s=30.0):
    """A driver whose first tasks have begun."""
    import json

    given = {
        "hows": hows,
        "workers": workers,
        "seconds": seconds,
        "grace_s": grace_s,
        "log": str(tmp_path / "log"),
        "store": str(tmp_path / "store"),
    }
    with driver(tmp_path, json.dumps(given), script=SCRIPT) as started:
        wait_until(
            lambda: (
                len(lines(tmp_path, "began")) == min(workers, len(hows))
                or started.process.poll() is not None
            )
        )
        yield started


def lines(tmp_path, word):
    """What the tasks have noted with this word."""
    return [line for line in noted(tmp_path / "log") if line.startswith(word)]


def send(started, number, to_group):
    """To the driver, or as a terminal does, to its whole group."""
    (os.killpg if to_group else os.kill)(started.process.pid, number)


def end(started, limit_s=60.0):
    """The exit code as a shell gives it; no process is left."""
    code, err = started.end(limit_s)
    wait_until(lambda: not started.others(), limit_s=10.0)
    return (128 - code if code < 0 else code), err


def states(tmp_path):
    """The state of the last attempt of every record, by the name of its task."""
    store = LocalFileStore(tmp_path / "store")
    return {each.task: store.record(each).latest.state.value for each in store.addresses()}


ENDS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize("to_group", [False, True], ids=["driver", "group"])
@pytest.mark.parametrize("number", list(ENDS), ids=lambda each: each.name)
@pytest.mark.parametrize("workers", [1, 2])
def test_running_tasks_are_told_and_may_end(workers, number, to_group, tmp_path):
    """They finish and count; what comes after them does not start; the exit code says why."""
    hows = ["asks"] * workers
    with running(tmp_path, hows, workers=workers) as started:
        send(started, number, to_group)
        code, err = end(started)
    assert code == ENDS[number], err
    assert states(tmp_path) == {f"First{x}": "finished" for x in range(workers)}
    assert "Worker-" not in err
    assert leftovers(tmp_path / "store") == []
    flow = flow_of(hows, tmp_path / "log")
    run = flow.run(num_workers=1, results_store=LocalFileStore(tmp_path / "store"))
    assert run.counts == {"cached": workers, "finished": workers}
    assert all(run[f"First{x}"][0].results["told"] is True for x in range(workers))


@pytest.mark.parametrize("to_group", [False, True], ids=["driver", "group"])
@pytest.mark.slow
@pytest.mark.parametrize("how", ["sleeps", "clings", "hogs"])
def test_the_second_ctrl_c_ends_running_tasks(how, to_group, tmp_path):
    """By an interrupt in which they may clean up; who clings or cannot hear is killed later."""
    with running(tmp_path, [how, "sleeps"]) as started:
        send(started, signal.SIGINT, to_group)
        time.sleep(0.5)
        assert started.process.poll() is None
        began = time.monotonic()
        send(started, signal.SIGINT, to_group)
        code, err = end(started)
    took = time.monotonic() - began
    assert code == 130, err
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert states(tmp_path) == {"First0": "killed", "First1": "killed"}
    assert "cleaned 1" in lines(tmp_path, "cleaned")
    assert ("cleaned 0" in lines(tmp_path, "cleaned")) == (how == "sleeps")
    assert took >= 4.5 or how == "sleeps"
    assert leftovers(tmp_path / "store") == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_grace_period_comes_to_its_end(workers, number, tmp_path):
    """Tasks that take longer are interrupted, also in the driver's own process."""
    hows = ["sleeps"] * workers
    with running(tmp_path, hows, workers=workers, grace_s=1.5) as started:
        began = time.monotonic()
        send(started, number, to_group=True)
        send(started, number, to_group=False)  # often sent twice: that hurries nobody
        code, err = end(started)
    assert code == ENDS[number], err
    assert time.monotonic() - began >= 1.4
    assert states(tmp_path) == {f"First{x}": "killed" for x in range(workers)}
    assert len(lines(tmp_path, "cleaned")) == workers


def test_ctrl_c_ends_the_grace_period(tmp_path):
    """Who sits in front of it need not wait; the exit code is that of the first signal."""
    with running(tmp_path, ["sleeps", "sleeps"], grace_s=60.0) as started:
        send(started, signal.SIGTERM, to_group=False)
        time.sleep(0.3)
        send(started, signal.SIGINT, to_group=False)
        code, err = end(started, limit_s=30.0)
    assert code == 143, err
    assert states(tmp_path) == {"First0": "killed", "First1": "killed"}


def test_a_task_may_give_up_when_it_is_told(tmp_path):
    """KeyboardInterrupt says that the result does not count; nothing downstream is touched."""
    with running(tmp_path, ["gives_up", "gives_up"]) as started:
        send(started, signal.SIGTERM, to_group=False)
        code, err = end(started)
    assert code == 143, err
    assert states(tmp_path) == {"First0": "killed", "First1": "killed"}


def test_inline_the_first_ctrl_c_interrupts_who_does_not_ask(tmp_path):
    """As in any Python program; a task that asks `should_stop` is interrupted by the second."""
    with running(tmp_path, ["sleeps"], workers=1) as started:
        send(started, signal.SIGINT, to_group=True)
        code, err = end(started, limit_s=20.0)
    assert code == 130, err
    assert states(tmp_path) == {"First0": "killed"}
    assert lines(tmp_path, "ended") == ["ended 0 KeyboardInterrupt"]


@pytest.mark.slow
@pytest.mark.parametrize("number", list(ENDS), ids=lambda each: each.name)
@pytest.mark.parametrize("presses", [1, 2])
def test_resuming_loses_nothing_that_was_finished(presses, number, tmp_path):
    """Whatever the signal: what has ended is cached, the rest is computed, nothing else remains."""
    hows = ["asks", "sleeps", "asks"]
    with running(tmp_path, hows, seconds=3.0, grace_s=6.0) as started:
        for _ in range(presses):
            send(started, number, to_group=True)
            time.sleep(0.4)
        code, _ = end(started)
    assert code == ENDS[number]
    done = [name for name, state in states(tmp_path).items() if state == "finished"]
    assert "First0" in done or presses == 2
    assert "First2" not in states(tmp_path)
    log = tmp_path / "log"
    before = {line.split()[1] for line in lines(tmp_path, "began")}
    flow = flow_of(["asks", "sleeps", "asks"], log, 0.1)
    run = flow.run(
        num_workers=2, results_store=LocalFileStore(tmp_path / "store"), exit_on_error=False
    )
    assert run.counts.get("cached", 0) == len(done)
    assert before
    assert leftovers(tmp_path / "store") == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_asked_to_end_by_somebody_else(workers, tmp_path):
    """The task is interrupted and tried again elsewhere, and that is no failure."""
    hows = ["sleeps"] * workers
    with running(tmp_path, hows, workers=2, seconds=4.0) as started:
        pid = int(lines(tmp_path, "began 0")[0].split()[2])
        if workers == 2:
            os.kill(pid, signal.SIGTERM)
        code, err = end(started)
    assert code == 0, err
    assert set(states(tmp_path).values()) == {"finished"}
    if workers == 2:
        assert lines(tmp_path, "ended") == ["ended 0 Preempted"]
        assert len(lines(tmp_path, "began 0")) == 3  # twice the first task, once the one after it


@pytest.mark.slow
def test_a_handler_of_the_task_is_its_own_affair(tmp_path):
    """A task that handles SIGTERM itself is not interrupted, and finishes."""
    with running(tmp_path, ["handles", "handles"]) as started:
        for line in lines(tmp_path, "began"):
            os.kill(int(line.split()[2]), signal.SIGTERM)
        code, err = end(started)
    assert code == 0, err
    assert not lines(tmp_path, "ended")
    assert set(states(tmp_path).values()) == {"finished"}


def dies(log, number):
    """End the own process by a signal."""
    note(log, "run")
    os.kill(os.getpid(), number)
    time.sleep(5)


@pytest.mark.parametrize(
    ("number", "retries", "tries"),
    [
        (signal.SIGTERM, 0, 6),
        (signal.SIGTERM, {"preempted": 1}, 2),
        (signal.SIGTERM, {"preempted": 0}, 1),
        (signal.SIGKILL, 0, 1),
        (signal.SIGINT, 0, 1),
    ],
)
def test_preempted_tasks_are_tried_again_up_to_a_limit(number, retries, tries, tmp_path):
    """Five times unless the spec says otherwise; the kind and the state of the last tell why."""
    log = tmp_path / "log"
    spec = TaskSpec(dies, {"log": str(log), "number": int(number)}, retries=retries)
    store = LocalFileStore(tmp_path / "store")
    run = Flow([spec]).run(executor="processes", exit_on_error=False, results_store=store)
    assert len(noted(log)) == tries
    [result] = run["dies"]
    record = store.record(result.address)
    assert record.latest.state is TaskState.KILLED
    told = "WorkerDied" if number == signal.SIGKILL else "Preempted"
    assert record.latest.error.type_ == told
