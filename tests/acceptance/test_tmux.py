"""Do panes of the real tmux show what workers print?"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
import time

import pytest

from flowlib import Flow, TaskSpec
from flowlib.errors import NothingSelected
from flowlib.events import RunEnded, RunStarted, Started, TaskRef
from flowlib.tmux_session import words_to_attach
from flowlib.views.tmux import TmuxView
from stores import LocalFileStore
from tests.acceptance import settings_tasks

pytest.importorskip("libtmux")
pytestmark = pytest.mark.needs("tmux")

NAMES = {
    "plain": "p--plain",
    "with space": "p--with space",
    "dot.name": "p--dot_name",
    "a:b": "p--a_b",
    "quote'\"`": "p--quote'\"`",
    "$(touch hacked) `touch hacked`": "p--$(touch hacked) `touch hacked`",
    "#(touch hacked)#{pid}": "p--_(touch hacked)_{pid}",
    "ü ✔ 実験": "p--ü ✔ 実験",
    "ends;": "p--ends_",
    "-t x": "p---t x",
    "=x": "p--=x",
    "line\nbreak\x1b[31m": "p--line_break_[31m",
    "\udcff": "p--?",
}
"""Names of runs, and of their sessions."""


@pytest.fixture(autouse=True)
def _own_server(monkeypatch):
    """A tmux server of the test's own, whose socket has a short path."""
    folder = tempfile.mkdtemp(prefix="tmux-", dir="/tmp")
    monkeypatch.setenv("TMUX_TMPDIR", folder)
    monkeypatch.delenv("TMUX", raising=False)
    yield
    tmux("kill-server")
    shutil.rmtree(folder)


def tmux(*arguments):
    """The lines that tmux prints."""
    done = subprocess.run(
        ["tmux", "-L", "flowlib", *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


def wait_for(question, limit_s=10.0):
    """Ask until the answer is true."""
    limit = time.monotonic() + limit_s
    while not (answer := question()) and time.monotonic() < limit:
        time.sleep(0.05)
    return answer


def started(folder, run="r", workers=1, host="here"):
    """A run begins."""
    return RunStarted(0.0, run, "p", "memory", host, os.getpid(), workers, (), folder=str(folder))


def begun(worker, resource=""):
    """A worker got a task."""
    return Started(0.0, TaskRef("T", "T-1", "k"), worker, resource)


def titles():
    """What the borders of all panes show, window by window."""
    return tmux("list-panes", "-s", "-F", "#{window_index} #{@flowlib_title}")


def test_a_pane_shows_what_its_worker_prints(tmp_path):
    """From the run itself: what two workers print is in two panes, and the run says how to look."""
    spec = TaskSpec(settings_tasks.talks, {"word": ["alpha", "omega"]}, expand="product")
    store = LocalFileStore(tmp_path / "runs")
    options = {"results_store": store, "project_name": "p", "run_name": "talk"}
    Flow([spec]).run(num_workers=2, log_to_tmux=True, **options)
    panes = tmux("list-panes", "-s", "-t", "=p--talk", "-F", "#{pane_id}")
    assert len(panes) == 2

    def shown():
        text = "\n".join(line for each in panes for line in tmux("capture-pane", "-p", "-t", each))
        return "says alpha" in text and "says omega" in text

    assert wait_for(shown)
    assert titles() == ["0 worker 1 · ended", "0 worker 2 · ended"]


def test_the_panes_of_a_run_are_found_by_its_name(tmp_path):
    """`flowlib attach --tmux` goes to those of the newest run of this name."""
    spec = TaskSpec(settings_tasks.talks, {"word": "alpha"})
    store = LocalFileStore(tmp_path / "runs")
    with pytest.raises(NothingSelected, match="run a.b has no panes"):
        words_to_attach("p", "a.b")
    Flow([spec]).run(
        num_workers=1, log_to_tmux=True, results_store=store, project_name="p", run_name="a.b"
    )
    *command, session = words_to_attach("p", "a.b")
    assert command == ["tmux", "-L", "flowlib", "attach", "-t"]
    assert tmux("display-message", "-p", "-t", session, "#{session_name}") == ["p--a_b"]
    with pytest.raises(NothingSelected):
        words_to_attach("other", "a.b")


def test_a_run_in_the_drivers_process_has_a_pane(tmp_path, capfd):
    """It is worker 1; the command to look is on stderr."""
    spec = TaskSpec(settings_tasks.talks, {"word": "alpha"})
    store = LocalFileStore(tmp_path / "runs")
    Flow([spec]).run(
        num_workers=1, log_to_tmux=True, results_store=store, project_name="p", run_name="one run"
    )
    assert "tmux -L flowlib attach -t '=p--one run'" in capfd.readouterr().err
    assert wait_for(
        lambda: "says alpha" in "\n".join(tmux("capture-pane", "-p", "-t", "=p--one run:"))
    )


def test_nothing_is_opened_where_all_is_cached(tmp_path):
    """A run that computes nothing has no panes."""
    spec, store = TaskSpec(settings_tasks.number), LocalFileStore(tmp_path / "runs")
    Flow([spec]).run(num_workers=1, results_store=store)
    Flow([spec]).run(num_workers=1, results_store=store, log_to_tmux=True)
    assert tmux("list-sessions") == []


def test_six_workers_in_windows_of_four_in_order(tmp_path):
    """Each pane is split from the last, so they stand in order; borders tell worker and resource."""
    view = TmuxView(max_panes_per_window=4)
    view.show(started(tmp_path, workers=6))
    for worker in range(6):
        view.show(begun(worker, f"gpu{worker % 2}"))
    assert titles() == [f"{n // 4} worker {n + 1} · gpu{n % 2}" for n in range(6)]
    tops = tmux("list-panes", "-t", "=p--r:0", "-F", "#{pane_top} #{pane_left}")
    places = [tuple(map(int, each.split())) for each in tops]
    assert places == sorted(places)
    assert len({top for top, _ in places}) == len({left for _, left in places}) == 2
    assert tmux("show-options", "-gwv", "pane-border-status") == ["top"]
    view.show(begun(0, "gpu7"))
    assert titles()[0] == "0 worker 1 · gpu7"
    commands = tmux("list-panes", "-s", "-F", "#{pane_current_command}")
    assert wait_for(
        lambda: tmux("list-panes", "-s", "-F", "#{pane_current_command}") == ["tail"] * 6
    ), commands


def test_more_panes_than_have_room_go_to_the_next_window(tmp_path):
    """However many are allowed."""
    view = TmuxView(max_panes_per_window=500)
    view.show(started(tmp_path, workers=40))
    for worker in range(40):
        view.show(begun(worker))
    assert [each.partition(" ")[2] for each in titles()] == [f"worker {n + 1}" for n in range(40)]


@pytest.mark.parametrize("run", NAMES, ids=[str(number) for number in range(len(NAMES))])
def test_names_of_any_characters(run, tmp_path, monkeypatch):
    """Nothing is executed or expanded, and the log is followed."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "it's a `folder` $(touch hacked);"
    view = TmuxView()
    view.show(started(folder, run))
    view.show(begun(0, "#(touch hacked) ü #[fg=red]x;"))
    assert tmux("list-sessions", "-F", "#{session_name}") == [NAMES[run]]
    (folder / "workers" / "w1.log").write_text("hello there\n")
    assert wait_for(lambda: "hello there" in tmux("capture-pane", "-p"))
    view.show(RunEnded(1.0))
    time.sleep(0.2)
    assert list(tmp_path.rglob("hacked")) == []


def test_a_title_is_shown_as_it_is(tmp_path):
    """As tmux draws it: no command, no style and no format in it has an effect."""
    view = TmuxView()
    view.show(started(tmp_path))
    view.show(begun(0, "#(echo no) #[fg=red]x#{pid};"))
    outer = ["tmux", "-L", "outer", "-f", "/dev/null"]
    inner = "env -u TMUX tmux -L flowlib attach"
    subprocess.run([*outer, "new-session", "-d", "-x", "120", "-y", "20", inner], check=True)
    try:
        shown = wait_for(lambda: "worker 1" in (text := screen(outer)) and text)
    finally:
        subprocess.run([*outer, "kill-server"], check=False)
    assert shown.splitlines()[0].count(" worker 1 · #(echo no) #[fg=red]x#{pid}; ") == 1


def screen(outer):
    """What a terminal shows that is attached to the panes."""
    command = [*outer, "capture-pane", "-p"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_output_cannot_change_a_title(tmp_path):
    """A log may hold sequences for terminals."""
    view = TmuxView()
    view.show(started(tmp_path))
    (tmp_path / "workers" / "w1.log").write_text("\x1b]2;evil\x07\x1bkevil\x1b\\done\n")
    assert wait_for(lambda: "done" in tmux("capture-pane", "-p"))
    assert titles() == ["0 worker 1"]


def test_a_finished_run_of_the_same_name_is_replaced(tmp_path):
    """Sessions of other runs and of running ones stay."""
    for _ in range(3):
        view = TmuxView()
        view.show(started(tmp_path, "again"))
        view.show(RunEnded(1.0))
    other = TmuxView()
    other.show(started(tmp_path, "other"))
    other.show(RunEnded(1.0))
    assert sorted(tmux("list-sessions", "-F", "#S")) == ["p--again", "p--other"]
    running = TmuxView()
    running.show(started(tmp_path, "again"))
    second = TmuxView()
    second.show(started(tmp_path, "again"))
    assert sorted(tmux("list-sessions", "-F", "#S")) == ["p--again", "p--again-2", "p--other"]
    second.show(RunEnded(1.0))
    running.show(RunEnded(1.0))
    TmuxView().show(started(tmp_path, "again"))
    assert sorted(tmux("list-sessions", "-F", "#S")) == ["p--again", "p--other"]


def test_two_names_that_tmux_writes_alike_are_two_sessions(tmp_path):
    """The end of one does not make room for the other."""
    for name in ("a.b", "a:b"):
        view = TmuxView()
        view.show(started(tmp_path, name))
        view.show(RunEnded(1.0))
    assert sorted(tmux("list-sessions", "-F", "#S")) == ["p--a_b", "p--a_b-2"]


def test_the_session_of_a_killed_driver_is_replaced(tmp_path):
    """It never told that it has ended."""
    view = TmuxView()
    view.show(started(tmp_path))
    (session,) = tmux("list-sessions", "-F", "#{session_id}")
    driver = tmux("show-options", "-v", "-t", session, "@flowlib_driver")[0]
    tmux(
        "set-option",
        "-t",
        session,
        "@flowlib_driver",
        driver.replace(f" {os.getpid()},", " 999999999,"),
    )
    TmuxView().show(started(tmp_path))
    assert tmux("list-sessions", "-F", "#S") == ["p--r"]


def test_a_session_that_somebody_closes_does_not_end_the_run(tmp_path, caplog):
    """One warning, and nothing more."""
    view = TmuxView()
    view.show(started(tmp_path))
    tmux("kill-server")
    with caplog.at_level(logging.WARNING, "flowlib"):
        for worker in range(3):
            view.show(begun(worker))
        view.show(RunEnded(1.0))
    (record,) = caplog.records
    assert record.getMessage().startswith("the run goes on without panes: ")
    assert str(tmp_path / "workers") in record.getMessage()


def test_without_tmux_the_run_goes_on(tmp_path, monkeypatch, caplog):
    """One line says so."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with caplog.at_level(logging.WARNING, "flowlib"):
        run = Flow([TaskSpec(settings_tasks.number)]).run(num_workers=1, log_to_tmux=True)
    assert run.counts == {"finished": 1}
    (record,) = [each for each in caplog.records if "panes" in each.getMessage()]
    assert "panes of tmux need tmux, which is not installed" in record.getMessage()


def test_a_server_of_the_user_is_not_touched(tmp_path):
    """Ours has a socket of its own, and does not read ~/.tmux.conf."""
    subprocess.run(["tmux", "new-session", "-d", "-s", "mine"], check=True)
    TmuxView().show(started(tmp_path))
    done = subprocess.run(
        ["tmux", "list-sessions", "-F", "#S"], capture_output=True, text=True, check=True
    )
    subprocess.run(["tmux", "kill-server"], check=True)
    assert done.stdout.splitlines() == ["mine"]
    assert tmux("list-sessions", "-F", "#S") == ["p--r"]


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_wrong_number_of_panes_is_refused(value):
    """Before anything runs."""
    with pytest.raises(ValueError, match="max_panes_per_window must be 1 or more"):
        Flow([TaskSpec(settings_tasks.number)]).run(max_panes_per_window=value)
