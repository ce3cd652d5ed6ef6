"""What has to run so that the wanted nodes have their results? Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from flowlib.node import Node, Upstream
from flowlib.reasons import SPREADING, Reason

OwnReason = Callable[[Node], Reason | None]
"""Why a node has to run, whatever becomes of its predecessors."""


def needed_by_all(
    nodes: Iterable[Node], own: OwnReason, kept: Collection[str] = ()
) -> dict[str, Reason]:
    """Why which of `nodes` have to run if all are wanted, in their order.

    Args:
        nodes: Predecessors first.
        own: Asked once for each.
        kept: Keys of those whose results count whatever becomes of their predecessors.
    """
    reasons: dict[str, Reason] = {}
    for node in nodes:
        reason = own(node)
        if reason is None and reasons and node.key not in kept:
            reason = _spread_to(node.upstream, reasons)
        if reason is not None:
            reasons[node.key] = reason
    return reasons


def needed_by(
    targets: Iterable[Node], own: OwnReason, kept: Collection[str] = ()
) -> dict[str, Reason]:
    """Why which nodes have to run so that `targets` have their results, in no order.

    A predecessor is looked at only if something that has to run reads from it: what is upstream
    of a result that counts is never asked about. The cost is linear in what is looked at.

    Args:
        targets: The nodes that are wanted.
        own: Asked once for each node that is looked at.
        kept: As for `needed_by_all`.
    """
    return _Need(own, kept).of(targets)


class _Need:
    """Nodes that share their predecessors share a gate: it is opened, and spread through, once."""

    def __init__(self, own: OwnReason, kept: Collection[str]) -> None:
        self._own = own
        self._kept = kept
        self._reasons: dict[str, Reason] = {}
        self._looked: set[str] = set()
        self._gates: dict[str, list[Upstream]] = {}  # by the key of what is read
        self._readers: dict[int, list[Node]] = {}  # by gate: what was looked at behind it
        self._opened: set[int] = set()
        self._spread: set[int] = set()

    def of(self, targets: Iterable[Node]) -> dict[str, Reason]:
        stack = list(targets)
        while stack:
            node = stack.pop()
            if node.key in self._looked:
                continue
            self._looked.add(node.key)
            self._stand_behind(node)
            reason = self._own(node)
            if reason is None and id(node.upstream) in self._spread:
                reason = None if node.key in self._kept else Reason.UPSTREAM
            if reason is not None:
                stack += self._runs(node, reason)
        return self._reasons

    def _stand_behind(self, node: Node) -> None:
        gate = node.upstream
        if id(gate) not in self._readers:
            self._readers[id(gate)] = []
            for each in gate.nodes:
                self._gates.setdefault(each.key, []).append(gate)
            if _spread_to(gate, self._reasons) is not None:
                self._spread.add(id(gate))
        self._readers[id(gate)].append(node)

    def _runs(self, node: Node, reason: Reason) -> Iterator[Node]:
        """Note that a node runs, and what follows; yields what has to be looked at now."""
        stack = [(node, reason)]
        while stack:
            node, reason = stack.pop()
            self._reasons[node.key] = reason
            if id(node.upstream) not in self._opened:
                self._opened.add(id(node.upstream))
                yield from node.upstream.nodes
            if reason in SPREADING:
                stack += [(each, Reason.UPSTREAM) for each in self._newly_outdated(node)]

    def _newly_outdated(self, node: Node) -> Iterator[Node]:
        for gate in self._gates.get(node.key, ()):
            if id(gate) not in self._spread:
                self._spread.add(id(gate))
                for reader in self._readers[id(gate)]:
                    if reader.key not in self._reasons and reader.key not in self._kept:
                        yield reader


def without_skipped(
    nodes: Iterable[Node], reasons: Mapping[str, Reason], skipped: Collection[str]
) -> dict[str, Reason]:
    """The `reasons` of what still can run if those `skipped` do not.

    What would read from something that should run, but does not, cannot.

    Args:
        nodes: All of them, predecessors first.
        reasons: Why which of them have to run.
        skipped: Keys of the nodes that do not run.
    """
    blocked: set[str] = set()
    is_blocked: dict[int, bool] = {}
    left: dict[str, Reason] = {}
    for node in nodes:
        if node.key not in reasons:
            continue
        gate = node.upstream
        if id(gate) not in is_blocked:
            is_blocked[id(gate)] = any(each.key in blocked for each in gate.nodes)
        if node.key in skipped or is_blocked[id(gate)]:
            blocked.add(node.key)
        else:
            left[node.key] = reasons[node.key]
    return left


def serving(
    nodes: Iterable[Node], reasons: Mapping[str, Reason], targets: Collection[str]
) -> dict[str, Reason]:
    """The `reasons` of what is wanted itself, or is read by something that is and has to run.

    Args:
        nodes: All of them, predecessors first.
        reasons: Why which of them have to run.
        targets: Keys of the nodes that are wanted.
    """
    read: set[str] = set()
    opened: set[int] = set()
    for node in reversed(list(nodes)):
        if node.key not in reasons or not (node.key in targets or node.key in read):
            continue
        read.add(node.key)
        if id(node.upstream) not in opened:
            opened.add(id(node.upstream))
            read.update(each.key for each in node.upstream.nodes)
    return {key: reason for key, reason in reasons.items() if key in read}


def _spread_to(upstream: Upstream, reasons: Mapping[str, Reason]) -> Reason | None:
    is_spread = any(reasons.get(each.key) in SPREADING for each in upstream.nodes)
    return Reason.UPSTREAM if is_spread else None
