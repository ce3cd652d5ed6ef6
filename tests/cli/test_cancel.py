"""`flowlib cancel`: a run that goes on elsewhere is stopped, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from flowlib.cli.main import main
from flowlib.computing_runs import open_tasks
from flowlib.event_log import EventWriter, read_events
from flowlib.events import RunStarted, Stopping
from flowlib.run_requests import RequestBox
from flowlib.run_stop import Told, ask_unknown_run, stop_run
from flowlib.stored_runs import find_run
from stores import Address, LocalFileStore, Owner, TaskState, open_store
from tests.cli.calls import environment, flowlib, project
from tests.services.fixtures import mongo_uri, mongodb, postgres, shared_uri, uri_of

__all__ = ["mongo_uri", "mongodb", "postgres", "shared_uri", "uri_of"]

SLOW = """
import time
from pathlib import Path
from flowlib import Task


class Slow(Task):
    def __init__(self, n: int):
        self.n = n

    def run(self):
        Path(f"begun-{self.n}").touch()
        while not Path("go").exists():
            time.sleep(0.02)
        return {"n": self.n}
"""


@pytest.fixture
def folder(tmp_path):
    return project(tmp_path / "project")


@contextmanager
def going_on(folder, **variables):
    """A run of three tasks and two workers, which wait until there is a file `go`."""
    (folder / "slow.py").write_text(SLOW)
    (folder / "slow.yaml").write_text(
        "import: slow.py\nspecs:\n  Slow: {config: {n: [1, 2, 3]}, expand: product}\n"
    )
    words = ["run", "slow.yaml", "--name", "live", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowlib", *words],
        cwd=folder, env=environment(**variables),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = time.monotonic() + 120
    while len(list(folder.glob("begun-*"))) < 2:  # what no worker has begun is given back at once
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    yield process
    (folder / "go").touch()
    process.communicate(timeout=120)


@pytest.fixture
def live(folder):
    """Such a run."""
    with going_on(folder) as process:
        yield process


@pytest.fixture
def asked_often(folder):
    """One that looks every second for what it is asked for."""
    with going_on(folder, FLOWLIB_HEARTBEAT_SECS="1") as process:
        yield process


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


@pytest.mark.slow
def test_a_task_is_cancelled_in_the_run_that_computes_it(folder, asked_often):
    """By the beginning of its key, or its name; then by what it has become, as no run has it."""
    tasks = open_tasks(folder / ".flowlib" / ".runs" / "live")
    running = str(tasks["Slow-1"])
    called = flowlib("cancel", running, "--now", folder=folder)
    assert (called.code, "--now is for a whole run" in called.err) == (2, True)
    called = flowlib("cancel", running, folder=folder)
    assert (called.code, called.out) == (0, "")
    assert called.err.endswith(": 1 task is ended\n")
    called = flowlib("cancel", "Slow-3", folder=folder)
    assert called.code == 0, called.err
    assert called.err.endswith(": 1 task is not started\n") or ": 1 task is ended" in called.err
    (folder / "go").touch()
    assert asked_often.wait(120) == 1
    store = LocalFileStore(folder / ".flowlib")
    assert len([*store.records("Slow", state="finished")]) == 1
    told = flowlib("cancel", running, folder=folder)
    assert (told.code, told.err) == (0, f"no run computes {running}: it is killed\n")
    finished = str(tasks["Slow-2"]).partition("/")[2]
    told = flowlib("cancel", finished, folder=folder)
    assert (told.code, told.err) == (0, f"no run computes {tasks['Slow-2']}: it is finished\n")
    for nothing in ("Slow/0123", "0123456789", "Slow-1"):
        told = flowlib("cancel", nothing, folder=folder)
        assert (told.code, f"there is no run {nothing!r}" in told.err) == (3, True)


def test_a_task_that_is_running_elsewhere_is_told(tmp_path, capsys):
    """Somebody has its lease, but the folder of the run is not seen from here."""
    store, task = LocalFileStore(tmp_path / "runs"), Address("Train", "9a7a" * 8)
    attempt = store.begin(task)
    try:
        assert main(["cancel", "9a7a9a7a", "--store", f"file:{tmp_path}/runs"]) == 1
    finally:
        attempt.abandon()
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("Train/9a7a9a7a is running, in no run that is known here: flowlib")


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


def test_nobody_else_is_sent_a_signal(folder, monkeypatch):
    """One on another host is asked by a note, which stays for it."""
    written(folder, host="elsewhere")
    store = LocalFileStore(folder / ".flowlib")
    told = stop_run(find_run(store, "other"), store, patience_s=0.0)
    assert told == Told(has_answered=False, host="elsewhere")
    me = replace(Owner.of_this_process(), host="elsewhere")
    monkeypatch.setattr(Owner, "of_this_process", lambda: me)
    with RequestBox(store, "other") as box:
        [(_, request)] = box.new()
        assert request.driver == me
    with RequestBox(store, "another") as box:
        assert box.new() == []
    assert flowlib("cancel", "nobody", folder=folder).code == 3
    assert flowlib("cancel", folder=folder).code == 2
    called = flowlib("cancel", "other", "--now", "--only", "A", folder=folder)
    assert (called.code, "--now is for a whole run" in called.err) == (2, True)


def test_a_driver_that_is_killed_before_it_answers_is_not_waited_for(folder):
    """Its run is over, though it does not say so any more."""
    code = (
        "import signal, time; signal.signal(2, lambda *_: signal.raise_signal(9)); print(flush=1)"
    )
    command = [sys.executable, "-c", f"{code}; time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as driver:
        driver.stdout.readline()
        owner = Owner.of_process(driver.pid)
        written(folder, pid=owner.pid, process_start=owner.started)
        store = LocalFileStore(folder / ".flowlib")
        told = stop_run(find_run(store, "other"), store, patience_s=60.0)
        assert told == Told(has_answered=True, host=owner.host)
        assert driver.wait(60) == -signal.SIGKILL


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


HOSTS = """
import os
import socket

host = os.environ.get("HOST_OF_TEST")
if host:
    real = os.uname()
    os.uname = lambda: os.uname_result((real.sysname, host, *real[2:]))
    socket.gethostname = lambda: host
"""

MORE = (
    SLOW
    + """

class After(Task):
    def run(self, n):
        return {"m": n}
"""
)


class Elsewhere:
    """A run whose processes believe to be on the host `gpu7`, with a home of their own there."""

    def __init__(self, folder, store):
        self.folder, self.store = folder, store
        (folder / "hosts").mkdir()
        (folder / "hosts" / "sitecustomize.py").write_text(HOSTS)
        (folder / "more.py").write_text(MORE)
        (folder / "more.yaml").write_text(
            "import: more.py\nspecs:\n  Slow: {config: {n: [1, 2, 3]}, expand: product, retries: 2}\n"
            "  After: {requires: Slow}\n"
        )
        words = ["run", "more.yaml", "--name", "far", "--workers", "2", "--fail-fast"]
        words += ["--store", store]
        variables = {
            "HOST_OF_TEST": "gpu7",
            "XDG_STATE_HOME": str(folder / "home of gpu7"),
            "FLOWLIB_HEARTBEAT_SECS": "0.2",
        }
        variables["PYTHONPATH"] = f"{folder / 'hosts'}:{environment()['PYTHONPATH']}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flowlib", *words],
            cwd=folder, env={**environment(), **variables}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def cancel(self, *words):
        """Ask for something from this host."""
        home = str(self.folder / "home")
        words = ("cancel", *words, "--store", self.store)
        return flowlib(*words, folder=self.folder, XDG_STATE_HOME=home)

    def wait_until_two_run(self):
        until = time.monotonic() + 120
        while len(list(self.folder.glob("begun-*"))) < 2:
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.05)

    @property
    def told(self):
        return "".join(each.read_text() for each in self.folder.parent.rglob("events-gpu7-*.jsonl"))

    def go(self):
        (self.folder / "go").touch()


@pytest.fixture
def far(folder, shared_uri):
    """A run on another host, two of whose tasks wait for a file."""
    run = Elsewhere(folder, shared_uri)
    try:
        run.wait_until_two_run()
        yield run
    finally:
        run.go()
        run.process.communicate(timeout=120)


@pytest.mark.slow
def test_a_run_on_another_host_is_stopped_through_the_store(far):
    """It reads at its beat what it is asked for, and ends as after Ctrl-C."""
    called = far.cancel("far", "--now")
    assert (called.code, called.out) == (0, ""), called.err
    assert called.err.endswith("run far stops: its tasks are being ended\n")
    assert far.process.wait(120) == 130
    assert f"@{Owner.of_this_process().host} has asked for it" in far.process.stderr.read()
    with closing(open_store(far.store)) as store, closing(store.beside("requests")) as notes:
        assert list(notes.addresses()) == []


@pytest.mark.slow
def test_one_task_is_cancelled_and_the_others_go_on(far):
    """One that runs is ended, one that waits is not started; what reads from them is skipped.

    Neither is tried again, and neither counts as a failure after which nothing starts.
    """
    called = far.cancel("far", "--only", "Slow[n=1]", "--only", "Slow-3")
    assert called.code == 0, called.err
    last = called.err.splitlines()[-1]
    assert last == "run far on gpu7: 1 task is not started, 1 task is ended"
    again = far.cancel("far", "--only", "Slow-9")
    assert again.code == 3
    assert "Slow-9" in again.err
    far.go()
    assert far.process.wait(120) == 1
    assert '"event":"retried"' not in far.told
    with closing(open_store(far.store)) as store:
        slow, after = [*store.records("Slow")], [*store.records("After")]
    found = {record.latest.run.unique_name: record.latest for record in slow}
    records = {n: found[f"Slow-{n}"] for n in (1, 2, 3)}
    states = {n: latest.state for n, latest in records.items()}
    killed, finished = TaskState.KILLED, TaskState.FINISHED
    assert states == {1: killed, 2: finished, 3: killed}
    errors = {records[n].error.message.partition("@")[2] for n in (1, 3)}
    assert errors == {Owner.of_this_process().host}
    assert records[1].error.message.startswith("cancelled by ")
    assert sorted(record.latest.state.value for record in after) == [
        "finished",
        "upstream_failed",
        "upstream_failed",
    ]


def test_a_run_that_nobody_knows_is_asked_for_in_vain(tmp_path):
    """The request is taken back, so that no later run of the name obeys it."""
    store = open_store(f"sqlite:///{tmp_path}/results.db")
    assert ask_unknown_run("far", store, now=False, patience_s=0.0) is None
    with RequestBox(store, "far") as box:
        assert box.new() == []
