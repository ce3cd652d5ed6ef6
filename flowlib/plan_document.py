"""A plan as a document for programs; docs/plan.md has its schema."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flowlib.estimates import Estimates
from flowlib.labels import TaskRefs
from flowlib.next_commands import store_text
from flowlib.node import Node
from flowlib.plan_facts import CACHED, LEFT_OUT, PENDING, PlanFacts


def plan_document(plan: PlanFacts) -> dict[str, Any]:
    """All that a plan says, as plain values."""
    estimates, refs = Estimates(plan), TaskRefs(plan.graph.by_spec)
    tasks = len(plan.graph) - len(plan.left_out)
    return {
        "title": plan.title,
        "store": store_text(plan.store),
        "tasks": tasks,
        "cached": tasks - len(plan.reasons),
        "run": len(plan.reasons),
        "left_out": len(plan.left_out),
        "workers": plan.workers,
        "estimate_s": estimates.wall_s,
        "work_s": estimates.work_s,
        "is_estimate_complete": estimates.is_complete,
        "specs": [_spec(plan, name, estimates) for name in plan.graph.by_spec],
        "nodes": [_node(plan, node, estimates, refs) for node in plan.graph],
        "stale": [str(node.address) for node in plan.stale],
        "code_changed": [str(node.address) for node in plan.changed],
        "unknown": plan.unknown,
        "notes": list(plan.notes),
    }


def state_of(plan: PlanFacts, node: Node) -> str:
    """Whether a node is cached, pending or left out."""
    if node.key in plan.reasons:
        return PENDING
    return LEFT_OUT if node.key in plan.left_out else CACHED


def _spec(plan: PlanFacts, name: str, estimates: Estimates) -> dict[str, Any]:
    nodes = plan.graph.by_spec[name]
    states = Counter(state_of(plan, node) for node in nodes)
    reasons = Counter(plan.reasons[n.key].value for n in nodes if n.key in plan.reasons)
    return {
        "name": name,
        "tasks": states[CACHED] + states[PENDING],
        "cached": states[CACHED],
        "run": states[PENDING],
        "left_out": states[LEFT_OUT],
        "reasons": dict(reasons),
        "mean_s": estimates.mean_s(name) if states[PENDING] else None,
        "estimate_s": estimates.spec_s(name),
    }


def _node(plan: PlanFacts, node: Node, estimates: Estimates, refs: TaskRefs) -> dict[str, Any]:
    reason = plan.reasons.get(node.key)
    return {
        "id": str(node.address),
        "key": node.key,
        "spec": node.name,
        "unique_name": node.unique_name,
        "label": refs.label(node),
        "state": state_of(plan, node),
        "reason": None if reason is None else reason.value,
        "estimate_s": None if reason is None else estimates.of(node),
    }
