"""Signals ask a run to stop, more and more urgently; handlers are borrowed and given back."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import Flow, TaskSpec
from flowlib.interrupts import KILL_AFTER_S, Interrupts, Stage, StopRequests, Woken, ending_of
from tests.flowlib import process_tasks as tasks

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALS = st.lists(st.tuples(st.sampled_from(WATCHED), st.floats(0, 100)), max_size=8)


def handlers():
    """Those of the signals that stop a run."""
    return [signal.getsignal(number) for number in WATCHED]


@given(SIGNALS, st.floats(0, 60))
def test_a_stop_is_never_taken_back(signals, grace_s):
    """Whatever comes, and when: the stage only rises, and the first signal is the one told."""
    requests = StopRequests(grace_s)
    stages = [requests.stage(0.0)]
    now = 0.0
    for number, pause_s in signals:
        now += pause_s
        stages.append(requests.stage(now))
        requests.add(number, now)
        stages.append(requests.stage(now))
    stages.append(requests.stage(now + 1000))
    assert stages == sorted(stages)
    assert requests.number == (signals[0][0] if signals else None)


@given(SIGNALS, st.floats(0, 60))
def test_the_next_change_is_the_next_change(signals, grace_s):
    """Just before it the stage is the same, at it a higher one; never before the first signal."""
    requests, now = StopRequests(grace_s), 0.0
    for number, pause_s in signals:
        now += pause_s
        requests.add(number, now)
    then = requests.next_change(now)
    if then == float("inf"):
        assert requests.stage(now) in (requests.stage(1e9), Stage.DRAINING, Stage.GOING)
    else:
        assert requests.stage(then) > requests.stage(now)


def test_the_steps_of_ctrl_c_and_of_sigterm():
    """Ctrl-C: told, ended, killed. SIGTERM: told, and the rest by the clock; twice is once."""
    presses = StopRequests(30.0)
    for step in (Stage.DRAINING, Stage.ENDING, Stage.KILLING):
        presses.add(signal.SIGINT, 1.0)
        assert presses.stage(1.0) is step
    polite = StopRequests(30.0)
    polite.add(signal.SIGTERM, 1.0)
    polite.add(signal.SIGTERM, 2.0)
    polite.add(signal.SIGHUP, 3.0)
    steps = [polite.stage(t) for t in (3.0, 30.9, 31.0, 31.0 + KILL_AFTER_S)]
    assert steps == [Stage.DRAINING, Stage.DRAINING, Stage.ENDING, Stage.KILLING]
    polite.add(signal.SIGINT, 10.0)
    assert polite.stage(10.0) is Stage.ENDING


def test_what_a_script_ends_with():
    """KeyboardInterrupt, or the exit code that shells give a signal."""
    assert isinstance(ending_of(signal.SIGINT), KeyboardInterrupt)
    assert [ending_of(n).code for n in (signal.SIGTERM, signal.SIGHUP)] == [143, 129]


def test_handlers_are_put_back_exactly():
    """Those of the user, whatever they are; the run replaced them in between."""

    def mine(number, frame):
        raise AssertionError("not while the run goes on")

    before = [signal.signal(number, mine) for number in WATCHED]
    try:
        with Interrupts() as interrupts:
            assert mine not in handlers()
            signal.raise_signal(signal.SIGTERM)
            assert interrupts.number == signal.SIGTERM
        assert handlers() == [mine] * 3
    finally:
        for number, handler in zip(WATCHED, before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_leaves_no_handlers(workers):
    """Nor a changed mask, also when the run ends by an exception."""
    before = handlers(), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    Flow([TaskSpec(tasks.quick, {"n": [1, 2]}, expand="product")]).run(num_workers=workers)
    with pytest.raises(TypeError):
        Flow([TaskSpec(tasks.sleeps, {"seconds": "no"})]).run(num_workers=workers)
    assert (handlers(), signal.pthread_sigmask(signal.SIG_BLOCK, ())) == before


def test_ignored_signals_stay_ignored():
    """`nohup` and the background jobs of scripts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            signal.raise_signal(signal.SIGHUP)
            assert interrupts.number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_handler_that_somebody_kept_does_no_harm_later():
    """It passes the signal on to the handler that was there before the run."""
    got = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
    try:
        with Interrupts() as interrupts:
            kept = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, kept)
        signal.raise_signal(signal.SIGTERM)
        assert got == [signal.SIGTERM]
        assert interrupts.number is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_run_around_this_one_is_told():
    """A task may run a flow of its own; Ctrl-C stops both."""
    with Interrupts() as outer, Interrupts() as inner:
        signal.raise_signal(signal.SIGINT)
        assert (outer.number, inner.number) == (signal.SIGINT, signal.SIGINT)


def test_a_wait_is_left_at_once_and_nothing_else_is():
    """Signals that come outside of a wait leave the next one; those that were seen do not."""
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Woken), interrupts.let_through():
            raise AssertionError("it was not left")
        assert interrupts.stage() is Stage.DRAINING
        with interrupts.let_through():
            pass
        with pytest.raises(Woken), interrupts.let_through():
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("workers", [1, 2])
def test_runs_work_in_threads(workers):
    """Where no handler can be set: furu failed with "signal only works in main thread"."""
    spec = TaskSpec(tasks.quick, {"n": [1, 2, 3]}, expand="product")
    runs = []
    threads = [
        threading.Thread(target=lambda: runs.append(Flow([spec]).run(num_workers=workers)))
        for _ in range(2)
    ]
    before = handlers()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.counts for run in runs] == [{"finished": 3}] * 2
    assert handlers() == before


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["inline", "processes", "threads"])
def test_a_run_that_waits_uses_less_than_a_hundredth_of_a_cpu(executor):
    """The driver and the process of the task, each by its own clock, while the task sleeps."""
    spec = TaskSpec(tasks.sleeps_and_tells, {"seconds": 4.0})
    seen, is_over = [], threading.Event()

    def look():
        while not is_over.wait(0.25):
            seen.append((time.time(), time.process_time()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        run = Flow([spec]).run(executor=executor, num_workers=1)
    finally:
        is_over.set()
        thread.join()
    [task] = run["sleeps_and_tells"]
    found = task.results
    assert (found["pid"] == os.getpid()) == (executor != "processes")
    assert found["cpu_s"] < 0.01 * (found["ended"] - found["began"])
    looks = [each for each in seen if found["began"] + 0.5 < each[0] < found["ended"]]
    (began, cpu_s), (ended, cpu_then_s) = looks[0], looks[-1]
    assert ended - began > 1
    assert cpu_then_s - cpu_s < 0.01 * (ended - began)
