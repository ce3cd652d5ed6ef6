"""What the command says about changed code, and that what it offers does just that."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.calls import flowlib, project


@pytest.fixture
def edited(tmp_path):
    """A project whose results were computed before an edit; run with a store of its own name."""
    project(tmp_path)
    flowlib("run", "flow.yaml", "--store", "file:there", folder=tmp_path)
    path = tmp_path / "tasks.py"
    path.write_text(path.read_text().replace("1 - self.lr", "2 - self.lr"))
    return tmp_path


def offered(err, folder):
    """The commands of the one line about changed code."""
    (line,) = [line for line in err.splitlines() if "has changed since" in line]
    assert "the code of Train ×2 has changed" in line
    found = re.findall(r"(?:again|good|differs): (flowlib .*?)(?= · |$)", line)
    assert len(found) == 3, line
    return [shlex.split(each)[1:] for each in found]


@pytest.mark.slow
def test_the_commands_that_are_offered_do_what_they_say(edited):
    """Why shows the edit, rerun computes again, accept makes the line go."""
    first = flowlib("run", "flow.yaml", "--store", "file:there", folder=edited)
    again, good, differs = offered(first.err, edited)
    why = flowlib(*differs, folder=edited)
    planned = flowlib(*again, "--dry-run", folder=edited)
    accepted = flowlib(*good, folder=edited)
    after = flowlib(*again, folder=edited)

    assert first.code == why.code == planned.code == accepted.code == after.code == 0
    assert re.search(r"tasks\.py:\d+ Train\.run changed since run ", why.out)
    assert '+    return {"accuracy": 2 - self.lr * self.depth}' in why.out
    assert "code ×2" in planned.out
    assert [each.partition("/")[0] for each in accepted.out.split()] == ["Train", "Train"]
    assert "3 cached" in after.err or "4 cached" in after.err
    assert "has changed" not in after.err


def test_a_dry_run_tells_it_below_the_table(edited):
    """With the same commands."""
    told = flowlib("run", "flow.yaml", "--store", "file:there", "--dry-run", folder=edited)

    assert "Train ×2 has changed since" in " ".join(told.out.split())


def test_an_error_has_the_code_of_wrong_usage(edited):
    """Nothing is run."""
    told = flowlib(
        "run", "flow.yaml", "--store", "file:there", "--on-code-change", "error", folder=edited
    )

    assert told.code == 2
    assert "the code of Train ×2 has changed" in told.err
