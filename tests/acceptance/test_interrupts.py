"""What is left after Ctrl-C, or when the driver is killed? (6.5 and D25 of the parity page)"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec, TaskState
from stores import LocalFileStore
from tests.acceptance import tasks
from tests.acceptance.scripts import ROOT, run_script
from tests.acceptance.tasks import noted

SCRIPT = """
import sys
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.acceptance.tasks import Sleeps

if __name__ == "__main__":
    spec = TaskSpec(Sleeps, {"x": [1, 2, 3, 4]}, {"log": "log", "pause_s": float(sys.argv[2])},
                    expand="product")
    Flow([spec]).run(num_workers=int(sys.argv[1]), results_store=LocalFileStore("store"),
                     grace_s=1.0)
"""
LIMIT_S = 30.0


def started(folder: Path, workers: int, pause_s: float) -> subprocess.Popen[str]:
    """The script, once as many tasks are running as there are workers."""
    (folder / "script.py").write_text(SCRIPT)
    driver = subprocess.Popen(
        [sys.executable, "script.py", str(workers), str(pause_s)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: len(noted(folder / "log")) >= workers or driver.poll() is not None)
    return driver


def wait_until(holds: Callable[[], bool]) -> None:
    """Return when `holds`; fail when it takes too long."""
    limit = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < limit, "it never happened"
        time.sleep(0.02)


def states(folder: Path) -> list[str]:
    """The states of all records of the script's task, sorted."""
    store = LocalFileStore(str(folder / "store"))
    found = store.statuses(list(store.addresses("Sleeps")))
    return sorted(status.state.value for status in found.values())


def run_again(folder: Path) -> dict[str, int]:
    """The counts of a run that completes what is missing."""
    config = {"x": [1, 2, 3, 4]}
    spec = TaskSpec(tasks.Sleeps, config, {"log": str(folder / "log")}, expand="product")
    run = Flow([spec]).run(num_workers=1, results_store=LocalFileStore(str(folder / "store")))
    assert [each.results for each in run["Sleeps"]] == [{"value": x} for x in (1, 2, 3, 4)]
    return dict(run.counts)


def test_interrupt_inline_kills_the_running_task(tmp_path: Path) -> None:
    """Ctrl-C with one worker: KeyboardInterrupt, state killed, and the next run completes."""
    driver = started(tmp_path, 1, 20.0)
    driver.send_signal(signal.SIGINT)
    _, err = driver.communicate(timeout=LIMIT_S)
    assert driver.returncode in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in err
    assert states(tmp_path) == [TaskState.KILLED]
    assert run_again(tmp_path) == {"finished": 4}


def test_first_interrupt_lets_running_tasks_end(tmp_path: Path) -> None:
    """Ctrl-C once with two workers: what runs is committed, nothing new starts.

    The terminal sends it to the workers as well as to the driver.
    """
    driver = started(tmp_path, 2, 1.0)
    os.killpg(driver.pid, signal.SIGINT)
    _, err = driver.communicate(timeout=LIMIT_S)
    assert "KeyboardInterrupt" in err
    assert states(tmp_path) == [TaskState.FINISHED, TaskState.FINISHED]
    assert run_again(tmp_path) == {"cached": 2, "finished": 2}
    assert len(noted(tmp_path / "log")) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_d25_death_of_the_driver_leaves_no_workers(number: signal.Signals, tmp_path: Path) -> None:
    """Workers leave with their driver, and the next run takes over what it was computing."""
    driver = started(tmp_path, 2, 60.0)
    workers = [int(line.split()[1]) for line in noted(tmp_path / "log")]
    driver.send_signal(number)
    driver.communicate(timeout=LIMIT_S)
    wait_until(lambda: not any(is_running(pid) for pid in workers))
    assert run_again(tmp_path) == {"finished": 4}


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


FORKS = """
import sys
from flowlib import Flow, TaskSpec
from tests.acceptance.tasks import EndsItsProcess, TellsHandlers, UsesPool

if __name__ == "__main__":
    ends = TaskSpec(EndsItsProcess, {"number": [2, 15]}, expand="product")
    pools = TaskSpec(UsesPool, {"method": ["fork", "spawn"]}, expand="product")
    told = TaskSpec(TellsHandlers)
    run = Flow([ends, pools, told]).run(num_workers=int(sys.argv[1]), grace_s=600.0)
    print([each["code"] for each in run["EndsItsProcess"]], run.counts)
    print([each["squares"] for each in run["UsesPool"]])
    print(run["TellsHandlers"][0]["is_usual"])
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_of_a_task_end_when_they_are_told(workers: int, tmp_path: Path) -> None:
    """As they would without a run: a signal sent to one of them is none for the run or the task.

    With one worker the grace period for the run would have been theirs.
    """
    done = run_script(FORKS.replace("sys.argv[1]", str(workers)), tmp_path)
    assert done.out.splitlines() == [  # 1: by a KeyboardInterrupt
        "[1, -15] {'finished': 5}",
        "[[0, 1, 4, 9], [0, 1, 4, 9]]",
        "True",
    ], done.err
