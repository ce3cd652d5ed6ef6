"""`--snapshot`: tasks run with the code of the moment when they were wanted, whatever is edited."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stores import LocalFileStore
from tests.acceptance.scripts import run_script
from tests.cli.calls import flowlib
from tests.flowlib.repositories import git, repository_in

pytestmark = [pytest.mark.needs("git"), pytest.mark.slow]

TASKS = """\
from pathlib import Path

from flowlib import Task

FACTOR = 1


class Edit(Task):
    def run(self):
        path = Path("tasks.py")
        path.write_text(path.read_text().replace("FACTOR = 1", "FACTOR = 2"))
        return {"done": True}


class Read(Task):
    def run(self, done):
        from helper import factor

        return {"factor": FACTOR, "helper": factor()}


class Alone(Task):
    def run(self):
        return {"factor": FACTOR}
"""

DOCUMENT = """\
project: demo
import: tasks.py
specs:
  Edit: {}
  Read: {requires: Edit, fresh_process: true}
"""

LATER = """\
project: demo
import: tasks.py
specs:
  Alone: {}
"""


@pytest.fixture(name="project")
def _project(tmp_path, monkeypatch):
    """A repository; one module of it is not tracked. What is unpacked lies in the test's folder."""
    folder = repository_in(tmp_path / "project")
    (folder / ".gitignore").write_text("ignored.txt\n")
    (folder / "tasks.py").write_text(TASKS)
    (folder / "flow.yaml").write_text(DOCUMENT)
    (folder / "later.yaml").write_text(LATER)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "tasks")
    (folder / "helper.py").write_text("def factor():\n    return 1\n")
    (folder / "ignored.txt").write_text("large")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def value(folder: Path, task: str, name: str) -> object:
    """A result in the store of the project."""
    store = LocalFileStore(folder / ".flowlib")
    (record,) = store.records(task)
    return store.get(record.address, name)


def edit(folder: Path) -> None:
    """Other code than before, in the files that git tracks and in others."""
    for name in ("tasks.py", "helper.py"):
        path = folder / name
        path.write_text(path.read_text().replace("FACTOR = 1", "FACTOR = 3").replace("1", "3"))


def test_edits_during_a_run_do_not_reach_its_tasks(project):
    """A task that starts in a new process after an edit runs as if there were none."""
    plain = flowlib("run", "flow.yaml", "-w", "1", "--executor", "processes", folder=project)
    assert plain.code == 0, plain.err
    assert value(project, "Read", "factor") == 2
    shutil.rmtree(project / ".flowlib")
    git(project, "checkout", "-q", "tasks.py")
    kept = flowlib("run", "flow.yaml", "--snapshot", "-w", "1", folder=project)
    assert kept.code == 0, kept.err
    assert (value(project, "Read", "factor"), value(project, "Read", "helper")) == (1, 1)
    assert f" of {project}" in flowlib("show", "Read", folder=project).out
    assert "FACTOR = 2" in (project / "tasks.py").read_text()


def test_submitted_tasks_run_with_the_code_of_their_day(project):
    """In the workers, and in the process that reads what was submitted."""
    assert flowlib("submit", "later.yaml", "--snapshot", folder=project).code == 0
    edit(project)
    done = flowlib("execute", "Alone", "-w", "2", "--executor", "processes", folder=project)
    assert done.code == 0, done.err
    assert value(project, "Alone", "factor") == 1
    store = LocalFileStore(project / ".flowlib")
    (record,) = store.records("Alone")
    told = record.latest.provenance
    kept = project / ".flowlib" / ".origins" / f"{told['snapshot']}.snapshot"
    assert kept.is_file()
    assert told["snapshot_root"] == str(project)


def test_without_a_snapshot_they_run_with_the_code_of_now(project):
    """As they have always done."""
    assert flowlib("submit", "later.yaml", folder=project).code == 0
    edit(project)
    assert flowlib("execute", "Alone", "-w", "1", folder=project).code == 0
    assert value(project, "Alone", "factor") == 3


@pytest.mark.parametrize("kept", [(True, True), (True, False), (False, True)], ids=str)
def test_tasks_of_different_code_are_not_run_together(project, kept):
    """One process imports one code only; in whatever order they are named."""
    (project / "edit.yaml").write_text(LATER.replace("Alone", "Edit"))
    for document, is_kept in zip(("later.yaml", "edit.yaml"), kept, strict=True):
        words = ("--snapshot",) if is_kept else ()
        assert flowlib("submit", document, *words, folder=project).code == 0
        edit(project)
    for names in (("Alone", "Edit"), ("Edit", "Alone")):
        refused = flowlib("execute", *names, "-w", "1", folder=project)
        assert refused.code == 2, refused.err
        assert "submitted with different code" in refused.err
    alone = flowlib("execute", "Alone", "-w", "1", folder=project)
    assert alone.code == 0, alone.err
    assert value(project, "Alone", "factor") == (1 if kept[0] else 3)


def test_a_result_is_reproduced_from_its_snapshot(project):
    """Without the repository, and with the files that git did not track."""
    (project / "flow.yaml").write_text(DOCUMENT.replace("Edit: {}", "Edit: {}\n  Alone: {}"))
    assert flowlib("run", "flow.yaml", "--snapshot", "-w", "2", folder=project).code == 0
    shutil.rmtree(project / ".git")
    edit(project)
    planned = flowlib("reproduce", "Read", "-n", folder=project)
    assert planned.code == 0, planned.err
    assert "the snapshot" in planned.out + planned.err
    found = flowlib("reproduce", "Read", folder=project)
    assert found.code == 0, found.out + found.err
    assert "came out equal" in found.out + found.err


SCRIPT = """\
from pathlib import Path

from flowlib import Flow, TaskSpec
from stores import LocalFileStore

FACTOR = 1


def edit():
    path = Path("script.py")
    path.write_text(path.read_text().replace("FACTOR = 1", "FACTOR = 2", 1))
    return {"done": True}


def read(done):
    return {"factor": FACTOR}


if __name__ == "__main__":
    first, then = TaskSpec(edit), TaskSpec(read, fresh_process=True)
    then.requires(first)
    Flow([first, then]).run(num_workers=2, results_store=LocalFileStore("runs"), snapshot=True)
    import __main__, sys
    assert __main__.__file__.endswith("script.py") and "cache" not in __main__.__file__
    assert not any("cache" in each for each in sys.path)
"""


def test_a_script_is_part_of_its_snapshot(project):
    """Also that which workers import as the main module; afterwards all is as it was."""
    found = run_script(SCRIPT, project, how="file")
    assert found.code == 0, found.err
    assert "FACTOR = 2" in (project / "script.py").read_text()
    store = LocalFileStore(project / "runs")
    (record,) = store.records("read")
    assert store.get(record.address, "factor") == 1


def test_workers_that_others_start_are_refused(project):
    """They import what they find, so nothing would be kept apart."""
    found = flowlib("run", "flow.yaml", "--snapshot", "--executor", "futures", folder=project)
    assert found.code == 2, found.err
    assert "snapshot=True is for worker processes of this machine" in found.err
    assert "run `flowlib execute` there" in found.err
    assert "FACTOR = 1" in (project / "tasks.py").read_text()  # nothing ran
