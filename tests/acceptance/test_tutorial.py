"""Does docs/tutorial.md tell the truth? Its commands are run, and its outputs compared."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.architecture.sources import ROOT
from tests.cli.calls import flowlib

PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
VARYING = (
    (r"file:\S+/first/", "file:DIR/first/"),
    (r"\b[a-z]+-[a-z]+-\d+\b", "RUN"),
    (r"\b\d+(\.\d+)? (s|min) ago", "AGO"),
    (r"\d+\.\d+ s\b", "TIME"),
    (r"<?\d+:\d\d", "TIME"),
    (r"─+", "─"),
    (r"\s+", " "),
)
"""What differs from run to run, and how it is compared."""


def _steps():
    """The commands of the page, each with the lines that it prints."""
    steps = []
    for line in "".join(BLOCK.findall(PAGE.read_text())).splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def _plain(line):
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line.strip()


def _matches(expected, printed):
    """Whether lines are as expected, where `…` stands for any number of them."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "…" else re.escape(_plain(line)) + r"\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{_plain(line)}\n" for line in printed)) is not None


@pytest.mark.slow
def test_the_tutorial_leads_to_a_table(tmp_path):
    """Every command does what the page shows."""
    folder = tmp_path
    for command, expected in _steps():
        program, *arguments = shlex.split(command)
        if program == "cd":
            folder = folder / arguments[0]
            continue
        assert program == "flowlib", command
        called = flowlib(*arguments, folder=folder, COLUMNS="120")
        printed = (called.out + called.err).splitlines()
        assert called.code == 0, called.err
        assert _matches(expected, printed), "\n".join([command, *printed])
    _check_what_a_failure_does(folder)


def _check_what_a_failure_does(folder):
    """The last part of the page: a changed task, forced, then accepted as it was."""
    sweep = ["run", "flow.yaml", "fit.k=1,5,15,25"]
    source = (folder / "tasks.py").read_text()
    fault = '        if self.k == 25:\n            raise ValueError("too many")\n'
    first = "        errors = [(self._predict"
    (folder / "tasks.py").write_text(source.replace(first, fault + first))
    used = flowlib(*sweep, folder=folder)
    assert used.code == 0
    assert "the code of Fit ×12 has changed" in used.err
    failed = flowlib(*sweep, "--force", "Fit+", folder=folder)
    assert failed.code == 1
    assert "✔ 9 ran   ≡ 3 cached   ✖ 3 failed   ⊘ 1 skipped" in failed.err
    assert 'raise ValueError("too many")' in failed.err
    assert flowlib("accept", "Fit", folder=folder).code == 0


def test_a_table_takes_at_most_eight_commands():
    """From nothing to the first table."""
    commands = [command for command, _ in _steps()]
    first = next(at for at, command in enumerate(commands) if "results" in command)
    assert first + 1 <= 8


def test_the_page_shows_the_document_that_init_writes():
    """Line for line."""
    shown = re.search(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]
    template = ROOT / "flowlib" / "cli" / "templates" / "flow.yaml.txt"
    assert shown in template.read_text()
