"""What is known of a task that several runs want at once?"""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from flowlib.dashboard import live_runs as module
from flowlib.dashboard.live_runs import LiveRuns
from flowlib.event_log import EventWriter
from flowlib.events import Grown, Retried, RunStarted, Started, TaskRef, Waiting
from flowlib.run_requests import RequestNote, RunRequest
from stores import ErrorDetails, InMemoryStore, LocalFileStore, Owner

KEY, OTHER = "a" * 32, "b" * 32
TASK = TaskRef("Train", "Train-1", KEY)
COMPUTES = {KEY: "running"}
WAITS = {KEY: "pending", OTHER: "pending"}


@pytest.mark.parametrize("told", [(COMPUTES, WAITS), (WAITS, COMPUTES)])
def test_a_run_that_waits_hides_none_that_computes(monkeypatch, told):
    """Whichever of them is looked at last."""
    facts = {"is_live": True, "state": "running", "counts": {}, "asked": ()}
    runs = [SimpleNamespace(folder=Path(name), **facts) for name in "xy"]
    states = dict(zip((run.folder for run in runs), told, strict=True))

    def watched(folder):
        return SimpleNamespace(read=lambda: None, states=states[folder], planned={})

    monkeypatch.setattr(module, "stored_runs", lambda _, known: runs)
    monkeypatch.setattr(module, "_Watched", watched)
    live = LiveRuns(InMemoryStore())
    live.refresh()
    assert live.now.states == {KEY: "running", OTHER: "pending"}


def test_the_page_of_a_run_tells_what_it_has_not_answered(dashboard, tmp_path):
    """By what somebody elsewhere has asked for; a run that goes on looks for it now and then."""
    store, me = LocalFileStore(tmp_path / "store"), Owner.of_this_process()
    folder = store.runs_dir / "long-run"
    folder.mkdir(parents=True)
    process = {"host": me.host, "pid": me.pid, "boot_id": me.boot_id, "process_start": me.started}
    writer = EventWriter(folder)
    writer.write(RunStarted(time.time(), "long-run", "p", "s", workers=1, specs=(), **process))
    writer.close()
    assert "has to answer" not in dashboard(store).page("/runs/long-run").text
    note = RequestNote(store, RunRequest("long-run", "alice@gpu3", time.time() - 90, ("A<b>",)))
    note.close()
    page = dashboard(store).page("/runs/long-run")
    assert "has to answer" in page.text
    assert "cancel of A<b> asked 1 min ago by alice@gpu3" in page.text


@pytest.mark.parametrize(
    "event",
    [
        Retried(1.0, TASK, ErrorDetails("E", "m", ""), 60.0),
        Waiting(1.0, TASK, "process 5 on gpu3"),
        Grown(1.0, TASK, (), 0.1),
    ],
)
def test_a_task_that_has_begun_and_waits_does_not_run(event, tmp_path):
    """For its next try, for another run that computes it, or for tasks that it has returned."""
    writer = EventWriter(tmp_path)
    writer.write(Started(0.0, TASK, 0))
    watched = module._Watched(tmp_path)
    watched.read()
    assert watched.states == {KEY: "running"}
    writer.write(event)
    writer.close()
    watched.read()
    assert watched.states == {KEY: "pending"}
