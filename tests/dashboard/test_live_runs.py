"""What is known of a task that several runs want at once?"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from flowlib.dashboard import live_runs as module
from flowlib.dashboard.live_runs import LiveRuns
from stores import InMemoryStore

KEY, OTHER = "a" * 32, "b" * 32
COMPUTES = {KEY: "running"}
WAITS = {KEY: "pending", OTHER: "pending"}


@pytest.mark.parametrize("told", [(COMPUTES, WAITS), (WAITS, COMPUTES)])
def test_a_run_that_waits_hides_none_that_computes(monkeypatch, told):
    """Whichever of them is looked at last."""
    runs = [SimpleNamespace(folder=Path(name), is_live=True, state="running", counts={}) for name in "xy"]  # fmt: skip
    states = dict(zip((run.folder for run in runs), told, strict=True))

    def watched(folder):
        return SimpleNamespace(read=lambda: None, states=states[folder], planned={})

    monkeypatch.setattr(module, "stored_runs", lambda _, known: runs)
    monkeypatch.setattr(module, "_Watched", watched)
    live = LiveRuns(InMemoryStore())
    live.refresh()
    assert live.now.states == {KEY: "running", OTHER: "pending"}
