"""`flowlib status` and `flowlib attach`: runs while they go on, and when they are over."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from flowlib import Flow, RunError, TaskSpec
from flowlib.event_log import EventWriter
from flowlib.events import RunEnded, RunStarted, SpecTotal
from flowlib.executor import Executor
from stores import LocalFileStore
from tests.cli.calls import environment, flowlib, project
from tests.cli.shapes import COUNTS, MAYBE_NUMBER, MAYBE_TEXT, fits
from tests.screens import Terminal

RUN = {
    "name": str, "project": str, "state": str, "started": MAYBE_NUMBER, "duration_s": MAYBE_NUMBER,
    "total": int, "counts": COUNTS, "eta_s": MAYBE_NUMBER, "signal": MAYBE_TEXT, "broken_by": MAYBE_TEXT,
    "host": MAYBE_TEXT, "pid": (int, type(None)), "again": [str], "folder": str,
    "asked": [{"by": str, "at": float, "only": [str], "is_now": bool}],
}  # fmt: skip
STATUS = {"schema": int, "total": int, "runs": [RUN]}
STORY = {
    "schema": int,
    "run": {
        **RUN,
        "specs": [{"name": str, "total": int, "counts": COUNTS}],
        "failures": [{"id": str, "error": str, "message": str, "log": MAYBE_TEXT, "count": int}],
    },
}

SLOW = """
import time
from pathlib import Path
from flowlib import Task


class Slow(Task):
    def __init__(self, n: int):
        self.n = n

    def run(self):
        print(f"begin {self.n}", flush=True)
        while not Path("go").exists():
            time.sleep(0.02)
        print(f"end {self.n}", flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    return project(tmp_path / "project")


@pytest.fixture
def live(folder):
    """A run of two tasks that wait until there is a file `go`."""
    (folder / "slow.py").write_text(SLOW)
    (folder / "slow.yaml").write_text(
        "import: slow.py\nspecs:\n  Slow: {config: {n: [1, 2]}, expand: product}\n"
    )
    command = [
        sys.executable,
        "-m",
        "flowlib",
        "run",
        "slow.yaml",
        "--name",
        "live",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    runs = folder / ".flowlib" / ".runs"
    while (
        "".join(each.read_text() for each in runs.rglob("*.jsonl")).count('"event":"started"') < 2
    ):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    yield process
    (folder / "go").touch()
    process.communicate(timeout=60)


@pytest.mark.slow
def test_runs_that_are_over(folder):
    """The newest on top, with what became of their tasks."""
    assert flowlib("run", "flow.yaml", "--name", "first", folder=folder).code == 0
    assert flowlib("run", "flow.yaml", "train.lr=0.9", "--name", "bad", folder=folder).code == 1
    bad, first = flowlib("status", folder=folder).out.splitlines()
    assert bad.startswith("✖ bad    ")
    assert bad.endswith("3/3 ≡1 ✖1 ⊘1")
    assert first.endswith("4/4 ✔4")
    found = flowlib("status", "--json", folder=folder).json
    fits(found, STATUS)
    assert [(run["name"], run["state"]) for run in found["runs"]] == [
        ("bad", "failed"), ("first", "finished"),
    ]  # fmt: skip
    assert found["runs"][0]["counts"] == {"cached": 1, "failed": 1, "skipped": 1}
    assert found["runs"][0]["again"][:3] == ["flowlib", "run", "flow.yaml"]


@pytest.mark.slow
def test_all_about_one_run(folder):
    """A bar for each spec, failures, and the commands that lead on."""
    flowlib("run", "flow.yaml", "train.lr=0.9", "--name", "bad", folder=folder)
    called = flowlib("status", "ba", folder=folder)
    assert called.code == 0
    assert "━ 1/1  ✖1" in called.out
    assert "ValueError: loss is nan" in called.out
    assert "\n  again    flowlib run flow.yaml train.lr=0.9" in called.out
    found = flowlib("status", "bad", "--json", folder=folder).json
    fits(found, STORY)
    assert found["run"]["failures"][0]["message"] == "loss is nan"
    assert [each["name"] for each in found["run"]["specs"]] == ["Load", "Train", "Best"]


@pytest.mark.slow
def test_a_live_run_is_on_top_and_a_signal_is_named(folder, live):
    """While it goes on, and after Ctrl-C."""
    [run] = flowlib("status", "--json", folder=folder).json["runs"]
    fits(run, RUN)
    assert (run["state"], run["pid"], run["counts"]) == ("running", live.pid, {"running": 2})
    [line] = flowlib("status", folder=folder).out.splitlines()
    assert line.startswith("● live  running 0:")
    assert f"0/2 ▶2  pid {live.pid}" in line
    live.send_signal(signal.SIGINT)
    (folder / "go").touch()
    assert live.wait(60) == 130
    [run] = flowlib("status", "--json", folder=folder).json["runs"]
    assert (run["state"], run["signal"]) == ("interrupted", "SIGINT")
    assert "interrupted (SIGINT)" in flowlib("status", folder=folder).out


def test_a_driver_that_was_killed_is_gone(folder, live):
    """Nobody could write that down."""
    live.kill()
    live.wait(60)
    assert "interrupted (its process is gone)" in flowlib("status", folder=folder).out
    called = flowlib("attach", "live", folder=folder)
    assert called.code == 1
    assert "stopped: 2 of 2 tasks did not run" in called.err


def test_damaged_folders_are_told_and_break_nothing(folder):
    """Also where names hold escape codes."""
    store = LocalFileStore(folder / ".flowlib")
    bad = store.runs_dir / "bad"
    bad.mkdir(parents=True)
    (bad / "events-h-1.jsonl").write_bytes(b"\x00{")
    nasty = store.runs_dir / "nasty"
    nasty.mkdir()
    writer = EventWriter(nasty)
    specs = (SpecTotal("Sp\x1b[2Jec", 1, 1),)
    writer.write(RunStarted(1.0, "na\x1b[31m\nsty", "p", "s", "h", 1, 1, specs))
    writer.write(RunEnded(2.0, {"cached": 1}, 1.0))
    writer.close()
    called = flowlib("status", folder=folder)
    assert called.code == 0
    assert "\x1b" not in called.out
    assert len(called.out.splitlines()) == 2
    assert "nothing to read in" in called.out
    assert "\x1b" not in flowlib("status", "nasty", folder=folder).out
    assert flowlib("status", "nobody", folder=folder).code == 3


def twice(n):
    return 2 * n


class Closed(Executor):
    """Has no queue."""

    def start(self, setup):
        raise RunError("no queue in\nthis house, for " + "a very long reason " * 5 + "indeed")


def test_a_run_that_could_not_begin_was_refused(folder):
    """The list says why, and all about it has the whole reason; nobody has interrupted it."""
    flow = Flow([TaskSpec(twice, config={"n": [1, 2]}, expand="product")])
    with pytest.raises(RunError, match="no queue"):
        flow.run(
            1, executor=Closed(), run_name="late", results_store=LocalFileStore(folder / ".flowlib")
        )
    [line] = flowlib("status", folder=folder).out.splitlines()
    assert line.startswith("✖ late ")
    assert "  0/2  refused: no queue in this house, for a very" in line
    story = flowlib("status", "late", folder=folder, COLUMNS="60").out
    assert "  why      no queue in this house" in story
    assert "reason indeed" in story
    [run] = flowlib("status", "--json", folder=folder).json["runs"]
    assert (run["state"], run["signal"]) == ("refused", None)
    assert run["broken_by"].endswith("indeed")


def test_no_run_is_no_error(folder):
    """stdout stays empty; a note says so."""
    (folder / ".flowlib").mkdir()
    called = flowlib("status", folder=folder)
    assert (called.code, called.out, called.err) == (0, "", "no run has used this store yet\n")


SCRIPT = """
import sys
from flowlib.cli.main import main
sys.exit(main(["attach"]))
"""


def test_attach_shows_a_run_live_and_ctrl_c_leaves_it_alone(folder, live):
    """Bars and running tasks on a terminal; the run goes on."""
    with Terminal(SCRIPT, folder) as terminal:
        terminal.wait_for("Slow n=2")
        terminal.wait_for("Ctrl-C: stop watching; the run goes on")
        terminal.type("\x03")
        assert terminal.wait_for_end() == 130
    assert live.poll() is None
    (folder / "go").touch()
    assert live.wait(60) == 0
    called = flowlib("attach", "live", folder=folder)
    assert (called.code, called.out) == (0, "")
    assert "✔ 2 tasks finished" in called.err


@pytest.mark.slow
def test_attach_waits_for_the_end(folder, live):
    """Its exit code is that of the run."""
    command = [sys.executable, "-m", "flowlib", "attach", "--progress", "none"]
    waiting = subprocess.Popen(command, cwd=folder, env=environment())
    time.sleep(0.5)
    assert waiting.poll() is None
    (folder / "go").touch()
    assert waiting.wait(60) == 0
    assert flowlib("attach", "nobody", folder=folder).code == 3
