"""Drivers in scripts of their own: tasks of the script itself, Ctrl-C, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.executors.cases import named

SCRIPT = """
import concurrent.futures, json, multiprocessing, os, sys, time
from pathlib import Path
from flowlib import Flow, Task, TaskSpec
from stores import LocalFileStore

FACTOR = 3

class Number:
    def __init__(self, n):
        self.n = n

def helper(n):
    return FACTOR * n.n

class Waits(Task):
    def __init__(self, number, folder):
        self.number, self.folder = number, Path(folder)

    def run(self):
        (self.folder / f"begun-{self.number}").touch()
        until = time.monotonic() + 60
        while not (self.folder / "open").exists() and time.monotonic() < until:
            time.sleep(0.02)
        return {"value": helper(Number(self.number)), "pid": os.getpid()}

def executor(name):
    if name == "pool":
        return concurrent.futures.ProcessPoolExecutor(
            2, mp_context=multiprocessing.get_context("spawn"))
    if name == "loky":
        from loky import ProcessPoolExecutor
        return ProcessPoolExecutor(2)
    return name

if __name__ == "__main__":
    name, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    config = {"number": list(range(count)), "folder": folder}
    flow = Flow([TaskSpec(Waits, config, expand="product")])
    done = flow.run(executor=executor(name), num_workers=2, progress=None, exit_on_error=False,
                    results_store=LocalFileStore(Path(folder) / "store"))
    found = [each.results["value"] if each.results else None for each in done["Waits"]]
    print(json.dumps({"values": found, "counts": done.counts}))
"""

NAMES = [named(each) for each in ("threads", "processes", "pool", "loky", "dask", "ray")]


@pytest.fixture
def driver(tmp_path):
    """Starts the script; it leads a process group of its own, as from a shell."""
    script = tmp_path / "experiment.py"
    script.write_text(textwrap.dedent(SCRIPT))
    started = []

    def start(name, count):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        process = subprocess.Popen(
            [sys.executable, str(script), name, str(tmp_path), str(count)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def wait_for(folder, pattern, count, seconds=60.0):
    until = time.monotonic() + seconds
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < until, f"{count} × {pattern} did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("name", NAMES)
def test_tasks_of_a_script_work_on_every_executor(driver, tmp_path, name):
    """Its classes, helpers and constants are there, whether its file is imported or not."""
    (tmp_path / "open").touch()
    process = driver(name, 4)
    out, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    assert json.loads(out) == {"values": [0, 3, 6, 9], "counts": {"finished": 4}}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c_lets_running_tasks_end_and_the_next_run_does_the_rest(driver, tmp_path, name):
    """The signal goes to the whole group, as from a terminal."""
    process = driver(name, 9)
    wait_for(tmp_path, "begun-*", 2)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    (tmp_path / "open").touch()
    _, err = process.communicate(timeout=120)

    assert process.returncode == -signal.SIGINT or process.returncode == 130, err
    ended = len(list((tmp_path / "store" / "Waits").glob("*.json")))
    assert 2 <= ended < 9, err
    again = driver(name, 9)
    out, err = again.communicate(timeout=120)
    assert json.loads(out)["values"] == [3 * n for n in range(9)], err
    assert json.loads(out)["counts"] == {"cached": ended, "finished": 9 - ended}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_running_after_the_second_ctrl_c(driver, tmp_path, name):
    """The driver leaves without waiting for what it cannot end."""
    process = driver(name, 2)
    wait_for(tmp_path, "begun-*", 2)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)

    assert process.returncode in (130, -signal.SIGINT)
    until = time.monotonic() + 20.0
    while group := _of_session(process.pid):
        assert time.monotonic() < until, f"still there: {group}"
        time.sleep(0.1)


def _of_session(session):
    """The processes of a session that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(stat[3]) == session and stat[0] != "Z":
                found.append((folder.name, (folder / "cmdline").read_text()))
        except (OSError, IndexError):
            continue
    return found
