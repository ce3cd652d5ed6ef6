"""Which running tasks have had more time than they may take?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowlib.executor import Workers
from flowlib.job import Job
from flowlib.node import Node


class TimeLimits:
    """Ends tasks that run too long.

    Args:
        workers: Those of the run.
        running: The nodes that run and their jobs, by key.
    """

    def __init__(self, workers: Workers, running: Mapping[str, tuple[Node, Job]]) -> None:
        self._workers = workers
        self._running = running
        self._are_any = False

    def note(self, nodes: Iterable[Node]) -> None:
        """These nodes may run from now on."""
        self._are_any |= any(n.declaration.options.timeout_s is not None for n in nodes)

    def kill_overdue(self) -> None:
        """End what has run for too long."""
        for node, job in self._running.values() if self._are_any else ():
            limit = node.declaration.options.timeout_s
            if limit is not None and (self._workers.running_s(job) or 0.0) > limit:
                self._workers.kill(job, f"it ran longer than its timeout of {limit:g} s")

    def next_s(self) -> float:
        """In how many seconds something may be overdue that is not."""
        found = float("inf")
        for node, job in self._running.values() if self._are_any else ():
            limit = node.declaration.options.timeout_s
            if limit is not None:
                found = min(found, limit - (self._workers.running_s(job) or 0.0))
        return found
