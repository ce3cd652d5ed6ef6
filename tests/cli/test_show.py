"""`flowlib show` and `flowlib diff`: one task, and two."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from stores import Address, LocalFileStore, TaskState
from stores.testing import done, put
from tests.cli.calls import environment, flowlib, project
from tests.cli.shapes import ANYTHING, MAYBE_NUMBER, MAYBE_TEXT, NUMBER, fits
from tests.cli.stored import FAST, FETCH, SLOW, filled, outcome
from tests.flowlib.repositories import git

NEIGHBOUR = {
    "id": str,
    "task": str,
    "key": str,
    "role": str,
    "attempt": int,
    "current": (int, type(None)),
}
TRY = {"kind": str, "ended": str, "error": {"type": str, "message": str}}
ATTEMPT = {
    "number": int, "state": str, "started": MAYBE_TEXT, "ended": MAYBE_TEXT,
    "duration_s": MAYBE_NUMBER, "owner": MAYBE_TEXT, "error": ANYTHING,
}  # fmt: skip
SHOW = {
    "schema": int, "id": str, "task": str, "key": str, "state": str, "version": MAYBE_TEXT,
    "config": {...: ANYTHING}, "given": [str], "inherited": {...: {...: ANYTHING}},
    "why": MAYBE_TEXT, "run": {"name": str, "project": str, "as": str},
    "upstream": [NEIGHBOUR], "downstream": [NEIGHBOUR],
    "artifacts": [
        {"name": str, "type": str, "size_bytes": int, "attempt": int, "values": {...: ANYTHING}}
    ],
    "attempts": [ATTEMPT], "tries": [TRY], "facts": {...: str}, "environment": {...: ANYTHING},
    "log": MAYBE_TEXT, "folder": MAYBE_TEXT, "again": [str], "seed": int, "patch": MAYBE_TEXT,
    "packages": ANYTHING, "untracked": [str],
}  # fmt: skip
CHANGES = [{"name": str}]
DIFF = {
    "schema": int, "a": str, "b": str, "config": CHANGES, "code": CHANGES, "upstream": CHANGES,
    "values": CHANGES, "artifacts": CHANGES, "environment": CHANGES, "same": {...: int},
}  # fmt: skip

TRAP = """
import pickle
class Trap:
    def __reduce__(self):
        return print, ("unpickled",)
"""


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path)
    return tmp_path


def test_all_about_a_result(folder):
    """Config, neighbours, results by type and size, where it comes from."""
    called = flowlib("show", "Train/9a7a", folder=folder, TZ="UTC")
    assert (called.code, called.err) == (0, "")
    assert called.out.startswith(f"✔ Train/{SLOW.key}  finished  run exp as Train-1\n")
    for part in (
        "\nconfig\n  batch  64\n  lr     0.001\n  Fetch.n  3  inherited\n".replace("batch  64", "batch    64").replace("lr     0", "lr       0"),
        "\nupstream\n  Fetch/f0f0f0f0\n",
        "\ndownstream\n  Best/b0b0b0b0  has no result\n",
        "  acc    json        6 B  0.9312\n",
        "  model  pickle",
        "  big    text    20.0 kB\n",
        "  code     git 3f2a91c0+changes\n",
        "  why: new, the store has no result for this configuration\n",
    ):  # fmt: skip
        assert part in called.out
    found = flowlib("show", "Train-1", "--json", folder=folder).json
    fits(found, SHOW)
    assert found["config"] == {"batch": 64, "lr": 0.001}
    assert found["inherited"] == {"Fetch": {"n": 3}}
    assert {each["name"]: each["values"] for each in found["artifacts"]} == {
        "acc": {"": 0.9312}, "model": {}, "big": {},
    }  # fmt: skip


def test_an_error_and_its_traceback(folder):
    """The failed one, with the end of its traceback."""
    called = flowlib("show", "@failed", folder=folder)
    assert "✖ Train/9a11" in called.out
    assert (
        '\nerror\n  ValueError: loss is nan\n  Traceback\n    File "my.py", line 3\n' in called.out
    )
    found = flowlib("show", "@failed", "--json", folder=folder).json
    fits(found, SHOW)
    assert found["attempts"][0]["error"]["type"] == "ValueError"


def test_both_attempts_where_a_later_one_failed(folder):
    """It says which counts."""
    put(LocalFileStore(folder / ".flowlib"), SLOW, {}, done(TaskState.FAILED), lr=0.001, batch=64)
    out = flowlib("show", "Train/9a7a", folder=folder).out
    assert "attempt 1  finished  2.0 s" in out
    assert "its results count" in out
    assert "attempt 2  failed" in out


@pytest.mark.slow
def test_a_default_is_told_apart_from_what_was_given_and_again_runs_it_again(tmp_path):
    """Of a real run: the printed command computes exactly this task."""
    folder = project(tmp_path / "project")
    assert flowlib("run", "flow.yaml", "--name", "first", folder=folder).code == 0
    out = flowlib("show", "Train[lr=1e-2]", folder=folder).out
    assert "  lr     0.01\n" in out
    assert "  depth  1  default\n" in out
    assert "\nlog     " in out
    again = next(line for line in out.splitlines() if line.startswith("again "))
    words = again.removeprefix("again   flowlib ").split()
    assert words[:2] == ["run", "flow.yaml"]
    called = flowlib(*words, "--force", words[-1], "--name", "second", folder=folder)
    assert called.code == 0
    found = flowlib("show", "Train[lr=1e-2]", "--json", folder=folder).json
    assert (found["why"], found["run"]["name"]) == ("force", "second")
    assert [each["number"] for each in found["attempts"]] == [2]
    assert flowlib("ls", "@last", "--ids", folder=folder).out.count("\n") >= 1


DIES = """
import os
import signal
import time
from pathlib import Path
from flowlib import Task


class Dies(Task):
    def run(self):
        with Path("tries").open("a") as file:
            file.write("x")
        tries = len(Path("tries").read_text())
        if tries == 1:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        if tries == 2:
            raise OSError("disk\\n is full")
        return {"tries": tries}
"""


@pytest.mark.slow
def test_each_attempt_that_was_tried_again_is_told_with_its_kind(tmp_path):
    """A record has the last one only; the log of the run has them all."""
    folder = project(tmp_path / "project")
    (folder / "dies.py").write_text(DIES)
    (folder / "dies.yaml").write_text("import: dies.py\nspecs:\n  Dies: {retries: 1}\n")
    called = flowlib("run", "dies.yaml", "--workers", "2", "--executor", "processes", folder=folder)
    assert called.code == 0, called.err
    out = flowlib("show", "Dies", folder=folder).out
    tried = [line.split("  ", 4) for line in out.splitlines() if line.startswith("  tried before")]
    assert [line[2] for line in tried] == ["preempted", "exception"]
    assert tried[1][-1] == "OSError: disk is full"
    assert "  attempt 3  finished  " in out
    found = flowlib("show", "Dies", "--json", folder=folder).json
    fits(found, SHOW)
    assert [each["kind"] for each in found["tries"]] == ["preempted", "exception"]
    assert found["tries"][1]["error"] == {"type": "OSError", "message": "disk\n is full"}
    for log in (folder / ".flowlib" / ".runs").rglob("events-*.jsonl"):
        log.unlink()
    found = flowlib("show", "Dies", "--json", folder=folder).json
    assert found["tries"] == []


def test_nothing_is_unpickled(tmp_path):
    """A value that prints when it is loaded is not heard of."""
    (tmp_path / "flowlib.toml").write_text("")
    space = {}
    exec(TRAP, space)
    store = LocalFileStore(tmp_path / ".flowlib")
    put(store, Address("T", "a" * 32), {"trap": space["Trap"]()}, outcome())
    called = flowlib("show", "T", folder=tmp_path)
    assert "trap  pickle" in called.out
    assert "unpickled" not in called.out


@pytest.mark.slow
def test_text_of_users_is_shown_and_not_obeyed(tmp_path):
    """In configs, errors, names of results."""
    (tmp_path / "flowlib.toml").write_text("")
    nasty = "\x1b[31m\n</pre>"
    store = LocalFileStore(tmp_path / ".flowlib")
    bad = replace(outcome(TaskState.FAILED), provenance={"command": nasty, "host": nasty})
    put(store, Address(f"T{nasty}", "a" * 32), {nasty: nasty}, bad, **{nasty: nasty})
    put(store, Address(f"T{nasty}", "b" * 32), {nasty: 1}, bad, **{nasty: 1})
    for words in (["show", "aaaa"], ["diff", "aaaa", "bbbb"], ["show", "aaaa", "-v"]):
        called = flowlib(*words, folder=tmp_path)
        assert called.code == 0
        assert "\x1b" not in called.out
        ascii_ = flowlib(*words, "--ascii", folder=tmp_path)
        assert ascii_.out.isascii()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "Train"], 2),
        (["show", "Nothing"], 3),
        (["show"], 2),
        (["diff", "Train/9a7a", "Nothing"], 3),
        (["diff", "Train/9a7a"], 2),
    ],
)
def test_errors_have_their_exit_codes(folder, words, code):
    """2 for what is doubtful, 3 for what is not there."""
    called = flowlib(*words, folder=folder)
    assert (called.code, called.out) == (code, "")


def test_two_tasks(folder):
    """Config, results with a signed difference, and what is the same in one line."""
    store = LocalFileStore(folder / ".flowlib")
    values = {"acc": 0.9011, "model": {1, 3}, "big": "x" * 20_000}
    other = outcome(inputs=[FETCH], ended=101.5, provenance={"host": "h2"})
    put(store, FAST, values, replace(other, started=98.5), lr=0.01, batch=64)
    called = flowlib("diff", "Train/9a7a", "Train/9a11", folder=folder)
    assert called.out.splitlines() == [
        "              Train/9a7a08b2  Train/9a110000",
        "  lr          0.001           0.01",
        "  acc         0.9312          0.9011          (−0.0301)",
        "  duration_s  2.0 s           3.0 s           (+1.0 s)",
        "  model       pickle 20 B     pickle 20 B     (other content)",
        "  same: 2 other config, code, upstream, 1 other artifacts (1 of the environment differ: -v)",
    ]
    found = flowlib("diff", "Train/9a7a", "Train/9a11", "--json", folder=folder).json
    fits(found, DIFF)
    assert found["config"] == [{"name": "lr", "a": 0.001, "b": 0.01}]
    assert found["values"][0]["delta"] == pytest.approx(-0.0301)
    fits(found["values"][0]["delta"], NUMBER)
    assert found["environment"] == [{"name": "host", "a": "h1", "b": "h2"}]
    assert "h2" in flowlib("diff", "Train/9a7a", "Train/9a11", "-v", folder=folder).out


def test_nothing_differs(folder):
    """A task and itself."""
    out = flowlib("diff", "Train/9a7a", "Train/9a7a", folder=folder).out
    assert "nothing that is recorded differs" in out


@pytest.mark.slow
@pytest.mark.needs("git")
def test_the_origin_of_two_results(tmp_path):
    """Of real runs: the patch, packages, seed; and with -v in which packages two runs differ."""
    folder = project(tmp_path / "project")
    (folder / ".gitignore").write_text(".flowlib\n__pycache__\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    with (folder / "tasks.py").open("a") as file:
        file.write("# changed\n")
    (folder / "notes.txt").write_text("x")
    assert flowlib("run", "flow.yaml", "-q", folder=folder, OMP_NUM_THREADS="3").code == 0
    out = flowlib("show", "Best", folder=folder).out
    found = flowlib("show", "Best", "--json", folder=folder).json
    fits(found, SHOW)
    patch = Path(found["patch"])
    assert patch.parent == folder / ".flowlib" / ".origins"
    assert "\n+# changed\n" in patch.read_text()
    for row in (
        f"code       git {git(folder, 'rev-parse', 'HEAD')[:8]}+changes on main", f"changes    {patch}",
        "untracked  1: notes.txt", "variable   OMP_NUM_THREADS=3", f"seed       {int(found['key'][:8], 16)}",
        f"packages   {len(found['packages'])}: -v",
    ):  # fmt: skip
        assert f"\n  {row}\n" in out
    assert found["packages"]["click"] == version("click")
    assert f"click {version('click')}" in flowlib("show", "Best", "-v", folder=folder).out

    (folder / "extra" / "colour-7.dist-info").mkdir(parents=True)
    more = os.pathsep.join([environment()["PYTHONPATH"], str(folder / "extra")])
    words = ("run", "flow.yaml", "-q", "--only", "Load", "--force", "Load")
    assert flowlib(*words, folder=folder, PYTHONPATH=more, OMP_NUM_THREADS="3").code == 0
    short = flowlib("diff", "Best", "Load", folder=folder).out
    assert "(1 of the environment differ: -v)" in short
    assert "  package colour  –  " in flowlib("diff", "Best", "Load", "-v", folder=folder).out
