"""The scheduler is pure, so any graph and any order of events can be tried without a process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.amounts import PARTS
from flowlib.declaration import Declaration, Options
from flowlib.demands import NOTHING, Demand
from flowlib.node import Node, Upstream
from flowlib.resources import ResourcePool, pool_of
from flowlib.scheduler import Scheduler
from flowlib.tolerance import OnFailure, Tolerance

TOLERANCES = (
    Tolerance(),
    Tolerance(OnFailure.SKIP),
    Tolerance(OnFailure.PASS),
    Tolerance(OnFailure.SKIP, 2),
    Tolerance(OnFailure.PASS, 0.5),
)


def declaration(name: str, **options) -> Declaration:
    return Declaration(name, dict, None, options=Options(**options))


def node(key: str, upstream: tuple[Node, ...] = (), name: str = "T", **options) -> Node:
    return Node(declaration(name, **options), key, key, 0, (), Upstream(upstream))


def scheduler(nodes, pool=None, demand_of=lambda node: NOTHING) -> Scheduler:
    return Scheduler(nodes, pool or ResourcePool(), demand_of)


@st.composite
def graphs(draw):
    """Graphs of up to 12 nodes in which a node reads from any of the nodes before it."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 12))):
        chosen = draw(st.sets(st.sampled_from(range(number)))) if number else set()
        upstream = tuple(nodes[i] for i in sorted(chosen))
        shared = next((n.upstream for n in nodes if n.upstream.nodes == upstream), None)
        made = node(str(number), upstream, tolerance=draw(st.sampled_from(TOLERANCES)))
        if shared is not None and draw(st.booleans()):
            made = Node(made.declaration, made.key, made.unique_name, 0, (), shared)
        nodes.append(made)
    return nodes


def missing_of(each: Node, ended: dict[str, str]) -> int:
    """How many of its predecessors have no results."""
    return sum(ended[parent.key] != "finished" for parent in each.predecessors)


def allowed_of(each: Node) -> int:
    return each.declaration.options.tolerance.allowed(len(each.predecessors))


@given(graphs(), st.data())
def test_every_node_ends_once_and_never_before_its_upstream(nodes, data):
    """Whatever fails, is paused or parked, and in whatever order workers answer."""
    schedule, running, paused, ended = scheduler(nodes), [], [], {}
    patience = 40
    while not schedule.is_done:
        for each, _ in schedule.take(data.draw(st.integers(1, 4))):
            assert all(parent.key in ended for parent in each.predecessors)
            assert missing_of(each, ended) <= allowed_of(each)
            assert each.key not in ended
            running.append(each)
        for each in schedule.parked:
            schedule.unpark(each)
        for each in [paused.pop() for _ in range(data.draw(st.integers(0, len(paused))))]:
            schedule.resume(each)
        if not running:
            continue
        each = running.pop(data.draw(st.integers(0, len(running) - 1)))
        patience -= 1
        words = ["finished", "failed"] + (["pause", "park"] if patience > 0 else [])
        match data.draw(st.sampled_from(words)):
            case "finished":
                schedule.finish(each)
                ended[each.key] = "finished"
            case "failed":
                ended[each.key] = "failed"
                for skipped in schedule.fail(each):
                    assert skipped.key not in ended
                    ended[skipped.key] = "skipped"
            case "pause":
                schedule.pause(each)
                paused.append(each)
            case "park":
                schedule.park(each)

    assert ended.keys() == {each.key for each in nodes}
    for each in nodes:
        too_many_failed = missing_of(each, ended) > allowed_of(each)
        assert (ended[each.key] == "skipped") == too_many_failed


@given(graphs(), st.data())
def test_a_stopped_run_is_done_when_what_runs_has_ended(nodes, data):
    """After stop() nothing starts, and nothing is waited for in vain."""
    schedule = scheduler(nodes)
    running = [each for each, _ in schedule.take(data.draw(st.integers(1, 4)))]
    schedule.stop()
    for each in running:
        assert not schedule.is_done
        schedule.finish(each)

    assert schedule.is_done
    assert schedule.take(10) == []


def test_priority_comes_before_order():
    """The node of the highest priority starts first, equal ones in the order given."""
    nodes = [node("a"), node("b", priority=5), node("c"), node("d", priority=5)]

    assert [each.key for each, _ in scheduler(nodes).take(4)] == ["b", "d", "a", "c"]


def needs(gpu: float = 0, cpu: float = 0) -> Demand:
    parts = [("cpu", int(cpu * PARTS)), ("gpu", int(gpu * PARTS))]
    return Demand(tuple((kind, amount) for kind, amount in parts if amount))


demands = st.builds(needs, st.sampled_from([0, 0.5, 1, 2, 3]), st.sampled_from([0, 1, 4]))


@given(st.lists(st.tuples(demands, st.integers(0, 2)), min_size=1, max_size=20), st.data())
def test_the_first_that_waits_is_never_overtaken_by_one_that_takes_of_the_same(wanted, data):
    """However large it is, so that each is the first one day; and nothing waits in vain."""
    nodes = [node(f"{i:02}", name=f"{i:02}", priority=p) for i, (_, p) in enumerate(wanted)]
    demand_of = {each.key: demand for each, (demand, _) in zip(nodes, wanted, strict=True)}
    pool = pool_of({"gpu": ["a", "b", "c"], "cpu": 4})
    schedule = scheduler(nodes, pool, lambda each: demand_of[each.key])
    started, running = [], []
    while not schedule.is_done:
        taken = [each for each, _ in schedule.take(data.draw(st.integers(1, 4)))]
        assert taken or running, "nothing runs, although everything fits alone"
        started += taken
        running += taken
        schedule.finish(running.pop(data.draw(st.integers(0, len(running) - 1))))

    waiting = sorted(nodes, key=lambda each: (-each.declaration.options.priority, each.key))
    for each in started:
        if each is not waiting[0]:
            assert not demand_of[each.key].kinds & demand_of[waiting[0].key].kinds
        waiting.remove(each)


def test_a_large_demand_is_not_starved_by_small_ones():
    """While two objects are waited for, no later node takes one of them."""
    pool = pool_of(["x", "y"])
    demands = {"small-1": 1, "large": 2, "small-2": 1, "small-3": 1}
    nodes = [node(key, name=key) for key in demands]
    schedule = scheduler(nodes, pool, lambda each: needs(demands[each.key]))

    assert [each.key for each, _ in schedule.take(4)] == ["small-1"]
    schedule.finish(nodes[0])
    assert [each.key for each, _ in schedule.take(4)] == ["large"]
    schedule.finish(nodes[1])
    assert [each.key for each, _ in schedule.take(4)] == ["small-2", "small-3"]


def test_nodes_that_need_nothing_pass_a_blocked_demand():
    """A node without a demand does not wait for the objects of others."""
    nodes = [node("gpu-1"), node("gpu-2"), node("cpu")]
    schedule = scheduler(
        nodes, pool_of(["x"]), lambda each: needs(1) if "gpu" in each.key else NOTHING
    )

    assert [each.key for each, _ in schedule.take(3)] == ["gpu-1", "cpu"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_tolerant_node_waits_for_all_and_runs_with_what_is_left(order):
    """One of three may fail: whenever it does, the reader starts after the last has ended."""
    members = [node(str(number)) for number in range(3)]
    reader = node("r", tuple(members), tolerance=Tolerance(OnFailure.SKIP, 2))
    schedule = scheduler([*members, reader])
    schedule.take(3)
    for number in order:
        assert schedule.take(1) == []
        if number == 1:
            assert schedule.fail(members[1]) == []
        else:
            schedule.finish(members[number])

    assert [each.key for each, _ in schedule.take(1)] == ["r"]


def test_a_tolerant_node_is_skipped_as_soon_as_too_many_failed():
    """The members that still run are not waited for, and what reads from it goes, too."""
    members = [node(str(number)) for number in range(4)]
    reader = node("r", tuple(members), tolerance=Tolerance(OnFailure.SKIP, 3))
    after = node("after", (reader,))
    schedule = scheduler([*members, reader, after])
    schedule.take(4)

    assert schedule.fail(members[0]) == []
    assert schedule.fail(members[2]) == [reader, after]
    assert schedule.fail(members[1]) == []
    schedule.finish(members[3])
    assert schedule.is_done


def test_strict_and_tolerant_readers_of_the_same_nodes_are_told_apart():
    """They share the nodes they read from, not what they make of a failure."""
    member = node("m")
    upstream = Upstream((member,))
    strict = Node(declaration("S"), "s", "s", 0, (), upstream)
    passes = declaration("P", tolerance=Tolerance(OnFailure.PASS))
    tolerant = Node(passes, "p", "p", 0, (), upstream)
    schedule = scheduler([member, strict, tolerant])
    schedule.take(1)

    assert schedule.fail(member) == [strict]
    assert [each.key for each, _ in schedule.take(2)] == ["p"]


def test_predecessors_outside_the_run_count_as_done():
    """A node whose predecessor is cached is ready at once."""
    cached = node("cached")
    reader = node("reader", (cached,))

    assert [each.key for each, _ in scheduler([reader]).take(1)] == ["reader"]


def test_an_answer_for_a_node_that_does_not_run_is_a_bug_with_a_name():
    """The error tells which node is meant."""
    with pytest.raises(RuntimeError, match="T/1"):
        scheduler([node("1" * 32)]).finish(node("1" * 32))


def test_two_fully_connected_layers_cost_their_nodes_not_their_edges():
    """300 × 300 shared edges are one gate: each node of the first layer opens it by one."""
    first = [node(f"a{i}") for i in range(300)]
    upstream = Upstream(tuple(first))
    second = [Node(declaration("B"), f"b{i}", "b", 0, (), upstream) for i in range(300)]
    schedule = scheduler([*first, *second])

    assert sum(len(gates) for gates in schedule._gates.values()) == 300
    for each, _ in schedule.take(300):
        schedule.finish(each)
    assert len(schedule.take(1000)) == 300
