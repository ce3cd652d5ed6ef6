"""`flowlib why`: why a task would run, or would not."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.calls import LIMIT_S, environment, flowlib, project


@pytest.fixture
def folder(tmp_path):
    """A project whose tasks have run."""
    folder = project(tmp_path / "project")
    assert flowlib("run", "flow.yaml", "--name", "first", folder=folder).code == 0
    return folder


def test_a_cached_task_says_who_made_it(folder):
    """Without a document, that of the last run is meant."""
    called = flowlib("why", "Train-1", folder=folder)
    assert (called.code, called.err) == (0, "")
    headline, task, *_ = called.out.splitlines()
    assert re.fullmatch(r"Train/[0-9a-f]{8} is cached: attempt 1 counts", headline)
    assert task.split() == ["task", "Train-1", "lr=0.01"]
    assert "in run first" in called.out


def test_a_new_task_names_the_nearest_earlier_one(folder):
    """With the keys in which they differ."""
    called = flowlib("why", "Train-2", "flow.yaml", "train.lr=0.01,0.02", folder=folder)
    assert called.code == 0
    assert re.search(r"config +lr 0\.0\d+ → 0\.02 \(nearest Train/[0-9a-f]{8}\)", called.out)


@pytest.mark.slow
def test_for_programs(folder):
    """One document."""
    found = flowlib("why", "Train", "--json", folder=folder).json
    assert [each["state"] for each in found["tasks"]] == ["cached", "cached"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Trian-1"], "Did you mean Train-1?"),
        (["Train-1", "--run", "frist"], "Did you mean first?"),
    ],
)
def test_what_is_not_there_is_exit_code_3(arguments, said, folder):
    """With the nearest name."""
    called = flowlib("why", *arguments, folder=folder)
    assert (called.code, called.out) == (3, "")
    assert said in called.err


def test_a_run_without_a_document_cannot_be_asked(folder):
    """It came from Python: the command says what to name."""
    (folder / "script.py").write_text(
        "from flowlib import Flow, TaskSpec\nfrom stores import LocalFileStore\n"
        "from tasks import Load\n\n"
        "if __name__ == '__main__':\n"
        "    Flow([TaskSpec(Load)]).run(1, results_store=LocalFileStore('.flowlib'), run_name='py')\n"
    )
    subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment(), check=True, timeout=LIMIT_S
    )
    called = flowlib("why", "Load", folder=folder)
    assert called.code == 3
    assert "run py was not made from a document" in called.err
