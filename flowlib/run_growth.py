"""How does a run go on with specs that a task has returned? Its plan grows, and its graph."""

from __future__ import annotations

from dataclasses import replace

from flowlib.code_changes import CodeChanges
from flowlib.comparison import Comparison
from flowlib.events import SpecTotal
from flowlib.failures import failure_kind, pickled_exception
from flowlib.growing import Check, Growing
from flowlib.grown import read_specs
from flowlib.growth import Growth, in_running_order
from flowlib.job import Outcome, OutcomeKind
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.reasons import Reason
from flowlib.recorded import RecordedConfigs
from flowlib.regrowth import GrownNeeds, OwnReasons, regrow
from flowlib.selection import Selected
from flowlib.spec_totals import total_of
from flowlib.wishes import Look
from stores import ErrorDetails
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class NewTasks:
    """What a node has added to a run.

    Attributes:
        growth: What it has grown.
        nodes: The nodes that were not known.
        to_run: Those of them that have to run, in running order.
        totals: How many nodes there are that were not known, by spec.
    """

    growth: Growth
    nodes: tuple[Node, ...]
    to_run: tuple[Node, ...]
    totals: tuple[SpecTotal, ...]


class RunGrowth:
    """The plan of a run, which grows.

    Args:
        plan: What was known when the run began.

    Attributes:
        plan: What is known now.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._growing: Growing | None = None
        self._reasons: dict[str, Reason] = {}
        self._texts = RecordedConfigs()
        self._look = Look(plan.graph, plan.store)
        self._code = plan.code_changes or CodeChanges()

    def grow(self, node: Node, attempt: int, check: Check) -> NewTasks:
        """Add what a node has returned in an attempt, as far as it is not known.

        Args:
            node: It.
            attempt: The number of that.
            check: Raises for nodes that this run cannot compute.

        Raises:
            FlowError: the specs do not fit to what there is.
            StoreError: they cannot be read.
        """
        growing = self._growing or self._opened()
        plan = self.plan
        growth = growing.grow(node, read_specs(plan.store, node.address, attempt), check)
        new = list(growth.new)
        self._look.add(new)
        is_forced = node.key in plan.grows_forced
        forced = self._growths_forced(new) if is_forced else frozenset()
        statuses = self._look.statuses
        comparison = Comparison(plan.store, statuses, self._texts, self._code)
        own = OwnReasons(comparison, growing.graph, Selected(forced, frozenset()))
        if not is_forced:
            new += regrow(growing, self._look, new, own.is_outdated, check)
        ordered = list(in_running_order(new, growing.graph.growths))
        needs = GrownNeeds(growing.graph, statuses, own.of)
        needs.note(self._reasons, ordered)
        for key in needs.void:
            growing.forget(key)
        to_run = tuple([each for each in ordered if each.key in self._reasons])
        by_spec: dict[str, list[Node]] = {}
        for each in new:
            by_spec.setdefault(each.name, []).append(each)
        totals = [total_of(self.plan, name, nodes) for name, nodes in by_spec.items()]
        return NewTasks(growth, tuple(new), to_run, tuple(totals))

    def _growths_forced(self, new: list[Node]) -> frozenset[str]:
        """What a task returns that is forced with all downstream is forced as well."""
        keys = frozenset([each.key for each in new])
        plan = self.plan
        self.plan = replace(plan, forced=plan.forced | keys, grows_forced=plan.grows_forced | keys)
        return keys

    def _opened(self) -> Growing:
        """From now on the plan has parts of its own, which grow."""
        plan = self.plan
        self._growing = growing = Growing(plan.graph, plan.code)
        self._reasons = dict(plan.reasons)
        self._texts.update(plan.texts)
        self._look.statuses.update(plan.statuses)
        self.plan = replace(
            plan,
            graph=growing.graph,
            reasons=self._reasons,
            statuses=self._look.statuses,
            texts=self._texts,
        )
        return growing


def failed_growth(outcome: Outcome, error: Exception) -> Outcome:
    """The answer of a job whose task has returned specs that do not fit."""
    return replace(
        outcome,
        kind=OutcomeKind.FAILED,
        error=ErrorDetails(type(error).__name__, str(error), ""),
        exception=pickled_exception(error),
        failure=failure_kind(error),
    )
