"""Can every edge of a painted graph be followed, and does none lead astray?"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlib.console_painter import ASCII_PEN, UNICODE_PEN, Label, painted, sketched
from flowlib.console_text import Span, plain
from tests.flowlib.picture_tracer import Tracer

PENS = pytest.mark.parametrize("pen", [UNICODE_PEN, ASCII_PEN], ids=["unicode", "ascii"])


def picture(targets, pen, width=100_000):
    """The lines of a graph whose nodes are called n0, n1, …"""
    sketch = sketched(targets, pen, width)
    assert sketch is not None
    names = [f"n{number}" for number in range(len(targets))]
    labels = [Label((Span(name),), len(name)) for name in names]
    return plain(painted(sketch, labels)).splitlines()


def traced(targets, pen):
    tracer = Tracer(picture(targets, pen))
    assert tracer.names() == sorted(f"n{number}" for number in range(len(targets)))
    return tracer.edges()


def named(targets):
    return {(f"n{node}", f"n{each}") for node, near in enumerate(targets) for each in near}


def random_graph(seed, nodes, edges, reach):
    """Edges lead forward by at most `reach` numbers; the numbers are shuffled."""
    chance = random.Random(seed)
    new = list(range(nodes))
    chance.shuffle(new)
    targets = [set() for _ in range(nodes)]
    for _ in range(edges if nodes > 1 else 0):
        a = chance.randrange(nodes - 1)
        b = chance.randint(a + 1, min(nodes - 1, a + reach))
        targets[new[a]].add(new[b])
    return [sorted(each) for each in targets]


@st.composite
def layered_graphs(draw):
    """Layers of any width; nodes of a layer tend to lead to all of the next, as sweeps do."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    starts = [sum(sizes[:index]) for index in range(len(sizes) + 1)]
    targets = [[] for _ in range(starts[-1])]
    for node, near in enumerate(targets):
        later = [each for start in starts if start > node for each in range(start, starts[-1])]
        next_layer = [start for start in starts if start > node][:2]
        if later and draw(st.booleans()):
            near.extend(draw(st.sets(st.sampled_from(later), max_size=4)))
        elif len(next_layer) == 2:
            near.extend(range(*next_layer))
    return targets


@pytest.mark.slow
@PENS
@given(st.integers(), st.integers(1, 200), st.floats(0, 1.6), st.sampled_from([3, 10, 200]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_lines_of_any_graph_lead_where_its_edges_do(pen, seed, nodes, density, reach):
    """All nodes once; followed by its characters, each line leads to exactly the successors."""
    targets = random_graph(seed, nodes, int(nodes * density), reach)
    assert traced(targets, pen) == named(targets)


@pytest.mark.slow
@PENS
@given(layered_graphs())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_lines_of_sweeps_lead_where_their_edges_do(pen, targets):
    """The same for many equal sets of targets, which share a trunk."""
    assert traced(targets, pen) == named(targets)
