"""What does Ctrl-C leave, once or twice, for the driver alone or for all of its processes?"""

from __future__ import annotations

import os
import signal
import time

import pytest

from stores import LocalFileStore, TaskState
from tests.faults.drivers import (
    chain,
    check_results,
    driver,
    executions,
    finished,
    leftovers,
    wait_until,
)

COUNT = 12


def interrupt(started, to_group):
    """What the terminal sends; the driver is the leader of its group."""
    if to_group:
        os.killpg(started.process.pid, signal.SIGINT)
    else:
        os.kill(started.process.pid, signal.SIGINT)


def was_interrupted(code, err):
    """Whether a driver ended by KeyboardInterrupt, and no worker said anything."""
    is_end = code in (-signal.SIGINT, 130) and err.rstrip().endswith("KeyboardInterrupt")
    return is_end and "Worker-" not in err


@pytest.mark.slow
@pytest.mark.parametrize("to_group", [False, True], ids=["driver", "group"])
@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_next_run_completes_after_ctrl_c(tmp_path, workers, presses, to_group):
    """Once lets the tasks of workers end and commits them; twice, or inline, ends them now."""
    base, log = tmp_path / "store", tmp_path / "log"
    pause_s = 1.5 if (workers, presses) == (2, 1) else 20.0
    with driver(tmp_path, base, log, COUNT, workers, pause_s) as started:
        wait_until(lambda: len(executions(log)) >= workers)
        began = time.monotonic()
        interrupt(started, to_group)
        if presses == 2 and workers == 2:
            time.sleep(0.5)
            assert started.process.poll() is None
            interrupt(started, to_group)
        code, err = started.end()
        assert was_interrupted(code, err), err
        assert pause_s < 20 or time.monotonic() - began < 15
        wait_until(lambda: not started.others(), limit_s=10.0)
    done = finished(LocalFileStore(base))
    first = executions(log)
    assert len(first) == workers
    assert done == (set(first) if (workers, presses) == (2, 1) else set())
    if workers == 1:
        store = LocalFileStore(base)
        assert [store.record(each).state for each in store.addresses()] == [TaskState.KILLED]
    run = chain(COUNT, log).run(num_workers=1, results_store=LocalFileStore(base))
    check_results(run, COUNT)
    assert len(executions(log)) == len(first) + COUNT - len(done)
    assert leftovers(base) == []


@pytest.mark.slow
@pytest.mark.parametrize("tenths", range(1, 8, 2))
def test_ctrl_c_while_workers_start_leaves_nothing(tmp_path, tenths):
    """Pressed at any moment from our first import on: no survivors, and the next run completes."""
    base, log = tmp_path / "store", tmp_path / "log"
    with driver(tmp_path, base, log, COUNT, 2, 0.2) as started:
        wait_until((tmp_path / "begun").exists, limit_s=20.0)
        time.sleep(tenths / 10)
        interrupt(started, to_group=True)
        code, err = started.end()
        assert was_interrupted(code, err), err
        wait_until(lambda: not started.others(), limit_s=10.0)
    done = finished(LocalFileStore(base))
    first = len(executions(log))
    run = chain(COUNT, log).run(num_workers=1, results_store=LocalFileStore(base))
    check_results(run, COUNT)
    assert not done & set(executions(log)[first:])
    assert leftovers(base) == []
