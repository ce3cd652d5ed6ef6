"""How is a plan made? The graph is compared with the store, which is asked in one look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from flowlib.bulk import paused_collection
from flowlib.code_changes import CodeChanges
from flowlib.comparison import Comparison
from flowlib.errors import NothingSelected
from flowlib.fingerprint import Fingerprints
from flowlib.graph import TaskGraph
from flowlib.growing import Growing
from flowlib.grown import GROWN
from flowlib.plan import Plan
from flowlib.planner import Planner
from flowlib.recorded import RecordedConfigs
from flowlib.regrowth import NOBODY, OwnReasons, regrow
from flowlib.selection import Selected
from flowlib.wishes import Look, Wanted, Wishes, wanted_of
from stores import ResultsStore


def make_plan(
    graph: TaskGraph,
    store: ResultsStore,
    wishes: Wishes,
    num_workers: int | None = None,
    title: str = "",
) -> Plan:
    """Compare `graph` with `store`.

    The store is asked once for all nodes; if only some are wanted for these, and once more if
    one of them is missing, for what is upstream of it.

    Raises:
        SelectorError: a wish selects nothing, or is no selector.
        TypeError: a wish is neither a selector nor a list of them, or mixes "all" with others.
        CodeChanged: the code of a result that is wanted has changed, and that is to be an error.
    """
    with paused_collection():
        look, code = Look(graph, store), CodeChanges(wishes.on_code_change)
        if wishes.only is None and wishes.resume is None:
            look.at_all()
        plan = GrownPlans(graph, store, look, code).made(
            lambda known: wanted_of(known, store, look, wishes)
        )
    return replace(plan, num_workers=num_workers, title=title)


def plan_for(
    graph: TaskGraph,
    store: ResultsStore,
    targets: Iterable[str],
    forced: Iterable[str] = (),
    fingerprints: Fingerprints | None = None,
) -> Plan:
    """Compare what is wanted of `graph`, and what is missing for it, with `store`.

    Args:
        graph: The nodes.
        store: Where results are looked for.
        targets: Keys of the nodes that are wanted.
        forced: Keys of the nodes that run again.
        fingerprints: What is known of the present code; None if it is to be found out.

    Raises:
        CodeChanged: as `make_plan`.
    """
    again = Selected(frozenset(forced), frozenset())
    wanted = Wanted(again, frozenset(targets), frozenset(), frozenset())
    with paused_collection():
        look = Look(graph, store)
        code = CodeChanges(fingerprints=fingerprints)
        return GrownPlans(graph, store, look, code).made(lambda known: wanted)


class GrownPlans:
    """Makes a plan of a graph, and of what its tasks have grown in earlier runs.

    Args:
        graph: Without what was grown.
        store: It.
        look: What was asked of it so far.
        code: Tells what has changed.
    """

    def __init__(
        self, graph: TaskGraph, store: ResultsStore, look: Look, code: CodeChanges
    ) -> None:
        self._base = graph
        self._store = store
        self._look = look
        self._code = code

    def made(self, wanted_of: Callable[[TaskGraph], Wanted]) -> Plan:
        """The plan of what is wanted.

        Args:
            wanted_of: Tells that, for the graph with all that is known to have been grown.

        Raises:
            SelectorError: what it raises, unless there is what it looks for when all is known.
        """
        graph = self._regrown(self._base)
        try:
            wanted = wanted_of(graph)
        except NothingSelected:
            self._look.at_all()
            if (known := self._regrown(graph)) is graph:
                raise
            graph, wanted = known, wanted_of(known)
        plan = self._planned(graph, wanted)
        while (known := self._regrown(graph)) is not graph:  # some was not looked at before
            graph = known
            plan = self._planned(graph, wanted_of(graph))
        return plan

    def _planned(self, graph: TaskGraph, wanted: Wanted) -> Plan:
        planner = Planner(graph, self._store, self._look, wanted, self._code)
        return planner.plan(self._base)

    def _regrown(self, graph: TaskGraph) -> TaskGraph:
        """The graph with what those of its nodes have grown that the store was asked for."""
        statuses = self._look.statuses
        if not any(
            GROWN in each.facts and key not in graph.growths for key, each in statuses.items()
        ):
            return graph
        growing = Growing(graph, self._code.fingerprints)
        texts = RecordedConfigs()
        comparison = Comparison(self._store, statuses, texts, self._code)
        nodes = [node for node in graph if node.key in statuses]
        added = regrow(
            growing, self._look, nodes, OwnReasons(comparison, graph, NOBODY).is_outdated
        )
        return growing.graph if added or len(growing.graph.growths) > len(graph.growths) else graph
