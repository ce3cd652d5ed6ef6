"""What would run, and why: the graph compared with the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from flowlib.declaration import Declaration
from flowlib.errors import NothingSelected, nearest
from flowlib.graph import TaskGraph
from flowlib.job import WITHOUT
from flowlib.node import Node
from flowlib.reasons import EXPLANATIONS, Reason
from flowlib.recorded import RecordedConfig
from stores import Status


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        graph: The nodes.
        reasons: Why each node that would run would run, by key, in running order.
        statuses: What the store knows, by key.
        stale: Cached nodes whose inputs were computed again after them.
        forced: Keys of the nodes that were forced.
        texts: The recorded texts of each spec, kept for the run.
    """

    graph: TaskGraph
    reasons: Mapping[str, Reason]
    statuses: Mapping[str, Status]
    stale: tuple[Node, ...]
    forced: frozenset[str]
    texts: Mapping[Declaration, RecordedConfig] = field(repr=False)

    @property
    def to_run(self) -> list[Node]:
        """The nodes that would run, predecessors first."""
        return [self.graph.nodes[key] for key in self.reasons]

    @property
    def cached(self) -> list[Node]:
        """The nodes whose results are in the store."""
        return [node for node in self.graph if node.key not in self.reasons]

    def why(self, name: str) -> str:
        """One sentence about a node: its unique name, or `Train/9a7a08b2`.

        Raises:
            NothingSelected: there is no such node.
        """
        node = self._node(name)
        reason = self.reasons.get(node.key)
        if reason is None:
            return f"{node.unique_name} is cached: attempt {self.statuses[node.key].attempt}"
        status = self.statuses.get(node.key)
        without = "" if status is None else status.facts.get(WITHOUT, "")
        if reason is Reason.UPSTREAM and without:
            count = without.partition(" ")[0]
            return f"{node.unique_name} would run: {count} of its inputs failed or lacked some"
        return f"{node.unique_name} would run: {EXPLANATIONS[reason]}"

    def rows(self) -> list[tuple[str, int, int, int, str]]:
        """Per spec: name, nodes, cached, to run, reasons with their counts."""
        rows = []
        for name, nodes in self.graph.by_spec.items():
            why = Counter(self.reasons[n.key].value for n in nodes if n.key in self.reasons)
            count = sum(why.values())
            text = "  ".join(f"{reason} ×{n}" for reason, n in why.most_common())
            rows.append((name, len(nodes), len(nodes) - count, count, text))
        return rows

    def _repr_html_(self) -> str:
        from flowlib.page_table import page_table

        names = ", ".join(sorted({node.name for node in self.stale}))
        note = f"older than their input: {names}"[:200] if names else ""
        rows = self.rows()
        total = ("total", *(sum(int(row[i]) for row in rows) for i in (1, 2, 3)), "")
        return page_table(("spec", "tasks", "cached", "run", "why"), [total, *rows], note)

    def __str__(self) -> str:
        rows = self.rows()
        tasks, cached, run = (sum(int(row[i]) for row in rows) for i in (1, 2, 3))
        total = ("total", tasks, cached, run, "")
        width = max(len("total"), *(len(row[0]) for row in rows))
        lines = [f" {'spec':<{width}}  tasks  cached    run  why"]
        for name, tasks, cached, run, why in [*rows, total]:
            line = f" {name:<{width}}  {tasks:>5}  {cached or '':>6}  {run or '':>5}  {why}"
            lines.append(line.rstrip())
        if self.stale:
            names = ", ".join(sorted({node.name for node in self.stale}))
            lines.append(
                f" note: {len(self.stale)} cached tasks are older than their input: {names}"
            )
        return "\n".join(lines)

    def _node(self, name: str) -> Node:
        for node in self.graph:
            if name in (node.unique_name, node.key) or _is_prefix(name, node):
                return node
        raise NothingSelected(
            f"the flow has no node {name!r}.{nearest(name, [n.unique_name for n in self.graph])}"
        )


def _is_prefix(name: str, node: Node) -> bool:
    spec, slash, prefix = name.partition("/")
    return bool(slash and prefix) and spec == node.name and node.key.startswith(prefix)
