"""`flowlib accept`, and what a changed code means to the other commands."""

from __future__ import annotations

import pytest

from tests.cli.calls import flowlib, project


@pytest.fixture
def folder(tmp_path):
    """A project whose tasks have run, and of which one has other code now."""
    folder = project(tmp_path / "project")
    assert flowlib("run", "flow.yaml", folder=folder).code == 0
    source = (folder / "tasks.py").read_text()
    (folder / "tasks.py").write_text(source.replace("1 - self.lr", "2 - self.lr"))
    return folder


def test_a_run_uses_the_results_and_says_so_once(folder):
    """The default: nothing runs, one line names the spec and what to do."""
    called = flowlib("run", "flow.yaml", folder=folder)
    assert called.code == 0
    assert "all 4 tasks are cached" in called.err
    (line,) = [each for each in called.err.splitlines() if "code" in each and "Train" in each]
    assert "changed" in line


@pytest.mark.slow
def test_why_shows_what_was_changed(folder):
    """As a difference, with the file."""
    called = flowlib("why", "Train-1", folder=folder)
    assert called.code == 0
    assert "tasks.py:" in called.out
    lines = [" ".join(line.split()) for line in called.out.splitlines()]
    assert '- return {"accuracy": 1 - self.lr * self.depth}' in lines
    assert '+ return {"accuracy": 2 - self.lr * self.depth}' in lines


@pytest.mark.slow
def test_the_policy_is_an_option(folder):
    """Run again, refuse, or say nothing."""
    again = flowlib("run", "flow.yaml", "-n", "--on-code-change", "rerun", folder=folder)
    rows = [line.split() for line in again.out.splitlines()]
    assert any(row[:3] == ["Train", "2", "2"] and "code" in row for row in rows)
    refused = flowlib("run", "flow.yaml", "--on-code-change", "error", folder=folder)
    assert (refused.code, refused.out) == (2, "")
    assert "Train" in refused.err
    silent = flowlib("run", "flow.yaml", "--on-code-change", "ignore", folder=folder)
    assert silent.code == 0
    assert "changed" not in silent.err


@pytest.mark.slow
def test_accepted_results_count_and_nothing_is_computed(folder):
    """The ids stand on stdout; afterwards the plan has nothing to say."""
    called = flowlib("accept", "Train", folder=folder)
    assert called.code == 0, called.err
    assert [line.partition("/")[0] for line in called.out.splitlines()] == ["Train", "Train"]
    assert called.err == "accepted: 2; as valid as before: 0\n"
    again = flowlib("run", "flow.yaml", "--on-code-change", "error", folder=folder)
    assert again.code == 0, again.err
    assert "all 4 tasks are cached" in again.err
    nothing = flowlib("accept", "all", "--json", folder=folder).json
    assert (nothing["accepted"], nothing["valid"]) == ([], 4)


@pytest.mark.slow
def test_what_selects_nothing_is_exit_code_3(folder):
    """With the nearest name."""
    called = flowlib("accept", "Trian", folder=folder)
    assert (called.code, called.out) == (3, "")
    assert "Did you mean Train?" in called.err
