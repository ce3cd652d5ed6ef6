"""Is a graph shown in the console as the parity page describes (its section 9), and better?"""

from __future__ import annotations

import re
from pathlib import Path

import networkx as nx
import pytest

from flowlib import (
    Flow,
    GraphError,
    LocalFileStore,
    SelectorError,
    TaskSpec,
    visualize_graph_in_console,
)
from flowlib.console_text import harmless
from tests.acceptance import tasks


def two_components() -> Flow:
    """Number(2) -> Add, and another task that has nothing to do with them."""
    number = TaskSpec(tasks.Number, {"x": [1, 2]}, expand="product")
    add, alone = TaskSpec(tasks.Add), TaskSpec(tasks.Anything, name="Alone")
    add.requires(number)
    return Flow([number, add, alone])


@pytest.fixture(autouse=True)
def _a_terminal_of_100_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


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
    assert out == "task spec graph\nNumber -- Add\nAlone\n"


def test_any_directed_graph_can_be_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """Nodes are shown as text, whatever they are; the name may be missing."""
    graph: nx.DiGraph[object] = nx.DiGraph([((1, 2), "b"), ("b", 3.5), ((1, 2), 3.5)])
    visualize_graph_in_console(graph, use_unicode=True)
    assert capsys.readouterr().out.splitlines() == [
        "graph",
        "        ╭─ b ─╮",
        "(1, 2) ─┴─────┴─ 3.5",
    ]


def test_nodes_of_the_same_text_are_different_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    """`1` and `"1"` are shown alike and drawn apart."""
    visualize_graph_in_console(nx.DiGraph([(1, "1")]))
    assert capsys.readouterr().out == "graph\n1 -- 1\n"


def test_parallel_edges_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A MultiDiGraph, too, is a directed graph."""
    visualize_graph_in_console(nx.MultiDiGraph([("a", "b"), ("a", "b")]))
    assert capsys.readouterr().out == "graph\na -- b\n"


def test_a_circle_is_told_with_its_names() -> None:
    """It cannot be drawn from left to right."""
    graph = nx.DiGraph([("start", "a"), ("a", "b"), ("b", "a"), ("b", "end")])
    with pytest.raises(GraphError, match="a circle: (a -> b -> a|b -> a -> b)$"):
        visualize_graph_in_console(graph)
    with pytest.raises(GraphError, match="a circle: a -> a$"):
        visualize_graph_in_console(nx.DiGraph([("a", "a")]))


def test_a_graph_without_directions_is_refused() -> None:
    """In one line, not by an attribute that is missing."""
    with pytest.raises(GraphError, match="not Graph"):
        visualize_graph_in_console(nx.Graph([("a", "b")]))


def test_a_graph_that_is_too_wide_is_a_list(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each node once, with those it comes from; no line leaves the terminal."""
    monkeypatch.setenv("COLUMNS", "30")
    visualize_graph_in_console(nx.path_graph(50, nx.DiGraph), use_unicode=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == ["0", "1 ← 0", "2 ← 1"]
    assert len(lines) == 51


def test_draw_shows_tasks_before_they_have_run(capsys: pytest.CaptureFixture[str]) -> None:
    """With what varies of their config, and without states."""
    two_components().draw()
    assert capsys.readouterr().out == "Number x=1 ── Add\nNumber x=2 ── Add\nAlone\n"


def test_draw_shows_the_states_of_the_last_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What failed, what was skipped for it, and what was there already."""
    store = LocalFileStore(str(tmp_path))
    number = TaskSpec(tasks.Number, {"x": [1, "no number"]}, expand="product")
    add = TaskSpec(tasks.Add)
    add.requires(number)
    flow = Flow([number, add, TaskSpec(tasks.Anything, name="Alone")])
    flow.run(num_workers=1, results_store=store, exit_on_error=False)
    capsys.readouterr()
    flow.draw()
    first = capsys.readouterr().out
    assert "✔ Number x=1 ──────────── ✔ Add\n" in first
    assert "✔ Number x='no number' ── ✖ Add\n" in first
    assert first.endswith("✔ 4 finished  ✖ 1 failed\n")
    flow.run(num_workers=1, results_store=store, exit_on_error=False)
    capsys.readouterr()
    flow.draw(tasks=False, use_unicode=False)
    assert capsys.readouterr().out.splitlines() == [
        "= Number x2 -- x Add x2 =1 x1",
        "= Alone",
        "",
        "= 4 cached  x 1 failed",
    ]


def test_draw_expands_a_spec_and_shows_what_is_around_a_task(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`expand` opens one spec of many, `around` takes a unique name or an id."""
    flow = two_components()
    flow.draw(tasks=False)
    assert capsys.readouterr().out == "Number ×2 ── Add ×2\nAlone\n"
    flow.draw(expand="Add")
    out = capsys.readouterr().out
    assert (out.count("Number ×2"), out.count("Add")) == (1, 2)
    flow.draw(around="Add-2")
    assert capsys.readouterr().out == "Number x=2 ── Add\n"
    node = flow.graph.by_spec["Number"][0]
    flow.draw(around=str(node.address))
    assert capsys.readouterr().out == "Number x=1 ── Add\n"
    with pytest.raises(SelectorError, match="Did you mean Number"):
        flow.draw(expand="Numbr")
    with pytest.raises(SelectorError, match="no task 'Mul-1'"):
        flow.draw(around="Mul-1")


def test_draw_keeps_to_the_width_that_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the terminal has."""
    two_components().draw(width=17)
    assert capsys.readouterr().out == "Number x=1 ── Add\nNumber x=2 ── Add\nAlone\n"
    two_components().draw(width=16)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 16


def test_configs_cannot_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An escape sequence in a config is shown as text."""
    Flow([TaskSpec(tasks.Number, {"x": ["\x1b[2J", "\n"]}, expand="product")]).draw()
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert all(harmless(line) == line for line in out.splitlines())


def test_ten_thousand_tasks_are_shown_by_spec(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is cut off silently."""
    number = TaskSpec(tasks.Number, {"x": list(range(10_000))}, expand="product")
    pick = TaskSpec(tasks.Anything, name="Pick", reduce=True)
    pick.requires(number)
    Flow([number, pick]).draw()
    assert capsys.readouterr().out == "Number ×10000 ── Pick\n"


def test_colours_come_on_request_and_say_nothing_new(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the escape sequences the picture is the same."""
    flow = two_components()
    flow.run(num_workers=1)
    capsys.readouterr()
    flow.draw()
    bare = capsys.readouterr().out
    assert "\x1b" not in bare
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    flow.draw()
    coloured = capsys.readouterr().out
    assert "\x1b[32m✔\x1b[0m Number" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == bare
