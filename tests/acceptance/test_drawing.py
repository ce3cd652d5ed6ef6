"""Is a graph shown in the console as the parity page describes? (its section 9)"""

from __future__ import annotations

import pytest

from flowlib import Flow, TaskSpec, visualize_graph_in_console
from tests.acceptance import tasks


def two_components() -> Flow:
    """Number(2) -> Add, and another task that has nothing to do with them."""
    number = TaskSpec(tasks.Number, {"x": [1, 2]}, expand="product")
    add, alone = TaskSpec(tasks.Add), TaskSpec(tasks.Anything, name="Alone")
    add.requires(number)
    return Flow([number, add, alone])


@pytest.mark.parametrize("use_unicode", [True, False])
def test_all_components_are_drawn(use_unicode: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The name of the graph first; every node of every component; no pager off a terminal."""
    flow = two_components()
    visualize_graph_in_console(flow.task_graph, use_pager=True, use_unicode=use_unicode)
    out = capsys.readouterr().out
    assert out.startswith("task graph")
    assert all(name in out for name in flow.task_graph.nodes)


def test_ascii_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `use_unicode` every console can show it."""
    visualize_graph_in_console(two_components().task_spec_graph, use_pager=False)
    out = capsys.readouterr().out
    assert out.isascii()
    assert all(name in out for name in ("task spec graph", "Number", "Add", "Alone"))
