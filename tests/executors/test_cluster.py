"""Workers that outlive the command: started, found by runs, looked at, ended, with real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import pytest

from flowlib.cli.commands.cluster import command
from flowlib.cluster_state import KnownCluster, keep_cluster, known_cluster
from stores import Owner
from tests.cli.calls import environment, flowlib, project
from tests.executors.sessions import of_session, runs

pytestmark = [pytest.mark.needs("redis-server"), pytest.mark.slow]

WHERE = """
from pathlib import Path

def read(name: str):
    return {"text": Path(name).read_text(), "version": "first"}
"""

DOCUMENT = """\
import: where.py
specs:
  read: {config: {name: note.txt}}
"""

WAITS = """
import time
from pathlib import Path

def waits(name: str):
    Path(name).touch()
    time.sleep(600)
"""


class Shell:
    """Calls the command, always with the same place for what it remembers."""

    def __init__(self, folder):
        self.folder = folder
        self.variables = {"XDG_STATE_HOME": str(folder / "state")}

    def __call__(self, *words, **variables):
        return flowlib(*words, folder=self.folder, **{**self.variables, **variables})

    def state_files(self):
        return sorted((self.folder / "state" / "flowlib" / "cluster").iterdir())


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """In a project; one place for what is remembered for all tests, in which all is ended."""
    shell = Shell(project(tmp_path_factory.mktemp("cluster") / "project"))
    yield shell
    shell("cluster", "stop")


@pytest.fixture
def cluster(shell):
    """Two workers, and what is said of them; those of the test before if they are well."""
    looked = shell("cluster", "status", "--json")
    if looked.code == 0:
        return looked.json["cluster"]
    started = shell("cluster", "start", "--workers", "2", "--json")
    assert started.code == 0, started.err
    return started.json["cluster"]


def test_runs_find_the_cluster_by_themselves(shell, cluster):
    """One after the other; it is idle in between."""
    for words in ((), ("--force", "Train+")):
        done = shell("run", "flow.yaml", "--executor", "rq", *words)
        assert done.code == 0, done.err
    until = time.monotonic() + 60.0
    looked = shell("cluster", "status", "--json").json["cluster"]
    while looked["running"] and time.monotonic() < until:  # RQ forgets a job after its answer
        looked = shell("cluster", "status", "--json").json["cluster"]
    assert looked["is_running"]
    assert looked["pool_pid"] == cluster["pool_pid"]
    assert (looked["listening"], looked["waiting"], looked["running"]) == (2, 0, 0)


def test_a_second_start_says_that_one_runs(shell, cluster):
    """And changes nothing."""
    second = shell("cluster", "start", "--workers", "1")

    assert second.code == 2
    assert "a cluster of 2 workers runs already" in second.err
    assert "flowlib cluster stop" in second.err
    assert shell("cluster", "status", "--json").json["cluster"]["pool_pid"] == cluster["pool_pid"]


def test_only_the_user_can_read_the_way_in(shell, cluster):
    """The file with the password, and its folder; no output and no command line has it."""
    [state] = [each for each in shell.state_files() if each.suffix == ".json"]
    url = json.loads(state.read_text())["url"]
    secret = url.rpartition("@")[0].rpartition(":")[2]

    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700
    assert len(secret) >= 24
    assert secret not in json.dumps(cluster)
    assert secret not in "".join(shell("cluster", "status", "--json").out)
    for leader in (cluster["redis_pid"], cluster["pool_pid"]):
        for pid in of_session(leader):
            assert secret not in Path(f"/proc/{pid}/cmdline").read_text()
    others = [each for each in shell.state_files() if each != state]
    assert not [each for each in others if secret in each.read_text(errors="replace")]


def test_tasks_run_where_the_run_was_started_with_modules_of_now(shell, cluster):
    """A relative path is one of the run's folder; what was edited since is run as it is."""
    (shell.folder / "where.py").write_text(WHERE)
    (shell.folder / "where.yaml").write_text(DOCUMENT)
    (shell.folder / "note.txt").write_text("found")
    call = ("run", "where.yaml", "--executor", "rq", "--force", "read")
    assert shell(*call).code == 0
    (shell.folder / "where.py").write_text(WHERE.replace("first", "second edition"))
    assert shell(*call).code == 0

    assert "found" in shell("cat", "read:text").out
    assert "second edition" in shell("cat", "read:version").out


def test_stop_ends_all_of_it(shell, cluster):
    """Nothing is left: no process, no way in; a second one says that nothing runs."""
    leaders = [cluster["redis_pid"], cluster["pool_pid"]]
    ended = shell("cluster", "stop")

    assert (ended.code, ended.err) == (0, "2 workers and Redis have ended\n")
    assert [pid for leader in leaders for pid in of_session(leader)] == []
    assert shell("cluster", "status").code == 3
    assert shell("cluster", "stop").err == "no cluster runs here\n"
    assert not [each for each in shell.state_files() if each.suffix == ".json"]


def test_a_cluster_that_has_died_is_told_and_replaced(shell, cluster):
    """kill -9 of Redis: status and run say so; the next start ends the rest, and runs."""
    os.kill(cluster["redis_pid"], signal.SIGKILL)
    until = time.monotonic() + 30.0
    while runs(cluster["redis_pid"]):
        assert time.monotonic() < until
        time.sleep(0.05)

    looked = shell("cluster", "status")
    assert looked.code == 1
    assert "have died" in looked.out
    call = ("run", "flow.yaml", "--executor", "rq", "--force", "Train+")
    refused = shell(*call)
    assert refused.code == 2
    assert "the cluster has died" in refused.err
    assert "flowlib cluster start" in refused.err
    again = shell("cluster", "start", "--workers", "1")
    assert again.code == 0, again.err
    assert of_session(cluster["pool_pid"]) == []
    assert shell(*call).code == 0


def test_stop_ends_tasks_that_do_not_end(shell, cluster):
    """With their processes."""
    (shell.folder / "waits.py").write_text(WAITS)
    text = DOCUMENT.replace("where.py", "waits.py").replace("read:", "waits:")
    text = text.replace("note.txt", "waits.txt")
    (shell.folder / "waits.yaml").write_text(text)
    driver = subprocess.Popen(
        [sys.executable, "-m", "flowlib", "run", "waits.yaml", "--executor", "rq"],
        cwd=shell.folder,
        env=environment(**shell.variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 60.0
        while not (shell.folder / "waits.txt").exists():
            assert time.monotonic() < until, "the task has not begun"
            time.sleep(0.05)
        assert shell("cluster", "stop").code == 0
        assert of_session(cluster["pool_pid"]) == []
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()


def test_a_missing_server_is_one_line_with_the_cure(shell, tmp_path):
    """Nothing is started."""
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    refused = shell("cluster", "start", PATH=str(bare), XDG_STATE_HOME=str(tmp_path))

    assert refused.code == 2
    assert refused.err.startswith("error: there is no redis-server here: install it")
    assert refused.err.count("\n") == 1
    assert not list(tmp_path.glob("flowlib/cluster/*.json"))


def test_the_commands_are_explained_and_completed(shell):
    """Examples first, for each of the three; their names are offered."""
    for name, each in command.commands.items():
        told = each.get_help(click.Context(each, info_name=f"flowlib cluster {name}"))
        assert told.index(f"  flowlib cluster {name}") < told.index("Options:")
        assert [option for option in each.params if not getattr(option, "help", None)] == []
    offered = shell(
        _FLOWLIB_COMPLETE="bash_complete", COMP_WORDS="flowlib cluster st", COMP_CWORD="2"
    )
    names = [line.partition(",")[2] for line in offered.out.splitlines()]
    assert names == sorted(command.commands) == ["start", "status", "stop"]


def test_processes_that_have_numbers_of_dead_ones_are_spared(shell, tmp_path, monkeypatch):
    """A file from before the machine was started anew names processes of others."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bystander = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        old = replace(Owner.of_process(bystander.pid), started=1)
        keep_cluster(KnownCluster("redis://:secret@127.0.0.1:1", 2, time.time(), old, old))
        assert shell("cluster", "stop", XDG_STATE_HOME=str(tmp_path)).code == 0
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")
    assert known_cluster() is None
