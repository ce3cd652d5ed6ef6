"""How much of each spec is there to do, and how long did its tasks take before?"""

from __future__ import annotations

from flowlib.events import SpecTotal
from flowlib.plan import Plan
from stores import TaskState


def spec_totals(plan: Plan) -> tuple[SpecTotal, ...]:
    """The specs of a plan, in the order of the flow; the store is not asked again."""
    return tuple(_total(plan, name) for name in plan.graph.by_spec)


def _total(plan: Plan, name: str) -> SpecTotal:
    reasons, statuses = plan.reasons, plan.statuses
    cached, cached_s, timed, spent_s = 0, 0.0, 0, 0.0
    nodes = plan.graph.by_spec[name]
    for node in nodes:
        is_cached = node.key not in reasons
        cached += is_cached
        status = statuses.get(node.key)
        if status is None or status.duration_s is None or status.state is not TaskState.FINISHED:
            continue
        timed += 1
        spent_s += status.duration_s
        if is_cached:
            cached_s += status.duration_s
    return SpecTotal(name, len(nodes), cached, cached_s, spent_s / timed if timed else None)
