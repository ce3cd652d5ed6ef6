"""What has to run for what is wanted, against a model that tries again until nothing changes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlib.declaration import Declaration
from flowlib.graph import TaskGraph
from flowlib.job import WITHOUT
from flowlib.needed import needed_by
from flowlib.node import Node, Upstream, lineage
from flowlib.planning import make_plan
from flowlib.reasons import SPREADING, Reason
from flowlib.wishes import Wishes
from stores import Status, TaskState


def status(state, **more):
    return Status(state, 1, state, 1, **more)


FINISHED = TaskState.FINISHED
KNOWN = {
    "new": (None, Reason.NEW),
    "counts": (status(FINISHED), None),
    "outdated": (status(FINISHED, facts={WITHOUT: "1 abc"}), Reason.UPSTREAM),
    "failed": (status(TaskState.FAILED), Reason.FAILED),
    "lost": (status(FINISHED, missing=("value",)), Reason.MISSING),
}
"""What a store may know of a node, and why the node has to run then."""

WORDS = ["new", "counts", "counts", "counts", "outdated", "failed", "lost"]


class Statuses:
    """A store that knows statuses, and counts how often it is asked for them."""

    def __init__(self, known):
        self.known = known
        self.asked = []

    def statuses(self, addresses):
        keys = [address.key for address in addresses]
        self.asked.append(keys)
        return {key: KNOWN[self.known[key]][0] for key in keys if self.known[key] != "new"}


@st.composite
def flows(draw):
    """A graph of up to 10 specs of one node each, and what the store knows of them."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 10))):
        chosen = draw(st.sets(st.sampled_from(range(number)), max_size=4)) if number else set()
        upstream = tuple(nodes[i] for i in sorted(chosen))
        shared = [n.upstream for n in nodes if n.upstream.nodes == upstream]
        behind = shared[0] if shared and draw(st.booleans()) else Upstream(upstream)
        name = f"T{number}"
        declaration = Declaration(name, dict, SimpleNamespace(config={}))
        nodes.append(Node(declaration, f"{number:032x}", name, 0, (), behind))
    graph = TaskGraph({n.key: n for n in nodes}, {n.name: (n,) for n in nodes}, {})
    store = Statuses({n.key: draw(st.sampled_from(WORDS)) for n in nodes})
    return graph, store


def wishes(graph, draw):
    """Wishes in which every selector names a node, perhaps with all downstream of it."""
    texts = st.sampled_from([f"{name}{plus}" for name in graph.by_spec for plus in ("", "+")])
    lists = st.lists(texts, min_size=1, max_size=3, unique=True)
    names = ("force", "only", "skip", "keep")
    return Wishes(**{name: draw(st.none() | lists) for name in names})


def meant(graph, texts):
    """What selectors name, and what only a `+` adds."""
    named = {node.key for t in texts or () for node in graph.by_spec[t.rstrip("+")]}
    spread = {node.key for t in texts or () if t[-1] == "+" for node in graph.by_spec[t[:-1]]}
    for node in graph:
        if any(each.key in spread for each in node.upstream.nodes):
            spread.add(node.key)
    return named, spread - named


def model(graph, store, wish):
    """The reasons of what runs and the keys of what is left out: all rules, again and again."""
    forced, spread = meant(graph, wish.force)
    skipped = set().union(*meant(graph, wish.skip))
    kept = set().union(*meant(graph, wish.keep))
    targets = set(graph.nodes) if wish.only is None else set().union(*meant(graph, wish.only))

    def own(key):
        if key in forced:
            return Reason.FORCE
        reason = KNOWN[store.known[key]][1]
        reason = None if key in kept and reason is Reason.UPSTREAM else reason
        return Reason.UPSTREAM if reason is None and key in spread else reason

    looked, reasons = set(targets), {}
    while True:
        before = (len(looked), len(reasons))
        for key in list(looked):
            sources = [each.key for each in graph.nodes[key].upstream.nodes]
            reason = own(key)
            if reason is None and key not in kept:
                outdated = any(reasons.get(s) in SPREADING for s in sources)
                reason = Reason.UPSTREAM if outdated else None
            if reason is not None:
                reasons[key] = reason
                looked |= set(sources)
        if before == (len(looked), len(reasons)):
            break
    missing = set(reasons)
    blocked = missing & skipped
    while more := {
        k
        for k in missing - blocked
        if any(each.key in blocked for each in graph.nodes[k].upstream.nodes)
    }:
        blocked |= more
    running = missing - blocked
    serving = running & targets
    while more := {
        each.key
        for k in serving
        for each in graph.nodes[k].upstream.nodes
        if each.key in running and each.key not in serving
    }:
        serving |= more
    left_out = (set(graph.nodes) - targets - serving) | (skipped & set(graph.nodes)) | blocked
    return {key: reasons[key] for key in serving}, left_out - serving


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flows(), st.data())
def test_plans_are_what_the_model_says(flow, data):
    """Whatever is forced, wanted, skipped and kept, in any graph and with any results."""
    graph, store = flow
    wish = wishes(graph, data.draw)
    plan = make_plan(graph, store, wish)
    reasons, left_out = model(graph, store, wish)

    assert plan.reasons == reasons
    assert plan.left_out == left_out
    assert list(plan.reasons) == [key for key in graph.nodes if key in reasons]
    assert {n.key for n in plan.cached} == set(graph.nodes) - left_out - set(reasons)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flows(), st.data())
def test_the_store_is_asked_for_nothing_twice(flow, data):
    """In one look for all; else for the targets, then for what is upstream of what has to run."""
    graph, store = flow
    wish = Wishes(only=wishes(graph, data.draw).only)
    plan = make_plan(graph, store, wish)
    asked = [key for keys in store.asked for key in keys]

    assert len(asked) == len(set(asked))
    if wish.only is None:
        assert store.asked == [list(graph.nodes)]
        return
    targets = set().union(*meant(graph, wish.only))
    spread = [r for k, r in plan.reasons.items() if KNOWN[store.known[k]][1] is None]
    assert set(asked) == targets | {node.key for node in lineage(plan.to_run)}
    assert len(store.asked) <= 2 + len(spread)


def test_what_an_outdated_result_makes_outdated_is_looked_through_too():
    """A target that counts is read again because of another target, and needs its own inputs."""

    def node(name, *upstream):
        declaration = Declaration(name, dict, SimpleNamespace(config={}))
        return Node(declaration, name.rjust(32, "0"), name, 0, (), Upstream(upstream))

    a, b, c = node("a"), node("b"), node("c")
    first, second = node("d", a, b), node("e", b, c)
    nodes = [a, b, c, first, second]
    graph = TaskGraph({n.key: n for n in nodes}, {n.name: (n,) for n in nodes}, {})
    words = ["counts", "outdated", "counts", "counts", "new"]
    store = Statuses({n.key: word for n, word in zip(nodes, words, strict=True)})
    plan = make_plan(graph, store, Wishes(only=["d", "e"]))

    assert {k[-1]: r.value for k, r in plan.reasons.items()} == {
        "b": "upstream",
        "d": "upstream",
        "e": "new",
    }
    assert [sorted(key[-1] for key in keys) for keys in store.asked] == [
        ["d", "e"],
        ["b", "c"],
        ["a"],
    ]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flows(), st.data())
def test_what_is_upstream_of_a_result_that_counts_is_not_looked_at(flow, data):
    """Every node is asked at most once why it has to run, and only if something needs it."""
    graph, store = flow
    target = data.draw(st.sampled_from(list(graph)))
    looked = []

    def own(node):
        looked.append(node.key)
        return KNOWN[store.known[node.key]][1]

    reasons = needed_by([target], own)
    needed = {each.key for key in reasons for each in graph.nodes[key].upstream.nodes}

    assert len(looked) == len(set(looked))
    assert set(looked) == {target.key} | needed


def test_a_long_chain_and_dense_layers_cost_what_they_have():
    """No recursion; nodes that share their predecessors look through them once."""
    declaration = Declaration("T", dict, SimpleNamespace(config={}))
    chain = [Node(declaration, "0", "T", 0, (), Upstream())]
    for number in range(1, 20_000):
        chain.append(Node(declaration, str(number), "T", 0, (), Upstream((chain[-1],))))
    assert len(needed_by([chain[-1]], lambda node: Reason.NEW)) == 20_000

    reads = []

    class Counted(tuple):
        def __iter__(self):
            reads.append(len(self))
            return super().__iter__()

    first = tuple(Node(declaration, f"a{i}", "T", 0, (), Upstream()) for i in range(300))
    layer = Upstream(Counted(first))
    second = [Node(declaration, f"b{i}", "T", 0, (), layer) for i in range(300)]
    own = {"a7": Reason.DEFAULT, "b0": Reason.NEW}
    reasons = needed_by(second, lambda node: own.get(node.key))

    assert set(reasons) == {"a7", *(f"b{i}" for i in range(300))}
    assert sum(reads) <= 5 * 300
