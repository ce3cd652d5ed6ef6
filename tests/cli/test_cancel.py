"""`flowlib cancel`: a run that goes on elsewhere is stopped, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from flowlib.event_log import EventWriter, read_events
from flowlib.events import RunStarted, Stopping
from stores import LocalFileStore, Owner
from tests.cli.calls import environment, flowlib, project

SLOW = """
import time
from pathlib import Path
from flowlib import Task


class Slow(Task):
    def __init__(self, n: int):
        self.n = n

    def run(self):
        while not Path("go").exists():
            time.sleep(0.02)
"""


@pytest.fixture
def folder(tmp_path):
    return project(tmp_path / "project")


@pytest.fixture
def live(folder):
    """A run of three tasks and two workers, which wait until there is a file `go`."""
    (folder / "slow.py").write_text(SLOW)
    (folder / "slow.yaml").write_text(
        "import: slow.py\nspecs:\n  Slow: {config: {n: [1, 2, 3]}, expand: product}\n"
    )
    words = ["run", "slow.yaml", "--name", "live", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowlib", *words],
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = time.monotonic() + 120
    runs = folder / ".flowlib" / ".runs"
    while "".join(e.read_text() for e in runs.rglob("*.jsonl")).count('"event":"started"') < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    yield process
    (folder / "go").touch()
    process.communicate(timeout=120)


@pytest.mark.slow
def test_what_runs_may_end_and_nothing_new_starts(folder, live):
    """As after Ctrl-C in its terminal; asked again nothing more happens."""
    for _ in range(2):
        called = flowlib("cancel", "liv", folder=folder)
        assert (called.code, called.out) == (0, "")
        assert called.err == "run live stops: what runs may end; --now ends it\n"
    assert live.poll() is None
    (folder / "go").touch()
    assert live.wait(120) == 130
    store = LocalFileStore(folder / ".flowlib")
    assert store.count("Slow") == 2
    called = flowlib("cancel", "live", folder=folder)
    assert (called.code, called.err) == (0, "run live does not go on: interrupted\n")


@pytest.mark.slow
def test_now_ends_what_runs(folder, live):
    """The tasks are recorded as killed; nobody has to touch the file that they wait for."""
    assert flowlib("cancel", "live", "--now", folder=folder).code == 0
    assert live.wait(120) == 130
    [run] = LocalFileStore(folder / ".flowlib").runs_dir.iterdir()
    assert [e.is_now for e in read_events(run) if isinstance(e, Stopping)][-1]


def written(folder, **driver):
    """A folder of a run, with what its process said when it began."""
    runs = LocalFileStore(folder / ".flowlib").runs_dir / "other"
    runs.mkdir(parents=True)
    me = Owner.of_this_process()
    told = {"host": me.host, "pid": me.pid, "boot_id": me.boot_id, "process_start": me.started}
    told |= driver
    host, pid = told.pop("host"), told.pop("pid")
    writer = EventWriter(runs)
    writer.write(RunStarted(time.time(), "other", "p", "s", host, pid, 1, (), **told))
    writer.close()


def test_nobody_else_is_sent_a_signal(folder):
    """Not a process elsewhere, not one that has only its number, not one of nobody."""
    written(folder, host="elsewhere")
    called = flowlib("cancel", "other", folder=folder)
    assert called.code == 2
    assert f"process {os.getpid()} on elsewhere" in called.err
    assert "`flowlib cancel other` there stops it" in called.err
    assert flowlib("cancel", "nobody", folder=folder).code == 3
    assert flowlib("cancel", folder=folder).code == 2


def test_a_later_process_of_the_same_number_is_none(folder):
    """The run is over: its process is gone."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        written(folder, pid=sleeper.pid, process_start=1)
        called = flowlib("cancel", "other", folder=folder)
        assert (called.code, called.err) == (0, "run other does not go on: interrupted\n")
        assert sleeper.poll() is None
    finally:
        sleeper.send_signal(signal.SIGKILL)
        sleeper.wait(60)
