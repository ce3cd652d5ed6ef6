"""Graphs of a hundred thousand nodes: right, without recursion, and linear in steps."""

from __future__ import annotations

import sys

import pytest

from flowlib import Flow, TaskSpec
from flowlib.graph import build_graph


def source(x=0, s=0):
    return None


def reader(y=0, w=0):
    return None


def gather(m=0):
    return None


@pytest.mark.slow
def test_a_chain_of_a_hundred_thousand_specs():
    """Every key follows from the one before it; no call nests."""
    specs = [TaskSpec(source, name="s0")]
    for number in range(1, 100_000):
        specs.append(TaskSpec(reader, name=f"s{number}").requires(specs[-1]))
    graph = build_graph(specs)

    assert len(graph) == 100_000
    assert graph.widest_level() == 1
    last = graph.by_spec["s99999"][0]
    assert [each.name for each in last.predecessors] == ["s99998"]


@pytest.mark.slow
def test_a_reduce_over_a_hundred_thousand():
    """One node with a hundred thousand members, in order."""
    members = TaskSpec(source, {"x": list(range(100_000))}, expand="product")
    graph = build_graph([TaskSpec(gather, reduce=True).requires(members)])
    (node,) = graph.by_spec["gather"]

    assert len(node.predecessors) == 100_000
    assert node.predecessors[99_999].config == {"x": 99_999}


def test_a_diamond_of_two_wide_sweeps():
    """Two sweeps of 1,000 over one source of 1,000: joined, not multiplied."""
    top = TaskSpec(source, {"x": list(range(1000))}, expand="product")
    left = TaskSpec(reader, name="left").requires(top)
    right = TaskSpec(reader, {"w": [1, 2]}, expand="product", name="right").requires(top)
    bottom = TaskSpec(gather).requires(left, right)

    assert Flow([bottom]).num_tasks == 1000 + 1000 + 2000 + 2000


def steps(size):
    """How many Python lines a flow of `size` trained nodes takes to build."""
    count = 0

    def tracer(frame, event, arg):
        nonlocal count
        count += 1
        return tracer

    top = TaskSpec(source, {"x": list(range(size))}, expand="product")
    left = TaskSpec(reader, name="left").requires(top)
    right = TaskSpec(reader, name="right").requires(top)
    specs = [
        TaskSpec(gather, reduce=True).requires(TaskSpec(source, name="b").requires(left, right))
    ]
    before = sys.gettrace()  # of what measures the coverage of the tests
    sys.settrace(tracer)
    try:
        build_graph(specs)
    finally:
        sys.settrace(before)
    return count


def test_ten_times_the_nodes_take_ten_times_the_steps():
    """A diamond with a reduce behind it: at most twelve times the steps."""
    assert steps(1000) <= 12 * steps(100)
