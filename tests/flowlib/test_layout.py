"""Has every node a place of its own, near what it is joined to?"""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib.layer_order import barycentre_order, crossings, grandalf_order
from flowlib.layering import layers_of
from flowlib.layout import layout
from tests.flowlib.test_console_painter import layered_graphs, random_graph

ORDERS = pytest.mark.parametrize("order_of", [barycentre_order, grandalf_order])


@given(st.integers(), st.integers(1, 80), st.floats(0, 2))
@settings(deadline=None, max_examples=50)
def test_no_two_items_of_a_layer_share_a_row(seed, nodes, density):
    """And all rows are there."""
    found = layout(random_graph(seed, nodes, int(nodes * density), nodes))
    places = [*zip(found.layers.layer_of, found.rows, strict=True)]
    assert len(set(places)) == len(places)
    assert {row for _, row in places} == set(range(found.height))
    assert max(layer for layer, _ in places) == found.width - 1


@ORDERS
@given(layered_graphs())
@settings(deadline=None, max_examples=50)
def test_an_order_has_every_item_once_in_its_layer(order_of, targets):
    """Whoever ordered them."""
    layers = layers_of([*targets, []])
    part = connected(layers)
    order = order_of(layers, part)
    assert sorted(item for layer in order for item in layer) == sorted(part)
    assert all(len({layers.layer_of[item] for item in layer}) == 1 for layer in order)


def connected(layers):
    """The items that are connected with the first."""
    part, grows = {0}, True
    while grows:
        size = len(part)
        for item, near in enumerate(layers.targets):
            if item in part or part & {*near}:
                part |= {item, *near}
        grows = len(part) > size
    return sorted(part)


@given(layered_graphs())
@settings(deadline=None, max_examples=50)
def test_crossings_are_counted_as_one_would_by_hand(targets):
    """Two lines cross when their ends are in another order than their beginnings."""
    layers = layers_of(targets)
    order = [[] for _ in range(max(layers.layer_of) + 1)]
    for item, layer in enumerate(layers.layer_of):
        order[layer].append(item)
    expected = 0
    for upper, lower in pairwise(order):
        lines = [(a, lower.index(b)) for a in upper for b in layers.targets[a]]
        expected += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(lines, 2))
    assert crossings(layers, order) == expected


@ORDERS
def test_lines_that_need_not_cross_do_not(order_of):
    """A ladder whose rungs are given in disorder."""
    chance = random.Random(3)
    ends = [*range(20, 40)]
    chance.shuffle(ends)
    targets = [[40], *[[each] for each in ends[1:]], *[[] for _ in range(20)], [*range(1, 20)]]
    layers = layers_of(targets)
    assert crossings(layers, order_of(layers, connected(layers))) == 0


def test_graphs_of_up_to_500_nodes_are_ordered_by_grandalf_where_it_is_better():
    """The better of two orders is taken, so that neither library nor own code decides alone."""
    for seed in range(20):
        targets = random_graph(seed, 40, 60, 10)
        layers = layers_of(targets)
        part = connected(layers)
        fewest = min(
            crossings(layers, of(layers, part)) for of in (barycentre_order, grandalf_order)
        )
        found = layout(targets)
        order = [[] for _ in range(found.width)]
        for item in sorted(part, key=lambda each: found.rows[each]):
            order[layers.layer_of[item]].append(item)
        assert crossings(layers, order) == fewest


def test_equal_tasks_stay_in_the_order_of_the_expansion():
    """lr=0.1 stands above lr=0.01, as it was written."""
    found = layout([[1, 2, 3, 4], [5], [5], [5], [5], []])
    assert found.rows[1:5] == (0, 1, 2, 3)


def test_a_chain_is_straight_and_a_fan_is_centred():
    """The eye need not look for the next node."""
    assert set(layout([[1], [2], [3], []]).rows) == {0}
    assert layout([[1, 2, 3], [4], [4], [4], []]).rows == (1, 0, 1, 2, 1)


def test_parts_stand_below_each_other():
    """In the order of their first nodes."""
    found = layout([[2], [3], [], [], []])
    assert found.rows == (0, 1, 0, 1, 2)


@pytest.mark.parametrize("nodes", [1, 499, 5000])
def test_a_chain_of_any_length_needs_no_recursion(nodes):
    """Both orders work without it."""
    found = layout([*([node + 1] for node in range(nodes - 1)), []])
    assert (found.width, found.height) == (nodes, 1)


def test_ten_thousand_nodes_are_placed():
    """A graph with ten layers of 1,000 nodes, three random lines each."""
    chance = random.Random(0)
    targets = [
        sorted({(layer + 1) * 1000 + chance.randrange(1000) for _ in range(3)})
        for layer in range(9)
        for _ in range(1000)
    ]
    found = layout([*targets, *([] for _ in range(1000))])
    assert found.width == 10
    assert found.height >= 1000
