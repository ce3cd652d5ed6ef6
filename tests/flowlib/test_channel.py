"""Do the lines between two layers find a way, also where every simple one would be ambiguous?"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib.channel import Rows, route


def rows_of(*numbers):
    return [2 * number for number in numbers]


def test_one_source_and_one_target_in_a_row_need_no_trunk():
    """A straight wire from edge to edge."""
    channel = route([(rows_of(1), rows_of(1))], Rows(3))
    assert channel.columns == 0
    assert [(wire.row, wire.start, wire.end) for wire in channel.wires] == [(2, None, None)]


def test_sources_with_the_same_targets_share_a_trunk():
    """One upright line, however many edges it stands for."""
    channel = route([(rows_of(0, 1), rows_of(0, 1, 2))], Rows(3))
    assert channel.columns == 1
    assert len(channel.wires) == 5


def test_trunks_that_do_not_touch_share_a_column():
    """Two nets above each other."""
    nets = [(rows_of(0), rows_of(0, 1)), (rows_of(2), rows_of(2, 3))]
    assert route(nets, Rows(4)).columns == 1
    assert route(nets, Rows(4), gap=1).columns == 2


def test_two_that_change_places_need_a_row_more():
    """Whichever trunk came first, its wire would run into the other: one source moves away."""
    rows = Rows(2)
    channel = route([(rows_of(0), rows_of(1)), (rows_of(1), rows_of(0))], rows)
    assert len(rows.made) == 1
    assert len(channel.trunks) == 3


def test_an_empty_row_is_used_before_one_is_made():
    """Two that change places, and a free row below."""
    rows = Rows(3)
    route([(rows_of(0), rows_of(1)), (rows_of(1), rows_of(0))], rows)
    assert rows.made == set()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_where_a_source_ends_all_that_lead_along_its_row_stand_to_the_right(data):
    """The rule that makes a picture unambiguous, for any nets."""
    count = data.draw(st.integers(1, 10))
    owners = data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    ends = st.sets(st.integers(0, count - 1), min_size=1)
    nets = [
        (rows_of(*(row for row in range(count) if owners[row] == owner)),
         sorted(rows_of(*data.draw(ends))))
        for owner in sorted(set(owners))
    ]  # fmt: skip
    channel = route(nets, Rows(count))
    for wire in channel.wires:
        beyond = [column for column, trunk in channel.trunks if wire.row in trunk.right]
        if wire.end is not None:
            others = [c for c, trunk in channel.trunks if wire.row in trunk.right and c != wire.end]
            start = -1 if wire.start is None else wire.start
            assert all(column > wire.end or column == start for column in others)
        else:
            assert wire.start is None or wire.start in beyond
