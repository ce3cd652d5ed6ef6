"""What has to run for what is wanted of a graph, and why? One plan of one graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from flowlib.code_changes import CodeChanges, note_on
from flowlib.comparison import Comparison, is_older_than_input
from flowlib.earlier_records import EarlierRecords
from flowlib.graph import TaskGraph
from flowlib.growth import in_running_order
from flowlib.needed import OwnReason, needed_by, needed_by_all, serving, without_skipped
from flowlib.node import Node, Upstream, lineage
from flowlib.plan import Plan
from flowlib.reasons import Reason
from flowlib.recorded import RecordedConfig
from flowlib.regrowth import GrownNeeds, OwnReasons, pruned
from flowlib.versions import nodes_of_other_version
from flowlib.wishes import Look, Wanted
from stores import ResultsStore, Status


class Planner:
    """Makes the plan of a graph in which everything is that is known.

    Args:
        graph: It.
        store: Where results are looked for.
        look: What was asked of it so far.
        wanted: What is wanted.
        code: Tells whose code has changed.
    """

    def __init__(
        self,
        graph: TaskGraph,
        store: ResultsStore,
        look: Look,
        wanted: Wanted,
        code: CodeChanges,
    ) -> None:
        self._graph = graph
        self._store = store
        self._look = look
        self._wanted = wanted
        self._code = code
        self._statuses: Mapping[str, Status] = {}
        self._texts = {each: RecordedConfig(each) for each in graph.declarations}
        self._void: set[str] = set()

    def plan(self, base: TaskGraph) -> Plan:
        """The plan.

        Args:
            base: The graph without what was grown.
        """
        wanted = self._wanted
        missing = self._missing()
        if self._void:
            self._graph = pruned(self._graph, base, self._void)
            missing = {key: why for key, why in missing.items() if key in self._graph.nodes}
        graph = self._graph
        reasons = self._runnable(missing)
        left_out = self._left_out(missing, reasons)
        earlier = EarlierRecords(self._store, graph.by_spec, self._statuses, self._texts)
        if any(declaration.version is not None for declaration in self._texts):
            new = [graph.nodes[key] for key, reason in reasons.items() if reason is Reason.NEW]
            for key in nodes_of_other_version(new, self._store, earlier):
                reasons[key] = Reason.VERSION
        changed = self._code.used(
            key for key in graph.nodes if key not in reasons and key not in left_out
        )
        return Plan(
            graph=graph,
            store=self._store,
            reasons=reasons,
            statuses=self._statuses,
            stale=tuple(self._stale(reasons, left_out)),
            forced=wanted.forced.keys,
            grows_forced=wanted.forced.leading | wanted.forced.spread,
            regrown=frozenset(self._void),
            code_changes=self._code,
            texts=self._texts,
            earlier=earlier,
            left_out=left_out,
            targets=wanted.targets,
            skipped=wanted.skipped,
            notes=(*wanted.notes, *self._notes(reasons), *note_on(changed)),
            changed=changed,
            code=self._code.fingerprints,
        )

    def _missing(self) -> dict[str, Reason]:
        """What has to run for what is wanted, in running order."""
        graph, wanted, look = self._graph, self._wanted, self._look
        if graph.growths:
            return self._missing_of_grown()
        if wanted.targets is None:
            self._statuses = look.at_all()
            return needed_by_all(graph, self._own_reason(), wanted.kept)
        targets = [node for node in graph if node.key in wanted.targets]
        self._statuses = look.at(targets)
        own = look.remembered(self._own_reason())
        running = [node for node in targets if own(node) is not None]
        while True:
            look.at(list(lineage(running)))
            found = needed_by(targets, own, wanted.kept)
            running = [graph.nodes[key] for key in found]
            if look.was_at(lineage(running)):  # else something spread to another target
                return {key: found[key] for key in graph.nodes if key in found}

    def _missing_of_grown(self) -> dict[str, Reason]:
        """The same where tasks have grown others."""
        wanted, self._statuses = self._wanted, self._look.at_all()
        comparison = Comparison(self._store, self._statuses, self._texts, self._code, wanted.kept)
        own = OwnReasons(comparison, self._graph, wanted.forced)
        needs = GrownNeeds(self._graph, self._statuses, own.of, wanted.kept)
        found: dict[str, Reason] = {}
        needs.note(found, in_running_order(self._graph, self._graph.growths))
        self._void = needs.void
        return found if wanted.targets is None else serving(self._as_run(), found, wanted.targets)

    def _as_run(self) -> Iterable[Node]:
        """The nodes as they run: one that has grown reads from what it has grown as well."""
        graph = self._graph
        if not graph.growths:
            return graph
        valid = {key: each for key, each in graph.growths.items() if key not in self._void}
        return [
            replace(
                node,
                upstream=Upstream((*node.upstream.nodes, *valid[node.key].upstream.nodes)),
            )
            if node.key in valid
            else node
            for node in in_running_order(graph, valid)
        ]

    def _own_reason(self) -> OwnReason:
        """Why a node has to run, whatever becomes of its predecessors."""
        comparison = Comparison(
            self._store, self._statuses, self._texts, self._code, self._wanted.kept
        )
        forced = self._wanted.forced
        if not forced.keys:
            return comparison.reason

        def own(node: Node) -> Reason | None:
            if node.key in forced.named:
                return Reason.FORCE
            reason = comparison.reason(node)
            return Reason.UPSTREAM if reason is None and node.key in forced.spread else reason

        return own

    def _runnable(self, missing: dict[str, Reason]) -> dict[str, Reason]:
        """What of it can run, although some is skipped."""
        wanted = self._wanted
        if not wanted.skipped:
            return missing
        nodes = list(self._as_run())
        left = without_skipped(nodes, missing, wanted.skipped)
        return left if wanted.targets is None else serving(nodes, left, wanted.targets)

    def _left_out(
        self, missing: Mapping[str, Reason], reasons: Mapping[str, Reason]
    ) -> frozenset[str]:
        """What is not wanted, is skipped, or cannot run because of that."""
        targets, skipped = self._wanted.targets, self._wanted.skipped
        if targets is None and not skipped:
            return frozenset()
        out = skipped | missing.keys()
        return frozenset(
            key
            for key in self._graph.nodes
            if key not in reasons and (key in out or (targets is not None and key not in targets))
        )

    def _stale(self, reasons: Mapping[str, Reason], left_out: frozenset[str]) -> Iterator[Node]:
        """Results that count although their inputs were computed again."""
        statuses, is_partial = self._statuses, self._wanted.targets is not None
        for node in self._graph if statuses else ():
            status = statuses.get(node.key)
            if node.key in reasons or status is None or node.key in left_out:
                continue
            if is_partial and any(each.key not in statuses for each in node.upstream.nodes):
                continue  # they were not looked at
            if is_older_than_input(node, status, statuses, reasons):
                yield node

    def _notes(self, reasons: Mapping[str, Reason]) -> Iterator[str]:
        """What was to be kept, and is not there."""
        kept = self._wanted.kept
        lost = [key for key in reasons if key in kept and reasons[key] is not Reason.FORCE]
        if lost:
            has = "has" if len(lost) == 1 else "have"
            yield f"keep: {len(lost)} of {len(kept)} tasks {has} no result to keep"
