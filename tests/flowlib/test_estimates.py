"""How long a plan takes: the bound holds for every schedule that leaves no worker idle."""

from __future__ import annotations

import heapq
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlib import Flow, TaskSpec
from flowlib.declaration import Declaration
from flowlib.graph import TaskGraph
from flowlib.node import Node, Upstream
from flowlib.planning import make_plan
from flowlib.wishes import Wishes
from stores import InMemoryStore, LayeredStore, LocalFileStore, Status, TaskState, open_store


class Durations:
    """A store in which every task has a result that took as long as told."""

    def __init__(self, seconds):
        self.seconds = seconds

    def statuses(self, addresses):
        done = TaskState.FINISHED
        return {a.key: Status(done, 1, done, 1, duration_s=self.seconds[a.key]) for a in addresses}


@st.composite
def plans(draw):
    """A plan that runs all of up to 9 tasks of known durations, and its number of workers."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 9))):
        chosen = draw(st.sets(st.sampled_from(range(number)), max_size=3)) if number else set()
        declaration = Declaration(f"T{number}", dict, SimpleNamespace(config={}))
        upstream = Upstream(tuple(nodes[i] for i in sorted(chosen)))
        nodes.append(Node(declaration, f"{number:032x}", f"T{number}", 0, (), upstream))
    graph = TaskGraph({n.key: n for n in nodes}, {n.name: (n,) for n in nodes}, {})
    store = Durations({n.key: draw(st.integers(0, 20)) for n in nodes})
    workers = draw(st.integers(1, 4))
    return make_plan(graph, store, Wishes(force="all"), workers), store.seconds, workers


def makespan(plan, seconds, workers, pick):
    """How long a run takes in which a free worker always takes some task that can start."""
    waiting, done, running, now = list(plan.to_run), set(), [], 0
    while waiting or running:
        ready = [n for n in waiting if all(each.key in done for each in n.upstream.nodes)]
        while ready and len(running) < workers:
            node = ready.pop(pick(len(ready)))
            waiting.remove(node)
            heapq.heappush(running, (now + seconds[node.key], node.key))
        now, key = heapq.heappop(running)
        done.add(key)
    return now


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans(), st.data())
def test_no_run_is_faster_and_none_takes_twice_as_long(case, data):
    """Graham's bounds, for whatever order in which tasks are taken."""
    plan, seconds, workers = case
    took = makespan(plan, seconds, workers, lambda count: data.draw(st.integers(0, count - 1)))
    least = plan.estimate_s

    assert least <= took + 1e-9
    assert took <= (2 - 1 / workers) * least + 1e-9


def square(x=1):
    return {"y": x * x}


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite", "layered"])
def test_earlier_records_are_found_in_every_store(tmp_path, kind):
    """The nearest result and the mean of the durations, without a result in the flow."""
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
    store = {
        "memory": lambda: InMemoryStore(),
        "file": lambda: LocalFileStore(tmp_path),
        "sqlite": lambda: open_store(f"sqlite:///{tmp_path}/results.db"),
        "layered": lambda: LayeredStore([InMemoryStore(), LocalFileStore(tmp_path)]),
    }[kind]()
    spec = TaskSpec(square, {"x": [2, 3]}, expand="product")
    where = LocalFileStore(tmp_path) if kind == "layered" else store
    Flow([spec]).run(num_workers=1, results_store=where, progress=None)
    plan = Flow([TaskSpec(square, {"x": 5})]).plan(results_store=store)

    assert "x " in plan.rows()[0][4] and " → 5)" in plan.rows()[0][4]
    assert plan.estimate_s is not None
    (document,) = plan.why("square").to_dict()["tasks"]
    assert document["config"]["differences"][0]["now"] == "5"
    store.close()
