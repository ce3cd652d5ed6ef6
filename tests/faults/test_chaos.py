"""Does every task come to its right end when tasks misbehave in all ways at once?"""

from __future__ import annotations

import pytest

from benchmarks.chaos import misbehave, text
from benchmarks.chaos_tasks import flow_of

TASKS = 1000
SEED = 3
MOST_GROWTH = 16 * 2**20


@pytest.mark.slow
def test_chaos_ends_with_every_outcome_right(tmp_path):
    """Kills, exceptions, hangs, hogs, leftovers, one Ctrl-C: nothing is lost, nothing is left."""
    report = misbehave(tmp_path, TASKS, SEED)
    output = (tmp_path / "output").read_text()[-4000:]
    assert report.problems == [], f"{text(report)}\n{output}"
    assert report.exit_codes == [130, 0]
    assert report.kills > 0
    assert report.growth < MOST_GROWTH, text(report)


def test_there_are_about_so_many_tasks():
    """Every kind is there, however few tasks there are."""
    assert len(flow_of(TASKS, "").graph) == 1000
    assert {node.name for node in flow_of(10, "").graph} == {
        node.name for node in flow_of(TASKS, "").graph
    }
