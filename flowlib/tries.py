"""How has each node failed so far, and when is it tried again? No clock in it."""

from __future__ import annotations

import heapq
from typing import Final

from flowlib.job import Outcome
from flowlib.node import Node
from flowlib.policy import FailureKind, Preemption

_NEVER: Final = float("inf")


class Tries:
    """The failures of the nodes of a run, and those nodes that wait for their next try.

    Args:
        preemption: How often a node is tried again whose process was taken away.
    """

    def __init__(self, preemption: Preemption) -> None:
        self._preemption = preemption
        self._failures: dict[str, list[FailureKind]] = {}
        self._paused: list[tuple[float, int, Node]] = []  # a heap: when, which of them, who
        self._pauses = 0

    @property
    def wake_at(self) -> float:
        """When the next node is to be tried again."""
        return self._paused[0][0] if self._paused else _NEVER

    def note(self, node: Node, outcome: Outcome) -> float | None:
        """A node has failed: the pause before its next try; None if there is none."""
        failures = self._failures.setdefault(node.key, [])
        kind = outcome.failure or FailureKind.EXCEPTION
        failures.append(self._preemption.kind_of(kind, outcome.ended_by))
        retries = node.declaration.options.retries
        allowed = retries.allow(failures, self._preemption)
        return retries.pause_after(len(failures)) if allowed else None

    def has_failed(self, node: Node) -> bool:
        """Whether a node has failed in this run."""
        return node.key in self._failures

    def kind(self, node: Node) -> str:
        """In which way a node has failed the last time: the value of a `FailureKind`."""
        return self._failures[node.key][-1].value

    def pause(self, node: Node, until: float) -> None:
        """A node waits for its next try."""
        self._pauses += 1
        heapq.heappush(self._paused, (until, self._pauses, node))

    def due(self, now: float) -> list[Node]:
        """The nodes whose pauses are over; they wait no longer."""
        found = []
        while self._paused and now >= self._paused[0][0]:
            found.append(heapq.heappop(self._paused)[2])
        return found
