"""Why would nodes run, in a few words? Per spec for the table, per node for lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flowlib.earlier_records import Nearest
from flowlib.job import WITHOUT
from flowlib.node import Node
from flowlib.plan_facts import PlanFacts
from flowlib.reasons import Reason


def reasons_of_spec(plan: PlanFacts, nodes: Sequence[Node]) -> list[tuple[Reason, str]]:
    """The reasons of the nodes of a spec, the first that applies first: `new ×6`.

    Where one node is new, it is told which earlier result is nearest, and what differs.
    """
    running = [node for node in nodes if node.key in plan.reasons]
    counts = Counter((plan.reasons[node.key], _source(plan, node)) for node in running)
    order = [*Reason]
    found = []
    for (reason, source), count in sorted(counts.items(), key=lambda x: order.index(x[0][0])):
        times = f" ×{count}" if count > 1 else ""
        words = f"{reason.value}{source}{times}"
        if count == 1 and (nearest := nearest_of(plan, running, reason)) is not None:
            words += f" ({nearest})"
        found.append((reason, words))
    return found


def nearest_of(plan: PlanFacts, running: Sequence[Node], reason: Reason) -> Nearest | None:
    """What is nearest to the first of the nodes that are new or of another version."""
    if reason not in (Reason.NEW, Reason.VERSION):
        return None
    node = next(each for each in running if plan.reasons[each.key] is reason)
    return plan.earlier.nearest(node)


def reason_of(plan: PlanFacts, node: Node) -> str:
    """The reason of one node: `upstream Train`."""
    return f"{plan.reasons[node.key].value}{_source(plan, node)}"


def sources_that_run(plan: PlanFacts, node: Node) -> list[Node]:
    """The predecessors of a node that would run, too."""
    return [each for each in node.upstream.nodes if each.key in plan.reasons]


def lacked_inputs(plan: PlanFacts, node: Node) -> str:
    """How many inputs the result of a node has been computed without, as text; or empty."""
    status = plan.statuses.get(node.key)
    return "" if status is None else status.facts.get(WITHOUT, "").partition(" ")[0]


def _source(plan: PlanFacts, node: Node) -> str:
    """Of what is upstream, the spec that runs."""
    if plan.reasons[node.key] is not Reason.UPSTREAM:
        return ""
    first = next((each for each in node.upstream.nodes if each.key in plan.reasons), None)
    return "" if first is None else f" {first.name}"
