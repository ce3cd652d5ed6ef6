"""Does every node stand after its sources, with lines cut into pieces from layer to layer?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.errors import GraphError
from flowlib.layering import circle_of, layers_of, levels_of, topological_order
from tests.flowlib.test_console_painter import random_graph


@st.composite
def graphs(draw):
    return random_graph(
        draw(st.integers()), nodes := draw(st.integers(1, 40)), draw(st.integers(0, 80)), nodes
    )


@given(graphs())
def test_every_edge_leads_to_the_next_layer(targets):
    """Lanes carry lines through the layers between."""
    layers = layers_of(targets)
    for item, near in enumerate(layers.targets):
        assert all(layers.layer_of[each] == layers.layer_of[item] + 1 for each in near)


@given(graphs())
def test_lanes_lead_to_exactly_the_targets(targets):
    """What is reached over lanes only is what the edges say."""
    layers = layers_of(targets)

    def reached(item):
        for each in layers.targets[item]:
            yield from (each,) if each < layers.nodes else reached(each)

    assert [sorted(reached(node)) for node in range(len(targets))] == targets


def test_lines_to_the_same_nodes_share_a_lane():
    """Three nodes of one layer that all lead to a far one take one row, not three."""
    # 0, 1, 2 -> 5 over the layer of 4; 3 -> 4 -> 5
    layers = layers_of([[4, 5], [4, 5], [4, 5], [4], [5], []])
    assert len(layers.layer_of) - layers.nodes == 1


def test_a_node_stands_as_late_as_its_readers_allow():
    """A source that is read late does not draw a line through the whole picture."""
    #  0 -> 1 -> 2 -> 3, 4 -> 3
    assert levels_of([[1], [2], [3], [], [3]]) == [0, 1, 2, 3, 2]


def test_order_puts_sources_first():
    """And refuses a circle."""
    assert topological_order([[1], [2], []]) == [0, 1, 2]
    with pytest.raises(GraphError, match="circle"):
        topological_order([[1], [0]])


@pytest.mark.parametrize(
    ("targets", "circle"),
    [
        ([[1], [2], []], []),
        ([], []),
        ([[0]], [0, 0]),
        ([[1], [0]], [0, 1, 0]),
        ([[1], [2], [3, 4], [1], []], [1, 2, 3, 1]),
    ],
)
def test_a_circle_is_told_in_the_order_of_its_edges(targets, circle):
    """What only leads to a circle, or comes from one, is no part of it."""
    found = circle_of(targets)
    assert found[:1] == found[-1:]
    assert all(b in targets[a] for a, b in pairwise(found))
    assert sorted(set(found)) == sorted(set(circle))


def test_a_long_circle_is_found_without_recursion():
    """5,000 nodes round."""
    assert len(circle_of([[(node + 1) % 5000] for node in range(5000)])) == 5001
