"""`flowlib logs`: of a task, of a run, while they grow, and where there are none."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from stores import Address, LocalFileStore
from stores.testing import put
from tests.cli.calls import environment, flowlib, project
from tests.cli.shapes import fits
from tests.cli.test_status import live  # noqa: F401  # a fixture
from tests.screens import Terminal

LOGS = {
    "schema": int, "folder": str,
    "logs": [{"id": str, "unique_name": str, "label": str, "worker": str, "path": str, "lines": [str]}],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return project(tmp_path / "project")


@pytest.fixture
def ran(folder):
    """Two tasks that have printed, one of which failed."""
    assert flowlib("run", "flow.yaml", "train.lr=0.9,0.1", "--name", "bad", folder=folder).code == 1
    return folder


def ids(folder, selector):
    return flowlib("ls", selector, "--ids", folder=folder).out.split()


@pytest.mark.slow
def test_one_task_as_it_was_printed(ran):
    """By id, unique name, or selector; nothing is added to its lines."""
    [good] = ids(ran, "Train[lr=0.1]")
    for name in (good, good[:10], "Train-2", "Train[lr=0.1]"):
        called = flowlib("logs", name, folder=ran)
        assert (called.code, called.out, called.err) == (0, "training with 0.1\n", "")


@pytest.mark.slow
def test_a_run_has_all_with_whose_they_are(ran):
    """Each line begins with the task, or with the worker."""
    [bad] = ids(ran, "@failed")
    out = flowlib("logs", "bad", folder=ran).out
    assert f"{bad[:14]} │ training with 0.9\n" in out
    assert f"{bad[:14]} │ ValueError: loss is nan\n" in out
    assert flowlib("logs", folder=ran).out == out
    for line in flowlib("logs", "bad", "--workers", folder=ran).out.splitlines():
        assert line.startswith("w")
        assert " │ " in line


@pytest.mark.slow
def test_grep_and_tail(ran):
    """Of the lines of each log."""
    found = flowlib("logs", "bad", "--grep", "^train.*0\\.[19]$", folder=ran).out.splitlines()
    assert sorted(line.partition(" │ ")[2] for line in found) == [
        "training with 0.1",
        "training with 0.9",
    ]
    last = flowlib("logs", "Train[lr=0.9]", "--tail", "1", folder=ran)
    assert last.out == "ValueError: loss is nan\n"
    assert flowlib("logs", "bad", "--grep", "(", folder=ran).code == 2
    assert flowlib("logs", "bad", "--json", "-f", folder=ran).code == 2


def test_json(ran):
    """Every try with its lines."""
    found = flowlib("logs", "Train[lr=0.1]", "--json", folder=ran).json
    fits(found, LOGS)
    [log] = found["logs"]
    assert (log["label"], log["lines"]) == ("lr=0.1", ["training with 0.1"])


@pytest.mark.slow
def test_nothing_printed_is_no_error_and_nothing_there_is(ran):
    """3 where nothing is called so, or the folder of the run is gone."""
    called = flowlib("logs", "Load", folder=ran)
    assert (called.code, called.out) == (0, "")
    assert "has printed and logged nothing" in called.err
    unknown = flowlib("logs", "bat", folder=ran)
    assert unknown.code == 3
    assert "no run is called so. Did you mean bad?" in unknown.err
    assert flowlib("logs", "Train", folder=ran).code == 2
    put(LocalFileStore(ran / ".flowlib"), Address("Alone", "a" * 32), {})
    lonely = flowlib("logs", "Alone", folder=ran)
    assert lonely.code == 3
    assert "has left no log" in lonely.err


def test_following_a_task_ends_with_it(folder, live):  # noqa: F811
    """What is there comes at once, then what comes, then the end."""
    command = [sys.executable, "-m", "flowlib", "logs", "Slow-1", "-f"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begin 1\n"
    (folder / "go").touch()
    assert process.stdout.read() == "end 1\n"
    assert process.wait(60) == 0


def test_following_a_run_has_all_workers(folder, live):  # noqa: F811
    """Also those whose tasks began before."""
    threading.Timer(1.0, (folder / "go").touch).start()
    out = flowlib("logs", "-f", "--workers", "--tail", "5", folder=folder).out
    assert sorted(line.partition(" │ ")[2] for line in out.splitlines()) == [
        "begin 1", "begin 2", "end 1", "end 2",
    ]  # fmt: skip
    assert {line.partition(" │ ")[0] for line in out.splitlines()} == {"w0", "w1"}


SCRIPT = """
import sys
from flowlib.cli.main import main
sys.exit(main(["logs", "Train[lr=0.1]"]))
"""


@pytest.mark.slow
def test_a_terminal_is_not_driven_by_what_a_task_printed(ran):
    """Colours stay, all other codes are shown; a pipe gets the bytes."""

    [good] = ids(ran, "Train[lr=0.1]")
    log = ran / ".flowlib" / ".runs" / "bad" / "logs" / f"Train-{good.partition('/')[2][:8]}.log"
    log.write_bytes(b"10%\r20%\n\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07\n\xff no end")
    with Terminal(SCRIPT, ran) as terminal:
        assert terminal.wait_for_end() == 0
        assert terminal.shown == ["20%", "red \\x1b[2J\\x1b]0;title\\x07", "\ufffd no end"]
    assert "\x1b[2J" in flowlib("logs", "Train[lr=0.1]", folder=ran).out


def test_nobody_reads_on(ran):
    """`flowlib logs bad | head -1` is silent."""
    command = f"{sys.executable} -m flowlib logs bad | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ran, env=environment(), capture_output=True, text=True
    )
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_a_run_is_called_by_its_name(folder):
    """Not by that of its folder, in which some letters are written otherwise."""
    flowlib("run", "flow.yaml", "--only", "Load", "--name", "a/b", folder=folder)
    called = flowlib("logs", "a/b", folder=folder)
    assert (called.out, called.err) == ("", "run a/b has printed and logged nothing\n")
