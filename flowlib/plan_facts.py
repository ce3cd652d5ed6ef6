"""What does a plan hold? Plain data, which tables, estimates and explanations read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from flowlib.code_changes import CodeChanges
from flowlib.declaration import Declaration
from flowlib.earlier_records import EarlierRecords
from flowlib.fingerprint import Fingerprints
from flowlib.graph import TaskGraph
from flowlib.node import Node
from flowlib.reasons import Reason
from flowlib.recorded import RecordedConfig
from flowlib.signature import may_return_specs
from stores import ResultsStore, Status
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a run would do.

    Attributes:
        graph: The nodes.
        store: Where results are looked for.
        reasons: Why each node that would run would run, by key, in running order.
        statuses: What the store knows of the nodes that were looked at, by key.
        stale: Cached nodes whose inputs were computed again after them.
        forced: Keys of the nodes that were forced.
        texts: The recorded texts of each spec, kept for the run.
        left_out: Keys of the nodes that are not wanted, and need not run for those that are.
        targets: Keys of the nodes that were asked for; None is all.
        skipped: Keys of the nodes that are not to run.
        notes: What to say beside the table.
        changed: Cached nodes whose code has changed since, where that is to be told.
        code: Finds the present code of tasks, when it is asked.
        earlier: Finds earlier results that are like new ones, when it is asked.
        grows_forced: Keys of nodes that are forced, and so is what they return if that is specs.
        regrown: Keys of nodes that have returned specs, and would run again.
        code_changes: Finds what has to run because of its code.
        num_workers: How many tasks would run at once; None if nothing was said.
        title: What is planned, for the table.
    """

    graph: TaskGraph
    store: ResultsStore = field(repr=False)
    reasons: Mapping[str, Reason]
    statuses: Mapping[str, Status]
    stale: tuple[Node, ...]
    forced: frozenset[str]
    texts: Mapping[Declaration, RecordedConfig] = field(repr=False)
    earlier: EarlierRecords = field(repr=False)
    left_out: frozenset[str] = frozenset()
    targets: frozenset[str] | None = None
    skipped: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    changed: tuple[Node, ...] = ()
    code: Fingerprints = field(default_factory=Fingerprints, repr=False)
    grows_forced: frozenset[str] = frozenset()
    regrown: frozenset[str] = frozenset()
    code_changes: CodeChanges | None = field(default=None, repr=False)
    num_workers: int | None = None
    title: str = ""

    @property
    def unknown(self) -> list[str]:
        """Names of the specs that may add more tasks when they run: nobody knows how many."""
        graph, running = self.graph, [key for key in self.reasons if key not in self.graph.growths]
        found = {graph.nodes[key].declaration: None for key in running}
        names = [each.name for each in found if may_return_specs(each.task)]
        names += [graph.nodes[key].name for key in self.regrown if key in self.reasons]
        return sorted({*names})

    @property
    def workers(self) -> int:
        """How many tasks would run at once."""
        return workers_for(self.graph, self.num_workers)


def workers_for(graph: TaskGraph, wanted: int | None) -> int:
    """The number of workers: as wanted, or this process's CPUs, but not more than can be busy."""
    return wanted or max(1, min(_usable_cpus(), graph.widest_level()))


def _usable_cpus() -> int:
    """As many as this process may use: `taskset`, SLURM and containers may leave it a few."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


CACHED: Final = "cached"
LEFT_OUT: Final = "left_out"
PENDING: Final = "pending"
