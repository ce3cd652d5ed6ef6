"""
How long would a plan take? From how long the same tasks took before.

A task that was computed before takes as long as then; a new one takes the mean of its spec, of the
nodes of the flow that have results or else of the earlier records that were looked at.

With m workers it takes at least max(work / m, longest chain): no schedule is shorter, and one that
never leaves a worker idle while a task could run is at most (2 - 1/m) times as long (R. L. Graham,
"Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl. Math. 17, 1969). That bound is what is
told. What tasks wait for beside workers, such as GPUs, is not considered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from flowlib.node import Node
from flowlib.plan_facts import PlanFacts
from stores import Status, TaskState
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What some tasks cost.

    Attributes:
        tasks: How many they are.
        stored: How many of them have results.
        spent_s: How long those took, as far as is known.
        expected_s: How long all of them take; None if that is known of none.
        unknown: Of how many nobody knows it.
    """

    tasks: int
    stored: int
    spent_s: float
    expected_s: float | None
    unknown: int


class Estimates:
    """Durations of the nodes of a plan."""

    def __init__(self, plan: PlanFacts) -> None:
        self._plan = plan
        self._means: dict[str, float | None] = {}

    def of(self, node: Node) -> float | None:
        """How long a node takes in seconds; None if nobody knows."""
        known = spent_s(self._plan.statuses.get(node.key))
        return self.mean_s(node.name) if known is None else known

    def mean_s(self, spec: str) -> float | None:
        """How long a task of a spec takes on average; None if nobody knows."""
        if spec not in self._means:
            mean = mean_s(self._plan.graph.by_spec[spec], self._plan.statuses)
            self._means[spec] = self._plan.earlier.mean_s(spec) if mean is None else mean
        return self._means[spec]

    def spec_s(self, spec: str) -> float | None:
        """How long all that would run of a spec takes; None if nobody knows, 0 for nothing."""
        reasons = self._plan.reasons
        found = [self.of(node) for node in self._plan.graph.by_spec[spec] if node.key in reasons]
        known = [each for each in found if each is not None]
        return None if found and not known else sum(known, 0.0)

    @property
    def is_complete(self) -> bool:
        """Whether it is known of every node that would run."""
        return all(each is not None for each in self._durations.values())

    @property
    def work_s(self) -> float:
        """How long all that would run takes one after the other, as far as is known."""
        return sum((each for each in self._durations.values() if each is not None), 0.0)

    @property
    def wall_s(self) -> float | None:
        """How long the run takes at least; None if nothing is known."""
        durations = self._durations
        if durations and all(each is None for each in durations.values()):
            return None
        return max(self.work_s / self._plan.workers, self._longest_chain_s())

    def cost(self, nodes: Iterable[Node]) -> Cost:
        """What `nodes` have cost, and cost again."""
        several = list(nodes)
        spent = [spent_s(self._plan.statuses.get(node.key)) for node in several]
        expected = [self.of(node) for node in several]
        known = [each for each in expected if each is not None]
        return Cost(
            len(several),
            sum(_has_result(self._plan.statuses.get(node.key)) for node in several),
            sum((each for each in spent if each is not None), 0.0),
            sum(known) if known else None,
            len(expected) - len(known),
        )

    @cached_property
    def _durations(self) -> Mapping[str, float | None]:
        nodes = self._plan.graph.nodes
        return {key: self.of(nodes[key]) for key in self._plan.reasons}

    def _longest_chain_s(self) -> float:
        ends: dict[str, float] = {}
        behind: dict[int, float] = {}  # by what is read: when the last of it has ended
        for key, duration_s in self._durations.items():
            upstream = self._plan.graph.nodes[key].upstream
            if id(upstream) not in behind:
                behind[id(upstream)] = max(
                    (ends.get(e.key, 0.0) for e in upstream.nodes), default=0
                )
            ends[key] = behind[id(upstream)] + (duration_s or 0.0)
        return max(ends.values(), default=0.0)


def mean_s(nodes: Iterable[Node], statuses: Mapping[str, Status]) -> float | None:
    """How long those of `nodes` that have results took on average; None if nobody knows."""
    found = [spent_s(statuses.get(node.key)) for node in nodes]
    known = [each for each in found if each is not None]
    return sum(known) / len(known) if known else None


def spent_s(status: Status | None) -> float | None:
    """How long a result took; None if there is none, or nobody knows."""
    return status.duration_s if status is not None and _has_result(status) else None


def _has_result(status: Status | None) -> bool:
    return status is not None and status.state is TaskState.FINISHED
