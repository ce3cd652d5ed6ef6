"""How much of each spec is there to do, and how long did its tasks take before?"""

from __future__ import annotations

from collections.abc import Sequence

from flowlib.events import SpecTotal
from flowlib.node import Node
from flowlib.plan_facts import PlanFacts
from stores import TaskState


def spec_totals(plan: PlanFacts) -> tuple[SpecTotal, ...]:
    """The specs of which something is wanted, in the order of the flow.

    The store is not asked again.
    """
    totals = (total_of(plan, name, nodes) for name, nodes in plan.graph.by_spec.items())
    return tuple(each for each in totals if each.total or not plan.left_out)


def total_of(plan: PlanFacts, name: str, nodes: Sequence[Node]) -> SpecTotal:
    """How much of some nodes of a spec there is to do."""
    reasons, statuses = plan.reasons, plan.statuses
    cached, cached_s, timed, spent_s = 0, 0.0, 0, 0.0
    left_out = 0
    for node in nodes:
        is_left_out = node.key in plan.left_out
        left_out += is_left_out
        is_cached = node.key not in reasons and not is_left_out
        cached += is_cached
        status = statuses.get(node.key)
        if status is None or status.duration_s is None or status.state is not TaskState.FINISHED:
            continue
        timed += 1
        spent_s += status.duration_s
        if is_cached:
            cached_s += status.duration_s
    return SpecTotal(
        name, len(nodes) - left_out, cached, cached_s, spent_s / timed if timed else None
    )
