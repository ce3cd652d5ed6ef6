"""From specs to nodes: which nodes there are, what they read, and what is refused."""

from __future__ import annotations

import collections

import pytest

from flowlib import Flow, FlowError, GraphError, SpecError, TaskSpec
from flowlib.graph import build_graph


def a(x=0, s=0):
    return {"a": x}


def b(y=0, w=0):
    return {"b": y}


def c(z=0):
    return {"c": z}


def gather(m="acc"):
    return None


def names_and_predecessors(flow):
    return {n.unique_name: [p.unique_name for p in n.predecessors] for n in flow.graph}


def test_a_spec_is_expanded_for_each_predecessor():
    """B-1 and B-2 read A-1, B-3 and B-4 read A-2: the config varies fastest."""
    first = TaskSpec(a, {"x": [1, 2]}, expand="product")
    second = TaskSpec(b, {"y": [3, 4]}, expand="product").requires(first)
    flow = Flow([first, second])

    assert flow.num_tasks == 6
    assert names_and_predecessors(flow) == {
        "a-1": [],
        "a-2": [],
        "b-1": ["a-1"],
        "b-2": ["a-1"],
        "b-3": ["a-2"],
        "b-4": ["a-2"],
    }


def test_a_diamond_joins_on_the_shared_ancestor():
    """A has two nodes, C two configs: D has four nodes and not eight."""
    top = TaskSpec(a, {"x": [1, 2]}, expand="product")
    left = TaskSpec(b, {"y": 0}).requires(top)
    right = TaskSpec(c, {"z": [5, 6]}, expand="product").requires(top)
    bottom = TaskSpec(gather, {"m": 9}, name="D").requires(left, right)

    assert [p for name, p in names_and_predecessors(Flow([bottom])).items() if name[0] == "D"] == [
        ["b-1", "c-1"],
        ["b-1", "c-2"],
        ["b-2", "c-3"],
        ["b-2", "c-4"],
    ]


def test_a_parent_and_its_own_child_agree():
    """D reads A and B, and B reads A: only the A that B has read goes with it."""
    top = TaskSpec(a, {"x": [1, 2, 3]}, expand="product")
    child = TaskSpec(b, {"y": [1, 2]}, expand="product").requires(top)
    bottom = TaskSpec(c, name="D").requires(child, top)
    found = [p for n, p in names_and_predecessors(Flow([bottom])).items() if n[0] == "D"]

    assert found == [[f"b-{i}", f"a-{(i + 1) // 2}"] for i in range(1, 7)]


def test_independent_parents_are_multiplied_in_order_of_requires():
    """Nothing shared: all combinations, the last predecessor fastest."""
    left = TaskSpec(a, {"x": [1, 2]}, expand="product")
    right = TaskSpec(b, {"y": [1, 2]}, expand="product")
    bottom = TaskSpec(c, name="D").requires(left, right)
    found = [p for n, p in names_and_predecessors(Flow([bottom])).items() if n[0] == "D"]

    assert found == [["a-1", "b-1"], ["a-1", "b-2"], ["a-2", "b-1"], ["a-2", "b-2"]]


def test_stacked_diamonds_stay_linear():
    """Thirty diamonds on two roots give two nodes per spec."""
    top = TaskSpec(a, {"x": [1, 2]}, expand="product")
    specs = [top]
    for level in range(30):
        left = TaskSpec(b, name=f"l{level}").requires(top)
        right = TaskSpec(c, name=f"r{level}").requires(top)
        top = TaskSpec(gather, name=f"j{level}").requires(left, right)
        specs.append(top)

    assert Flow(specs).num_tasks == 2 + 30 * 6


def test_a_reduce_gathers_every_node_of_its_predecessors():
    """One node, members in expansion order."""
    first = TaskSpec(a, {"x": [1, 2]}, expand="product")
    second = TaskSpec(b, {"y": [3, 4]}, expand="product").requires(first)
    flow = Flow([first, second, TaskSpec(gather, reduce=True).requires(second)])

    assert names_and_predecessors(flow)["gather"] == ["b-1", "b-2", "b-3", "b-4"]


def test_a_reduce_over_one_axis_groups_by_all_others():
    """reduce=["s"] gives one node per x, also when s belongs to an ancestor."""
    first = TaskSpec(a, {"x": [1, 2], "s": [0, 1, 2]}, expand="product")
    second = TaskSpec(b).requires(first)
    mean = TaskSpec(gather, reduce=["s"], name="mean").requires(second)
    after = TaskSpec(c, name="after").requires(mean)
    flow = Flow([after])

    assert names_and_predecessors(flow) | {} == names_and_predecessors(flow)
    assert names_and_predecessors(flow)["mean-1"] == ["b-1", "b-2", "b-3"]
    assert names_and_predecessors(flow)["mean-2"] == ["b-4", "b-5", "b-6"]
    assert names_and_predecessors(flow)["after-2"] == ["mean-2"]


def nested(model=None, s=0):
    return None


def test_a_reduce_gathers_over_a_parameter_inside_a_dict():
    """reduce=["model.depth", "s"] leaves one node per width."""
    config = {"model": {"depth": [1, 2], "width": [5, 6]}, "s": [0, 1, 2]}
    members = TaskSpec(nested, config, expand="product")
    mean = TaskSpec(gather, reduce=["model.depth", "nested.s"], name="mean").requires(members)
    groups = Flow([mean]).graph.by_spec["mean"]

    assert [len(node.predecessors) for node in groups] == [6, 6]
    assert [{m.config["model"]["width"] for m in node.predecessors} for node in groups] == [
        {5},
        {6},
    ]


def test_a_grouped_reduce_still_joins_on_what_its_members_agree_on():
    """The mean over seeds of one model goes with that model, not with the others."""
    model = TaskSpec(a, {"x": [1, 2]}, expand="product", name="model")
    trained = TaskSpec(b, {"y": [0, 1, 2]}, expand="product", name="train").requires(model)
    mean = TaskSpec(gather, reduce=["y"], name="mean").requires(trained)
    both = TaskSpec(c, name="both").requires(mean, model)
    found = names_and_predecessors(Flow([both]))

    assert [found["both-1"], found["both-2"]] == [["mean-1", "model-1"], ["mean-2", "model-2"]]


def test_a_node_after_a_reduce_may_read_the_members_sources_too():
    """D reads the reduce R and A: one D for each A (D2: fluidml mixed them up in one order)."""
    for swapped in (False, True):
        first = TaskSpec(a, {"x": [1, 2]}, expand="product")
        second = TaskSpec(b).requires(first)
        best = TaskSpec(gather, reduce=True).requires(second)
        sources = (first, best) if swapped else (best, first)
        bottom = TaskSpec(c, name="D").requires(*sources)
        flow = Flow([bottom])

        assert len(flow.graph.by_spec["D"]) == 2
        assert len({node.key for node in flow.graph.by_spec["D"]}) == 2


def test_equal_configs_are_one_node():
    """[1, 1] is one node, [1, 1.0, True] are three."""
    assert Flow([TaskSpec(a, {"x": [1, 1]}, expand="product")]).num_tasks == 1
    assert Flow([TaskSpec(a, {"x": [1, 1.0, True]}, expand="product")]).num_tasks == 3


def test_reduce_identity_is_the_set_of_its_members():
    """D6: a product and a zip over the same values are different reduces."""

    def reduced(expand):
        members = TaskSpec(a, {"x": [1, 2], "s": [1, 2]}, expand=expand)
        return Flow([TaskSpec(gather, reduce=True).requires(members)]).graph.by_spec["gather"][0]

    assert reduced("product").key != reduced("zip").key


def test_requires_twice_is_required_once():
    """The same predecessor twice is one edge."""
    first, second = TaskSpec(a), TaskSpec(b)
    second.requires(first, first)
    second.requires([first])
    first.required_by(second)

    assert second.predecessors == [first] and first.successors == [second]


def test_a_circle_is_an_error_that_names_it():
    """The circle is written in the direction of the data."""
    first, second, third = TaskSpec(a), TaskSpec(b), TaskSpec(c)
    first.requires(third)
    second.requires(first)
    third.requires(second)

    with pytest.raises(
        GraphError, match=r"in a circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"
    ):
        Flow([first, second, third])


def test_two_specs_of_one_name_are_refused():
    """D4: none of them is lost silently."""
    with pytest.raises(GraphError, match="two specs are called 'a'"):
        Flow([TaskSpec(a, {"x": 1}), TaskSpec(a, {"x": 2})])


def test_a_spec_named_like_a_node_of_another_is_refused():
    """D4: `A-1` beside an expanded A would be two nodes of one name."""
    with pytest.raises(GraphError, match="'a-1' has the name of a node of 'a'"):
        Flow([TaskSpec(a, {"x": [1, 2]}, expand="product"), TaskSpec(b, name="a-1")])


def test_no_specs_are_refused():
    """An empty flow says what is missing."""
    with pytest.raises(FlowError, match="no tasks to run"):
        Flow([])


def test_a_reduce_without_predecessors_is_refused():
    """There is nothing to gather."""
    with pytest.raises(GraphError, match="gather is a reduce, but requires no spec"):
        Flow([TaskSpec(gather, reduce=True)])


def test_an_axis_that_nobody_has_is_refused():
    """reduce=["sed"] names the nearest parameter upstream."""
    members = TaskSpec(a, {"x": [1, 2], "s": [1, 2]}, expand="product")
    with pytest.raises(SpecError, match="reduce names 'xx'.* There are: s, x"):
        Flow([TaskSpec(gather, reduce=["xx"]).requires(members)])


def test_a_sweep_over_an_ignored_key_is_refused():
    """Ignored keys never make another task, so one of the two would be lost."""
    with pytest.raises(SpecError, match="ignored keys never make another task"):
        Flow([TaskSpec(a, {"_x": [1, 2]}, expand="product", config_ignore_prefix="_")])


def test_a_chain_of_ten_thousand_specs_is_no_recursion():
    """Expansion, ordering and keys are iterative."""
    specs = [TaskSpec(a, name="s0")]
    for number in range(1, 10_000):
        specs.append(TaskSpec(b, name=f"s{number}").requires(specs[-1]))

    assert Flow(specs).num_tasks == 10_000


def test_layers_that_require_the_same_share_their_upstream():
    """Two layers of 100, fully connected: one upstream object for all of the second layer."""
    first = [TaskSpec(a, {"x": i}, name=f"a{i}") for i in range(100)]
    second = [TaskSpec(gather, {"m": str(i)}, name=f"b{i}").requires(first) for i in range(100)]
    graph = build_graph(second)

    counts = collections.Counter(id(node.upstream) for node in graph if node.upstream.nodes)
    assert list(counts.values()) == [100]


def test_the_widest_level_is_that_of_the_longest_paths():
    """Levels are distances from the start, counted without walking every path."""
    top = TaskSpec(a, {"x": [1, 2, 3]}, expand="product")
    bottom = TaskSpec(gather, reduce=True).requires(TaskSpec(b).requires(top))

    assert build_graph([bottom]).widest_level() == 3
