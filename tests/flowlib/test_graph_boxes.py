"""Do boxes and lines stand where the console would put them?"""

from __future__ import annotations

from itertools import pairwise

from flowlib.graph_boxes import boxes_of, label_of
from flowlib.graph_summary import GraphFacts, TaskFacts, shown
from tests.flowlib.graph_cases import sweep


def test_every_edge_leads_from_the_side_of_one_box_to_the_side_of_the_other():
    """From left to right, never back."""
    graph = shown(sweep(3), None)
    picture = boxes_of(graph, 50, 40)
    assert {(each.source, each.target) for each in picture.connections} == {
        (source, target) for source, near in enumerate(graph.targets) for target in near
    }
    for each in picture.connections:
        source, target = picture.boxes[each.source], picture.boxes[each.target]
        assert each.points[0] == (source.x + source.width / 2, source.y)
        assert each.points[-1] == (target.x - target.width / 2, target.y)
        assert all(a[0] <= b[0] for a, b in pairwise(each.points))


def test_boxes_do_not_overlap_and_stay_in_the_picture():
    """A row and a column for each."""
    picture = boxes_of(shown(sweep(3), None), 50, 40)
    for box in picture.boxes:
        assert round(box.x - box.width / 2, 6) >= 0
        assert round(box.x + box.width / 2 - picture.width, 6) <= 0
        assert 0 < box.y < picture.height
    places = {(round(box.x - box.width / 2, 6), box.y) for box in picture.boxes}
    assert len(places) == len(picture.boxes)


def test_long_lines_go_through_lanes():
    """A line that skips a layer does not run behind the box that stands there."""
    facts = GraphFacts([TaskFacts(name, name) for name in "abc"], [(), (0,), (0, 1)])
    picture = boxes_of(shown(facts), 50, 40)
    (long,) = [each for each in picture.connections if (each.source, each.target) == (0, 2)]
    middle = picture.boxes[1]
    passing = [y for x, y in long.points if abs(x - middle.x) <= middle.width / 2]
    assert passing
    assert all(abs(y - middle.y) >= 40 for y in passing)


def test_a_label_is_one_harmless_line():
    """With the number of tasks of a spec; not longer than 40 cells."""
    facts = GraphFacts([TaskFacts("a\nb", "a", "", "x=" + "1" * 80)], [()])
    (node,) = shown(facts).nodes
    assert label_of(node).startswith("a\\nb x=111")
    assert len(label_of(node)) == 40
    train = next(node for node in shown(sweep(3)).nodes if node.name == "Train")
    assert label_of(train) == "✖ Train ×12"
    assert boxes_of(shown(GraphFacts([], [])), 50, 40).boxes == ()
