"""Pictures show what tasks have returned, and where their results come from."""

from __future__ import annotations

import pytest

from flowlib import Flow, InMemoryStore
from tests.flowlib import growing_tasks as tasks


@pytest.fixture(params=["run", "plan"])
def flow(request):
    """A flow after a run, or after the plan of a second one."""
    store = InMemoryStore()
    made = Flow([tasks.after(tasks.split(tasks.load(2)))])
    made.run(num_workers=1, results_store=store)
    if request.param == "run":
        return made
    other = Flow([tasks.after(tasks.split(tasks.load(2)))])
    other.plan(results_store=store)
    return other


def test_a_task_that_has_returned_specs_reads_from_their_tasks(flow, capsys):
    """In the console, and in text for other programs."""
    flow.draw(use_unicode=False, width=100)
    told = capsys.readouterr().out
    assert "split" in told.splitlines()[1]
    assert [word in told for word in ("square x=0", "square x=1", "total", "after")] == [True] * 4
    lines = str(flow.draw("mermaid")).splitlines()
    number = {line.split('"')[1][2:]: line.split("[")[0].strip() for line in lines if '["' in line}
    assert f"  {number['total']} --> {number['split']}" in lines
    assert f"  {number['load']} --> {number['split']}" in lines
    assert f"  {number['split']} --> {number['after']}" in lines
    assert "Opaque(kind" not in str(flow.draw("mermaid"))


def test_before_anything_has_run_only_what_is_known_is_drawn():
    """Nobody knows what will be returned."""
    flow = Flow([tasks.after(tasks.split(tasks.load(2)))])
    assert "square" not in str(flow.draw("dot"))


def test_functions_that_return_themselves_are_boxes_without_the_lines_back(capsys):
    """As those are that read each other."""
    flow = Flow([tasks.fibonacci(5)])
    flow.run(num_workers=1, results_store=InMemoryStore())
    flow.draw(use_unicode=False, width=100)
    assert "fibonacci x6 -- + add x4" in capsys.readouterr().out
    assert "<svg" in str(flow.draw("svg"))
