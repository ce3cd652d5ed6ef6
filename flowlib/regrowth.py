"""What had tasks grown in earlier runs, and what of that has to run? The graph and its reasons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from typing import Final

from flowlib.comparison import Comparison, inputs_fact
from flowlib.errors import FlowError
from flowlib.graph import TaskGraph
from flowlib.growing import Check, Growing
from flowlib.grown import GROWN, read_specs
from flowlib.growth import Growth
from flowlib.needed import OwnReason
from flowlib.node import Node, Upstream
from flowlib.reasons import SPREADING, Reason
from flowlib.selection import Selected
from flowlib.wishes import Look
from stores import Input, Status, StoreError, TaskState

_log = logging.getLogger("flowlib")


def regrow(
    growing: Growing,
    look: Look,
    nodes: Iterable[Node],
    is_outdated: Callable[[Node], bool],
    check: Check = lambda nodes: None,
) -> list[Node]:
    """Add what nodes had grown when they ran, and what that had grown, and so on.

    The store is asked once for each level. What cannot be read is left out and told.

    Args:
        growing: The graph.
        look: What is known of the nodes; the store is asked for what is new.
        nodes: Those to begin with.
        is_outdated: Whether the task of a node has to run again, so that what it had grown does
            not count.
        check: Raises for nodes that cannot be added.

    Returns:
        The nodes that are new.
    """
    added: list[Node] = []
    level = list(nodes)
    while level:
        new: list[Node] = []
        for node in level:
            status = look.statuses.get(node.key)
            if status is None or GROWN not in status.facts or node.key in growing.graph.growths:
                continue
            if is_outdated(node):
                continue
            try:
                specs = read_specs(look.store, node.address, status.attempt)
                new += growing.grow(node, specs, check).new
            except (StoreError, FlowError) as error:
                _log.warning("what %s has grown is not known: %s", node.unique_name, error)
        look.add(new)
        added += new
        level = new
    return added


def grown_fact(upstream: Upstream, attempts: Mapping[str, int]) -> str:
    """Which attempts gave the values of a task that has returned specs."""
    read = [Input(role, each.address, attempts.get(each.key, 0)) for role, each in upstream.by_role]
    return inputs_fact(read) or "1"


NOBODY: Final = Selected(frozenset(), frozenset())


class OwnReasons:
    """Why nodes have to run, whatever becomes of others.

    Args:
        comparison: Compares them with what the store knows.
        graph: Of one that has grown it is asked why its task itself has to run again.
        forced: What runs again in any case.
    """

    def __init__(self, comparison: Comparison, graph: TaskGraph, forced: Selected) -> None:
        self._comparison = comparison
        self._graph = graph
        self._forced = forced

    def of(self, node: Node) -> Reason | None:
        """The first reason that applies."""
        if node.key in self._forced.named:
            return Reason.FORCE
        if node.key in self._graph.growths:
            reason = self._comparison.reason_to_grow(node)
        else:
            reason = self._comparison.reason(node)
        return Reason.UPSTREAM if reason is None and node.key in self._forced.spread else reason

    def is_outdated(self, node: Node) -> bool:
        """Whether the task of a node that has grown has to run again."""
        return node.key in self._forced.keys or self._comparison.reason_to_grow(node) is not None


class GrownNeeds:
    """Finds out what of a graph has to run in which tasks have grown others.

    Args:
        graph: It.
        statuses: What the store knows of its nodes.
        own: Why a node has to run, whatever becomes of others; of one that has grown: why its
            task itself has to.
        kept: Keys of nodes whose success counts.

    Attributes:
        void: The nodes that have grown, and whose tasks have to run again all the same: what
            they will grow then is not known.
    """

    def __init__(
        self,
        graph: TaskGraph,
        statuses: Mapping[str, Status],
        own: OwnReason,
        kept: Collection[str] = (),
    ) -> None:
        self._graph = graph
        self._statuses = statuses
        self._own = own
        self._kept = kept
        self.void: set[str] = set()

    def note(self, reasons: MutableMapping[str, Reason], nodes: Iterable[Node]) -> None:
        """Add the reasons of nodes, which are in running order."""
        for node in nodes:
            reason = self._own(node)
            if reason is None and reasons and node.key not in self._kept:
                reason = _spread(node.upstream, reasons)
            growth = self._graph.growths.get(node.key)
            if growth is not None and reason is not None:
                self.void.add(node.key)
            elif growth is not None:
                reason = self._of_alias(node, growth, reasons)
            if reason is not None:
                reasons[node.key] = reason

    def _of_alias(self, node: Node, growth: Growth, reasons: Mapping[str, Reason]) -> Reason | None:
        """Why the results of a node have to be put together again from what it has grown."""
        status = self._statuses[node.key]
        is_finished = status.state is TaskState.FINISHED
        if is_finished and node.key in self._kept:
            return None
        if _spread(growth.upstream, reasons) is not None:
            return Reason.UPSTREAM
        if not is_finished or any(each.key in reasons for each in growth.upstream.nodes):
            return Reason.GROWTH
        if status.missing or status.damaged:
            return Reason.MISSING if status.missing else Reason.DAMAGED
        attempts = {
            each.key: self._statuses[each.key].attempt
            for each in growth.upstream.nodes
            if each.key in self._statuses
        }
        is_same = status.facts[GROWN] == grown_fact(growth.upstream, attempts)
        return None if is_same else Reason.GROWTH


def pruned(graph: TaskGraph, base: Iterable[Node], void: Collection[str]) -> TaskGraph:
    """A graph without what only nodes have grown whose tasks run again.

    Args:
        graph: With all that is known.
        base: The nodes that nothing has grown.
        void: Keys of the nodes whose growth does not count.
    """
    kept: dict[str, Node] = {}
    stack = list(base)
    growths = {key: each for key, each in graph.growths.items() if key not in void}
    while stack:
        node = stack.pop()
        if node.key not in kept:
            kept[node.key] = node
            stack += node.upstream.nodes
            if node.key in growths:
                stack += growths[node.key].upstream.nodes
    by_spec = {
        name: tuple([node for node in nodes if node.key in kept])
        for name, nodes in graph.by_spec.items()
    }
    return TaskGraph(
        nodes={key: node for key, node in graph.nodes.items() if key in kept},
        by_spec={name: nodes for name, nodes in by_spec.items() if nodes},
        spec_edges={name: read for name, read in graph.spec_edges.items() if by_spec.get(name)},
        labelled=graph.labelled,
        growths={key: each for key, each in growths.items() if key in kept},
        later=graph.later,
        later_of=graph.later_of,
    )


def _spread(upstream: Upstream, reasons: Mapping[str, Reason]) -> Reason | None:
    is_spread = any(reasons.get(each.key) in SPREADING for each in upstream.nodes)
    return Reason.UPSTREAM if is_spread else None
