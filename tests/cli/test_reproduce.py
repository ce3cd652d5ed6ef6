"""`flowlib reproduce`: an earlier result from the code of its time, in another folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from stores import LocalFileStore
from tests.acceptance.scripts import ROOT, run_python
from tests.cli.calls import flowlib
from tests.flowlib.repositories import git

pytestmark = pytest.mark.needs("git")

TASKS = """\
import os
import random

from flowlib import Task

FACTOR = 1.0


class Load(Task):
    def __init__(self, size: int = 3):
        self.size = size

    def run(self):
        return {"numbers": list(range(self.size))}


class Train(Task):
    def __init__(self, lr: float):
        self.lr = lr

    def run(self, numbers):
        noise = random.Random(self.node_seed).random()
        return {"accuracy": FACTOR - self.lr + noise, "weights": [FACTOR * n for n in numbers]}


class Drift(Task):
    def run(self, numbers):
        return {"value": 1.0 + len(os.getcwd()) * 1e-9, "name": "x"}


class Told(Task):
    def run(self):
        return {"hash_seed": os.environ.get("PYTHONHASHSEED"), "text": open("note.txt").read()}
"""

DOCUMENT = """\
project: demo
import: tasks.py
specs:
  Load: {}
  Train: {requires: Load, config: {lr: [1e-2, 1e-3]}, expand: product}
  Drift: {requires: Load}
"""

SCRIPT = """\
from flowlib import Flow, TaskSpec
from stores import LocalFileStore

FACTOR = 2.0


def load():
    return {"numbers": [1, 2, 3]}


def scale(numbers):
    return {"scaled": [FACTOR * each for each in numbers]}


def other():
    return {"x": 1}


if __name__ == "__main__":
    store = LocalFileStore("%s")
    Flow([TaskSpec(other)]).run(num_workers=1, results_store=store)
    spec = TaskSpec(scale).requires(TaskSpec(load))
    run = Flow([spec]).run(num_workers=2, results_store=store)
    print("the script went on")
"""


@pytest.fixture(name="origin")
def _origin(tmp_path):
    """A repository with three commits; something was computed upon the second, with changes."""
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "tasks.py").write_text(TASKS)
    (folder / "flow.yaml").write_text(DOCUMENT)
    (folder / ".gitignore").write_text(".flowlib\n__pycache__\nruns\n")
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first")
    return folder


def commit(folder: Path, message: str) -> str:
    """Commit all that is there."""
    git(folder, "add", ".")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def change(folder: Path, old: str, new: str) -> None:
    """Change the code."""
    file = folder / "tasks.py"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_a_result_from_two_commits_back_in_a_fresh_clone(origin, tmp_path):
    """It comes out equal; nothing of the store or the repository is changed."""
    change(origin, "FACTOR = 1.0", "FACTOR = 1.5")
    second = commit(origin, "second")
    means = ("--executor", "threads", "--workers", "2")  # it is computed again without them
    assert flowlib("run", "flow.yaml", "-q", *means, folder=origin).code == 0
    for number in (2, 3):
        change(origin, "FACTOR = 1.5" if number == 2 else "FACTOR = 2", f"FACTOR = {number}")
        commit(origin, f"then {number}")
    git(tmp_path, "clone", "-q", str(origin), "fresh")
    fresh, store = tmp_path / "fresh", origin / ".flowlib"
    before, repository = contents(store), contents(fresh)
    words = ("reproduce", "Train[lr=0.01]", "--store", f"file:{store}")
    called = flowlib(*words, folder=fresh)
    assert called.code == 0, called.err
    assert f"  code      git {second[:8]} from {fresh}\n" in called.out
    assert "  command   flowlib run flow.yaml\n" in called.out
    assert "  accuracy  the same bytes\n  weights   the same bytes\n" in called.out
    assert called.out.endswith(" came out equal\n")
    assert (contents(store), contents(fresh)) == (before, repository)

    kept = flowlib(*words, "--into", str(tmp_path / "again"), "--upstream", "--json", folder=fresh)
    found = kept.json
    assert (found["verdict"], found["same_code"], found["folder"]) == (
        "equal", True, str(tmp_path / "again"),
    )  # fmt: skip
    again = LocalFileStore(tmp_path / "again" / "results")
    assert sorted(each.address.task for each in again.records()) == ["Load", "Train"]
    (new,), (old,) = (
        s.records("Train", where={"lr": 0.01}) for s in (again, LocalFileStore(store))
    )
    assert again.get(new.address, "weights") == [0.0, 1.5, 3.0]
    assert LocalFileStore(store).get(old.address, "weights") == [0.0, 1.5, 3.0]
    refused = flowlib(*words, "--into", str(tmp_path / "again"), folder=fresh)
    assert (refused.code, "is not empty" in refused.err) == (2, True)


@pytest.mark.slow
def test_changes_and_kept_untracked_files_come_along(origin, tmp_path):
    """With the variables that were recorded; without the files it is said before anything runs."""
    change(origin, "FACTOR = 1.0", "FACTOR = 7.0")
    document = "import: tasks.py\nspecs:\n  Told: {}\n"
    (origin / "told.yaml").write_text(document)
    (origin / "note.txt").write_text("not tracked")
    keep = {"FLOWLIB_KEEP_UNTRACKED": "1", "PYTHONHASHSEED": "11"}
    assert flowlib("run", "told.yaml", "-q", folder=origin, **keep).code == 0
    assert flowlib("run", "flow.yaml", "-q", "--only", "Train", folder=origin).code == 0
    git(origin, "stash", "-q")
    (origin / "note.txt").write_text("another text")
    called = flowlib("reproduce", "Told", folder=origin)
    assert called.code == 0, called.out
    assert "+changes from" in called.out
    assert "doubt" not in called.out
    assert called.out.endswith(" came out equal\n")
    dry = flowlib("reproduce", "Train[lr=0.001]", "-n", folder=origin)
    assert dry.code == 0
    assert (
        "doubt     files that git did not track will be missing, 2: note.txt, told.yaml\n"
        in dry.out
    )
    assert "came out" not in dry.out
    assert flowlib("reproduce", "Train[lr=0.001]", folder=origin).code == 0


@pytest.mark.slow
def test_what_comes_out_differently_is_told_and_kept(origin, tmp_path):
    """Numbers within the tolerance count as the same."""
    commit(origin, "second")
    assert flowlib("run", "flow.yaml", "-q", "--only", "Drift", folder=origin).code == 0
    called = flowlib("reproduce", "Drift", "--json", folder=origin, TMPDIR=str(tmp_path))
    assert called.code == 1
    found = called.json
    assert [each["match"] for each in found["artifacts"]] == ["same", "differs"]
    assert "the largest relative difference is " in found["artifacts"][1]["detail"]
    assert Path(found["folder"], "code", "tasks.py").read_text() == TASKS
    for rtol, code in (("json=1e-6", 0), ("1e-6", 0), ("numpy=1e-6", 1), ("1e-15", 1)):
        words = ("reproduce", "Drift", "--rtol", rtol)
        assert flowlib(*words, folder=origin, TMPDIR=str(tmp_path)).code == code
    assert flowlib("reproduce", "Drift", "--rtol", "much", folder=origin).code == 2


@pytest.mark.slow
def test_a_script_is_run_again_into_another_store(origin, tmp_path):
    """Wherever it says that its results go; it ends when the task is computed."""
    (origin / "script.py").write_text(SCRIPT % (origin / "runs"))
    commit(origin, "with script")
    done = run_python(["script.py"], origin)
    assert (done.code, done.out) == (0, "the script went on\n"), done.err
    uri = f"file:{origin / 'runs'}"
    before = contents(origin / "runs")
    (origin / "script.py").write_text("raise SystemExit('another script')")
    into = tmp_path / "again"
    called = flowlib("reproduce", "scale", "--store", uri, "--into", str(into), folder=origin)
    assert called.code == 0, called.out
    assert "  scaled    the same bytes\n" in called.out
    assert contents(origin / "runs") == before
    assert "went on" not in (into / "output.log").read_text()
    new = LocalFileStore(into / "results")
    assert sorted(each.address.task for each in new.records()) == ["load", "other", "scale"]
    shown = flowlib("show", "scale", "--store", uri, "--json", folder=origin).json
    assert shown["again"] == [sys.executable, "script.py"]


@pytest.mark.slow
def test_results_in_a_database_carry_all_that_is_wanted(origin, tmp_path):
    """Patch and command are there also where the folder of the run is not."""
    pytest.importorskip("sqlalchemy")
    change(origin, "FACTOR = 1.0", "FACTOR = 7.0")
    words = ("--store", f"sqlite:///{tmp_path / 'x.db'}")
    wanted = ("run", "flow.yaml", "train.lr=0.25,0.5", "-q", *words)
    assert flowlib(*wanted, folder=origin, XDG_STATE_HOME=str(tmp_path / "here")).code == 0
    git(tmp_path, "clone", "-q", str(origin), "fresh")
    there = {"folder": tmp_path / "fresh", "XDG_STATE_HOME": str(tmp_path / "there")}
    called = flowlib("reproduce", "Train[lr=0.25]", *words, **there)
    assert called.code == 0, called.out + called.err
    assert "  command   flowlib run flow.yaml train.lr=0.25,0.5" in called.out
    assert called.out.endswith(" came out equal\n")


@pytest.mark.slow
def test_what_is_in_the_way_is_said_and_nothing_is_run(origin, tmp_path):
    """No commit, no such commit, no patch: exit code 2."""
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    (nowhere / "tasks.py").write_text(TASKS)
    (nowhere / "flow.yaml").write_text(DOCUMENT)
    (nowhere / "flowlib.toml").write_text("")
    assert flowlib("run", "flow.yaml", "-q", "--only", "Load", folder=nowhere).code == 0
    called = flowlib("reproduce", "Load", folder=nowhere)
    assert called.code == 2
    assert "no commit was recorded: there is no git repository" in called.err

    change(origin, "FACTOR = 1.0", "FACTOR = 7.0")
    hidden = {"FLOWLIB_IGNORE_DIFF": "1"}
    assert flowlib("run", "flow.yaml", "-q", "--only", "Load", folder=origin, **hidden).code == 0
    called = flowlib("reproduce", "Load", "--json", folder=origin)
    assert called.code == 2
    assert called.json["obstacles"] == [
        "the code differed from the commit, and the patch was not recorded, or is gone"
    ]
    store = f"file:{origin / '.flowlib'}"
    moved = origin.rename(tmp_path / "moved")
    store = f"file:{moved / '.flowlib'}"
    called = flowlib("reproduce", "Load", "--store", store, folder=nowhere)
    assert called.code == 2
    assert "is not in the repository here: give --repository FOLDER" in called.err
    assert flowlib("reproduce", "Nothing", "--store", store, folder=nowhere).code == 3
    assert not list(tmp_path.glob("flowlib-reproduce-*"))


@pytest.mark.slow
def test_a_task_that_fails_there_and_an_environment_that_differs(origin, tmp_path):
    """A file that git ignores is not there; a package was there, and another was not."""
    with (origin / ".gitignore").open("a") as file:
        file.write("note.txt\n")
    (origin / "told.yaml").write_text("import: tasks.py\nspecs:\n  Told: {}\n")
    commit(origin, "second")
    (origin / "note.txt").write_text("ignored")
    (tmp_path / "extra" / "colour-7.dist-info").mkdir(parents=True)
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'extra'}"}
    assert flowlib("run", "told.yaml", "-q", folder=origin, **path).code == 0
    called = flowlib("reproduce", "Told", folder=origin, TMPDIR=str(tmp_path))
    assert called.code == 1
    assert "  differs   colour: 7 then, not there now\n" in called.out
    assert (
        "  error     FileNotFoundError: [Errno 2] No such file or directory: 'note.txt'\n"
        in called.out
    )
    assert called.out.endswith(" could not be computed again\n")
    (kept,) = tmp_path.glob("flowlib-reproduce-*")
    assert f"  kept      {kept}\n" in called.out
