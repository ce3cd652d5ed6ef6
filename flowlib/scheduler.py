"""
Decides which node may run next. Pure: no clock, no process, no store.

    waiting -> ready -> running -> done
                 ^         |----> parked  (another driver computes it) -> ready or done
                 |---------|----> paused  (it failed, and is tried again later) -> ready
                           |----> failed  (what reads from it -> skipped, unless it tolerates that)
                           |----> grown   (it has given more nodes, and waits for them) -> ready

Nodes that read from the same upstream wait behind one gate, so that two layers of 1,000 nodes
cost 2,000 steps and not a million.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType

from flowlib.demands import Demand, Grant
from flowlib.node import Node, Upstream
from flowlib.resources import ResourcePool
from stores.lazy_dataclass import dataclass

DemandOf = Callable[[Node], Demand]


@dataclass(slots=True, eq=False)
class _Gate:
    """Opens when the last of its nodes has ended, unless too many of them have failed.

    Attributes:
        allowed: How many may still fail.
        missing: How many have not ended.
        waiting: The nodes behind it, until it opens or they are skipped.
    """

    allowed: int
    missing: int = 0
    waiting: list[Node] = field(default_factory=list)


class Scheduler:
    """The state of one run: `take` what may start, tell what became of it, until `is_done`.

    Args:
        nodes: The nodes to run, predecessors first. Predecessors that are not among them
            count as done.
        pool: The resources of the run.
        demand_of: What each node needs; must fit into the pool.
        grown: What nodes wait for that have given more nodes in an earlier run, by key.
    """

    def __init__(
        self,
        nodes: Collection[Node],
        pool: ResourcePool,
        demand_of: DemandOf,
        grown: Mapping[str, Upstream] = MappingProxyType({}),
    ) -> None:
        self._pool = pool
        self._demand_of = demand_of
        self._order = {node.key: position for position, node in enumerate(nodes)}
        self._ready: dict[Demand, list[tuple[int, int, Node]]] = {}
        self._grants: dict[str, Grant] = {}
        self._parked: dict[str, Node] = {}
        self._paused: dict[str, Node] = {}
        self._open = len(self._order)  # nodes that have not come to their end
        self._gates: dict[str, list[_Gate]] = {}
        self._grown = dict(grown)
        self._failed: set[str] = set()
        self._finished: set[str] = set()
        self._is_stopped = False
        self._link(nodes)

    @property
    def is_done(self) -> bool:
        """Whether every node has come to its end, or the run was stopped and nothing runs."""
        if self._is_stopped:
            return not self._grants
        return self._open == 0

    @property
    def is_stopped(self) -> bool:
        """Whether nothing starts any more."""
        return self._is_stopped

    @property
    def running_count(self) -> int:
        """How many nodes are running."""
        return len(self._grants)

    @property
    def parked(self) -> list[Node]:
        """The nodes that other drivers compute."""
        return list(self._parked.values())

    def take(self, limit: int) -> list[tuple[Node, Grant]]:
        """Up to `limit` nodes that may start now, by priority, then in the order given.

        A node whose demand does not fit holds back all nodes after it that need some of the
        same kinds, so that large demands are met in the end.
        """
        taken: list[tuple[Node, Grant]] = []
        blocked: set[str] = set()
        heads = [(queue[0], demand, queue) for demand, queue in self._ready.items()]
        heapq.heapify(heads)
        while heads and len(taken) < limit and not self._is_stopped:
            _, demand, queue = heapq.heappop(heads)
            if blocked and demand.kinds & blocked:
                continue
            if not self._pool.fits(demand):
                blocked |= demand.kinds
                continue
            _, _, node = heapq.heappop(queue)
            grant = self._pool.take(demand)
            self._grants[node.key] = grant
            taken.append((node, grant))
            if queue:
                heapq.heappush(heads, (queue[0], demand, queue))
            else:
                del self._ready[demand]
        return taken

    def finish(self, node: Node) -> None:
        """`node` has its results: what waited for it may become ready."""
        self._leave(node)
        self._finished.add(node.key)
        for gate in self._gates.pop(node.key, ()):
            self._count_down(gate)

    def fail(self, node: Node) -> list[Node]:
        """`node` will have no results. Returns what is skipped: all that needs them.

        What tolerates the failure becomes ready when the last of its predecessors has ended.
        """
        self._leave(node)
        return self._skipped_by([node])

    def grow(self, node: Node, nodes: Sequence[Node], upstream: Upstream) -> list[Node]:
        """`node` has given more nodes: it gives back what it holds, and waits for some of them.

        Then it is ready once more. Returns what is skipped, because it needs what has failed.

        Args:
            node: It is running.
            nodes: Those that are to run and that were not known, predecessors first.
            upstream: What it waits for, among these or those that were known.
        """
        self._release(node)
        self._order.update((each.key, at) for at, each in enumerate(nodes, len(self._order)))
        self._open += len(nodes)
        self._grown[node.key] = upstream
        return self._link([*nodes, node])

    def _skipped_by(self, failed: list[Node]) -> list[Node]:
        """Skip what cannot do without these."""
        skipped: list[Node] = []
        stack = list(failed)
        self._failed.update(each.key for each in failed)
        while stack:
            for gate in self._gates.pop(stack.pop().key, ()):
                gate.allowed -= 1
                if gate.allowed < 0:
                    skipped += gate.waiting
                    stack += gate.waiting
                    self._failed.update(each.key for each in gate.waiting)
                    gate.waiting = []
                self._count_down(gate)
        self._open -= len(skipped)
        return sorted(skipped, key=lambda each: self._order[each.key])

    def _count_down(self, gate: _Gate) -> None:
        gate.missing -= 1
        if not gate.missing:
            for reader in gate.waiting:
                self._make_ready(reader)

    def pause(self, node: Node) -> None:
        """`node` failed: it gives back what it holds and waits until it is tried again."""
        self._release(node)
        self._paused[node.key] = node

    def resume(self, node: Node) -> None:
        """`node` has waited long enough after its failure: it is ready again."""
        del self._paused[node.key]
        self._make_ready(node)

    def park(self, node: Node) -> None:
        """`node` is computed by another driver: it gives back what it holds and waits."""
        self._release(node)
        self._parked[node.key] = node

    def unpark(self, node: Node) -> None:
        """`node` may be tried again."""
        del self._parked[node.key]
        self._make_ready(node)

    def stop(self) -> None:
        """Start nothing any more."""
        self._is_stopped = True

    def never_started(self) -> list[Node]:
        """After a stop: the nodes that are still ready, parked or paused."""
        ready = [node for queue in self._ready.values() for _, _, node in queue]
        return [*ready, *self._parked.values(), *self._paused.values()]

    def _link(self, nodes: Iterable[Node]) -> list[Node]:
        """Put nodes behind their gates. Returns those that need what has failed already."""
        gates: dict[tuple[int, int], tuple[Upstream, _Gate]] = {}
        skipped: list[Node] = []
        for node in nodes:
            upstream = node.upstream
            allowed = node.declaration.options.tolerance.allowed(len(upstream.nodes))
            if self._grown and node.key in self._grown:
                upstream, allowed = self._grown[node.key], 0
            entry = gates.get((id(upstream), allowed))
            if entry is None:
                gate = self._gate(upstream, allowed)
                entry = gates[id(upstream), allowed] = (upstream, gate)
            gate = entry[1]
            if gate.allowed < 0:
                self._open -= 1
                skipped += [node, *self._skipped_by([node])]
            elif gate.missing:
                gate.waiting.append(node)
            else:
                self._make_ready(node)
        return skipped

    def _gate(self, upstream: Upstream, allowed: int) -> _Gate:
        gate = _Gate(allowed)
        for predecessor in upstream.nodes:
            if predecessor.key in self._failed:
                gate.allowed -= 1
            elif predecessor.key in self._order and predecessor.key not in self._finished:
                gate.missing += 1
                self._gates.setdefault(predecessor.key, []).append(gate)
        return gate

    def _make_ready(self, node: Node) -> None:
        demand = self._demand_of(node)
        entry = (-node.declaration.options.priority, self._order[node.key], node)
        heapq.heappush(self._ready.setdefault(demand, []), entry)

    def _leave(self, node: Node) -> None:
        if node.key in self._parked:
            del self._parked[node.key]
        else:
            self._release(node)
        self._open -= 1

    def _release(self, node: Node) -> None:
        grant = self._grants.pop(node.key, None)
        if grant is None:
            raise RuntimeError(f"{node!r} is told to have ended, but it is not running")
        self._pool.give_back(grant)
