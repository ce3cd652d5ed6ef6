"""Are the configs of a task and of its ancestors joined by the rules, whatever they are?"""

from __future__ import annotations

import pytest

from stores.lineage import Entry, joined, merged, plain


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1], 1),
        ([1, 1], 1),
        ([1, 2, 1], [1, 2]),
        ([1, 1.0, True], [1, 1.0, True]),
        ([2, 1], [2, 1]),
        ([[1], [1]], [1]),
        ([{"x": 1}, {"x": 2}], {"x": [1, 2]}),
        ([{"x": 1, "y": [4]}, {"x": 2, "y": [4]}], {"x": [1, 2], "y": [[4]]}),
        ([{"x": 1}, {"y": 1}], {"x": 1, "y": 1}),
        ([{"x": 1}, 3], [{"x": 1}, 3]),
        ([{"o": {"a": 1}}, {"o": {"a": 2}}], {"o": {"a": [1, 2]}}),
        ([None, None], None),
    ],
)
def test_values_are_joined(values, expected):
    """Equal ones stay, distinct ones become a list in order, dicts go key by key."""
    found = joined(values)
    assert repr(found) == repr(expected)


def test_a_task_has_the_config_it_reads_directly():
    """Not the one a reduce has joined, in whichever order it reads them."""
    source = {"A": Entry({"x": 1})}
    reduce = merged("R", {}, [source, {"A": Entry({"x": 2})}], gathers=True)
    for upstream in ([source, reduce], [reduce, source]):
        found = merged("D", {"k": 1}, upstream, gathers=False)
        assert plain(found) == {"A": {"x": 1}, "R": {}, "D": {"k": 1}}
    assert plain(reduce) == {"A": {"x": [1, 2]}, "R": {}}


def test_a_plain_lineage_shares_no_dict():
    """It can be changed, and has attributes."""
    lineage = {"A": Entry({"opt": {"lr": 1}})}
    found = plain(lineage)
    found["A"].opt.lr = 2
    assert lineage["A"].config == {"opt": {"lr": 1}}
