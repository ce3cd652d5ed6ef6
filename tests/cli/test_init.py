"""`flowlib init`: a project that runs at once."""

from __future__ import annotations

from tests.cli.calls import flowlib


def test_the_project_runs(tmp_path):
    """Three commands lead from nothing to results."""
    made = flowlib("init", "first", folder=tmp_path)
    assert made.code == 0
    assert made.out.splitlines() == [
        "first/flow.yaml",
        "first/tasks.py",
        "first/flowlib.toml",
        "first/.gitignore",
    ]
    assert made.err == "next: cd first && flowlib run flow.yaml --dry-run\n"
    ran = flowlib("run", "flow.yaml", folder=tmp_path / "first")
    assert ran.code == 0, ran.err
    assert "✔ 13 tasks finished" in ran.err


def test_nothing_is_overwritten(tmp_path):
    """A file that is there stays as it is, and no other is written."""
    (tmp_path / "tasks.py").write_text("mine")
    called = flowlib("init", folder=tmp_path)
    assert (called.code, called.out) == (2, "")
    assert called.err == "error: tasks.py is there already: nothing was written\n"
    assert (tmp_path / "tasks.py").read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["tasks.py"]


def test_inside_a_project_it_makes_no_other(tmp_path):
    """The store stays that of the project around."""
    (tmp_path / "pyproject.toml").write_text("")
    assert flowlib("init", "inner", folder=tmp_path).code == 0
    assert sorted(each.name for each in (tmp_path / "inner").iterdir()) == ["flow.yaml", "tasks.py"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    """No traceback."""
    (tmp_path / "file").write_text("")
    called = flowlib("init", "file/inner", folder=tmp_path)
    assert called.code == 2
    assert called.err == "error: file/inner cannot be written to: Not a directory\n"
