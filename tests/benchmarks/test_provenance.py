"""Is it measured what it costs to tell where results come from?"""

from __future__ import annotations

import pytest

from benchmarks.provenance import for_a_run_ms, for_each_task_ms, main


def test_a_run_and_its_tasks_have_a_cost():
    """By the clock of the processor, so that a busy machine changes little."""
    assert for_a_run_ms() > 0
    found = for_each_task_ms(tasks=5, rounds=1)
    assert [name for name, _ in found] == ["store in memory", "store of files"]


def test_it_prints_a_line_for_each_figure(capsys: pytest.CaptureFixture[str]):
    """And the goal."""
    main(["--tasks", "3", "--rounds", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["once", "for", "for", "the"]
    assert "less than 1 ms" in lines[-1]
