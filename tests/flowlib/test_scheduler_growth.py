"""Growth is an event into the scheduler: more nodes, and one that waits for some of them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlib.demands import NOTHING
from flowlib.node import Node, Upstream
from flowlib.resources import ResourcePool
from flowlib.scheduler import Scheduler
from tests.flowlib.test_scheduler import TOLERANCES, allowed_of, graphs, node, scheduler


class Model:
    """What has to happen, told without gates: who waits for whom, and how each has ended."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = {each.key: each for each in nodes}
        self.grown: dict[str, tuple[Node, ...]] = {}
        self.ended: dict[str, str] = {}

    def waits_for(self, each: Node) -> tuple[Node, ...]:
        return self.grown.get(each.key, each.predecessors)

    def needs(self, each: Node, other: Node) -> bool:
        """Whether a node waits for another, directly or not."""
        stack, seen = [each], set()
        while stack:
            one = stack.pop()
            if one.key == other.key:
                return True
            if one.key not in seen:
                seen.add(one.key)
                stack += [*one.predecessors, *self.grown.get(one.key, ())]
        return False

    def is_skipped(self, each: Node) -> bool:
        allowed = 0 if each.key in self.grown else allowed_of(each)
        return sum(self.ended[p.key] != "finished" for p in self.waits_for(each)) > allowed


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(graphs(), st.data())
def test_what_grows_ends_once_and_after_what_it_has_grown(nodes, data):
    """Whatever grows, fails, or had failed before it was asked for."""
    model = Model(nodes)
    schedule, running = scheduler(nodes), []
    while not schedule.is_done:
        for each, _ in schedule.take(data.draw(st.integers(1, 4))):
            assert all(parent.key in model.ended for parent in model.waits_for(each))
            running.append(each)
        each = running.pop(data.draw(st.integers(0, len(running) - 1)))
        can_grow = each.key not in model.grown and len(model.nodes) < 30
        match data.draw(st.sampled_from(["finish", "fail", *["grow"] * can_grow])):
            case "finish":
                schedule.finish(each)
                model.ended[each.key] = "finished"
            case "fail":
                skipped = schedule.fail(each)
                model.ended[each.key] = "failed"
                note(model, skipped)
            case "grow":
                new, roots = grown(model, each, data)
                note(model, schedule.grow(each, new, Upstream(roots)))

    assert model.ended.keys() == model.nodes.keys()
    for each in model.nodes.values():
        if model.ended[each.key] == "skipped":
            assert model.is_skipped(each)
        elif model.ended[each.key] == "finished":
            assert not model.is_skipped(each)


def note(model: Model, skipped: list[Node]) -> None:
    for each in skipped:
        assert each.key not in model.ended
        model.ended[each.key] = "skipped"


def grown(model: Model, by: Node, data) -> tuple[list[Node], tuple[Node, ...]]:
    """Some new nodes, which read from each other or from what does not wait for `by`."""
    free = [each for each in model.nodes.values() if not model.needs(each, by)]
    new: list[Node] = []
    for _ in range(data.draw(st.integers(0, 3))):
        known = [*free, *new]
        chosen = data.draw(st.sets(st.sampled_from(range(len(known))))) if known else set()
        upstream = tuple(known[at] for at in sorted(chosen))
        tolerance = data.draw(st.sampled_from(TOLERANCES))
        made = node(f"{len(model.nodes)}", upstream, tolerance=tolerance)
        model.nodes[made.key] = made
        new.append(made)
    known = [*free, *new]
    chosen = data.draw(st.sets(st.sampled_from(range(len(known))))) if known else set()
    model.grown[by.key] = tuple(known[at] for at in sorted(chosen))
    return new, model.grown[by.key]


def test_a_node_that_had_grown_before_waits_for_that_from_the_start():
    """And not for what it reads itself, which it has read already."""
    first, part = node("first"), node("part")
    alias = node("alias", (first,))
    reader = node("reader", (alias,))
    made = {"alias": Upstream((part,))}
    schedule = scheduler_of([part, alias, reader], made)

    [(taken, _)] = schedule.take(5)
    assert taken is part
    schedule.finish(part)
    [(taken, _)] = schedule.take(5)
    assert taken is alias
    schedule.finish(alias)
    assert [each.key for each, _ in schedule.take(5)] == ["reader"]


def test_an_alias_takes_no_failures_whatever_its_task_does():
    """It has no value where one of its parts has none; what reads it is skipped as well."""
    tolerant = node("tolerant", tolerance=TOLERANCES[2])
    reader = node("reader", (tolerant,))
    schedule = scheduler([tolerant, reader])
    schedule.take(1)
    part = node("part")
    assert schedule.grow(tolerant, [part], Upstream((part,))) == []
    [(taken, _)] = schedule.take(5)
    assert taken is part
    assert [each.key for each in schedule.fail(part)] == ["tolerant", "reader"]
    assert schedule.is_done


def scheduler_of(nodes, grown):

    return Scheduler(nodes, ResourcePool(), lambda each: NOTHING, grown)
