"""Completion: names of commands, specs, runs and ids, and never a line of the user's code."""

from __future__ import annotations

import pytest

from tests.cli.calls import flowlib, project


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project whose tasks have run, and could not be imported any more; no test changes it."""
    folder = project(tmp_path_factory.mktemp("completion") / "project")
    assert flowlib("run", "flow.yaml", "--name", "first", folder=folder).code == 0
    (folder / "tasks.py").write_text("raise SystemExit('the code of the user was run')")
    return folder


def _completed(folder, *words):
    """What bash is offered for the last word."""
    called = flowlib(
        folder=folder,
        _FLOWLIB_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["flowlib", *words]),
        COMP_CWORD=str(len(words)),
    )
    assert "the code of the user" not in called.err
    return [line.partition(",")[2] for line in called.out.splitlines()]


def test_commands(folder):
    """By their beginning."""
    assert _completed(folder, "co") == ["config", "completion"]


def test_options(folder):
    """Those of the command."""
    assert "--dry-run" in _completed(folder, "run", "--d")


def test_parameters_of_a_document(folder):
    """As overrides begin."""
    assert _completed(folder, "run", "flow.yaml", "T") == ["Train.lr="]


def test_specs_of_a_document(folder):
    """For `--force` and its like."""
    assert _completed(folder, "run", "flow.yaml", "--force", "B") == ["Best"]


def test_runs(folder):
    """For `--resume`."""
    assert _completed(folder, "run", "flow.yaml", "--resume", "fi") == ["first"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["ls", "show", "logs", "results", "rm", "accept", "why", "diff"]
)
def test_tasks_of_the_store(command, folder):
    """Their names, and behind a slash the ids of one."""
    assert _completed(folder, command, "T") == ["Train"]
    ids = _completed(folder, command, "Train/")
    assert len(ids) == 2
    assert _completed(folder, command, ids[0][:-1]) == [ids[0]]


@pytest.mark.slow
def test_runs_of_the_store(folder):
    """Wherever a run is asked for."""
    for words in (["status"], ["attach"], ["logs"], ["why", "Train", "--run"]):
        assert _completed(folder, *words, "fir") == ["first"]


def test_topics(folder):
    """What help knows of."""
    assert _completed(folder, "help", "sel") == ["selectors"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(shell, folder):
    """Which calls the command by its name."""
    called = flowlib("completion", shell, folder=folder)
    assert called.code == 0
    assert "_FLOWLIB_COMPLETE" in called.out
