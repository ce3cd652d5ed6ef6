"""Does the benchmark of the command call what it says?"""

from __future__ import annotations

import pytest

from benchmarks import commands


def test_every_call_answers_with_the_right_number_of_lines(capsys):
    """On few records, once; a row for each, with the goals."""
    commands.main(["--records", "20", "--repeats", "1"])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()]
    assert [row[1].strip() for row in rows[2:]] == [f"`{each.name}`" for each in commands.calls(20)]
    assert [row[4].strip() for row in rows[2:4]] == ["≤ 0.1", "≤ 0.5"]


def test_an_answer_that_is_too_short_is_no_measurement(tmp_path):
    """A command that fails early would be the fastest."""
    (tmp_path / "flowlib.toml").touch()
    with pytest.raises(RuntimeError, match="wrote 0 lines instead of 5"):
        (tmp_path / ".flowlib").mkdir()
        commands.fastest(commands.Call("ls", ("ls",), 5), tmp_path, 1)
