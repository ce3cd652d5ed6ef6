"""What would run, and why: the graph compared with the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from flowlib.bulk import paused_collection
from flowlib.declaration import Declaration
from flowlib.errors import SelectorError, nearest
from flowlib.graph import TaskGraph
from flowlib.job import WITHOUT
from flowlib.node import Node
from flowlib.recorded import RecordedConfig, parameter_texts
from flowlib.selection import Selected, select
from stores import Input, ResultsStore, Status, TaskState, canonical


class Reason(str, Enum):
    """Why a node would run; the first that applies."""

    FORCE = "force"
    NEW = "new"
    MISSING = "missing"
    DAMAGED = "damaged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DEFAULT = "default"
    UPSTREAM = "upstream"


SPREADING = frozenset({Reason.DEFAULT, Reason.UPSTREAM})
"""Reasons that make the results of everything downstream out of date."""


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
            SelectorError: there is no such node.
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
        return f"{node.unique_name} would run: {_EXPLANATIONS[reason]}"

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
        raise SelectorError(
            f"the flow has no node {name!r}.{nearest(name, [n.unique_name for n in self.graph])}"
        )


def _is_prefix(name: str, node: Node) -> bool:
    spec, slash, prefix = name.partition("/")
    return bool(slash and prefix) and spec == node.name and node.key.startswith(prefix)


_EXPLANATIONS: Mapping[Reason, str] = {
    Reason.FORCE: "it is forced",
    Reason.NEW: "the store has no result for this configuration",
    Reason.MISSING: "a file of its result is gone",
    Reason.DAMAGED: "a file of its result is damaged",
    Reason.FAILED: "it failed the last time",
    Reason.INTERRUPTED: "it was interrupted the last time",
    Reason.DEFAULT: "a default of the task was changed since",
    Reason.UPSTREAM: "something upstream is computed again",
}


def make_plan(
    graph: TaskGraph, store: ResultsStore, force: str | Sequence[str] | None = None
) -> Plan:
    """Compare `graph` with `store`, which is asked once for all nodes.

    Raises:
        SelectorError: `force` names an unknown spec.
        TypeError: `force` is neither a name nor a list of names, or mixes "all" with names.
    """
    forced = forced_nodes(graph, force)
    with paused_collection():
        return _plan(graph, store, forced)


def _plan(graph: TaskGraph, store: ResultsStore, forced: Selected) -> Plan:
    statuses = store.statuses([node.address for node in graph])
    texts = {
        nodes[0].declaration: RecordedConfig(nodes[0].declaration)
        for nodes in graph.by_spec.values()
        if nodes
    }
    reasons: dict[str, Reason] = {}
    stale: list[Node] = []
    for node in graph:
        status = statuses.get(node.key)
        if node.key in forced.named:
            reason: Reason | None = Reason.FORCE
        elif node.key in forced.spread:
            reason = Reason.UPSTREAM
        else:
            reason = _reason(node, status, reasons, store, texts)
        if reason is not None:
            reasons[node.key] = reason
        elif status is not None and _is_older_than_input(node, status, statuses, reasons):
            stale.append(node)
    return Plan(graph, reasons, statuses, tuple(stale), forced.keys, texts)


def _reason(
    node: Node,
    status: Status | None,
    reasons: Mapping[str, Reason],
    store: ResultsStore,
    texts: Mapping[Declaration, RecordedConfig],
) -> Reason | None:
    if status is None:
        return Reason.NEW
    if status.state is not TaskState.FINISHED:
        return _unfinished(status)
    if status.missing or status.damaged:
        return Reason.MISSING if status.missing else Reason.DAMAGED
    if _has_changed_default(node, status, store, texts[node.declaration]):
        return Reason.DEFAULT
    is_spread = reasons and any(reasons.get(n.key) in SPREADING for n in node.upstream.nodes)
    return Reason.UPSTREAM if is_spread or WITHOUT in status.facts else None


def _unfinished(status: Status) -> Reason:
    if status.latest_state is TaskState.FAILED:
        return Reason.FAILED
    if status.latest_state in (TaskState.SAVED, TaskState.UPSTREAM_FAILED):
        return Reason.NEW  # it has never been tried
    return Reason.INTERRUPTED


def _has_changed_default(
    node: Node, status: Status, store: ResultsStore, texts: RecordedConfig
) -> bool:
    """Whether a parameter that both know has another value: its default was changed."""
    recorded_digest = status.facts.get("defaults", "")
    if recorded_digest == texts.defaults_digest(node.arguments):
        return False
    record = store.record(node.address)
    if record is None:
        return False
    recorded = parameter_texts(record.identity.config)
    requested = parameter_texts(texts.full(node.arguments))
    return any(recorded[name] != requested[name] for name in recorded.keys() & requested.keys())


def _is_older_than_input(
    node: Node,
    status: Status,
    statuses: Mapping[str, Status],
    reasons: Mapping[str, Reason],
) -> bool:
    """Whether an input was computed again after this node, or is about to be."""
    if not node.upstream.nodes:
        return False
    if reasons and any(reasons.get(each.key) is Reason.FORCE for each in node.upstream.nodes):
        return True
    attempts = [statuses[n.key].attempt if n.key in statuses else 1 for n in node.upstream.nodes]
    if "inputs" not in status.facts and all(attempt == 1 for attempt in attempts):
        return False
    pairs = zip(node.upstream.nodes, attempts, strict=True)
    inputs = [Input(n.name, n.address, attempt) for n, attempt in pairs]
    return status.facts.get("inputs", "") != inputs_fact(inputs)


def inputs_fact(inputs: Iterable[Input]) -> str:
    """A digest of which attempts were read; empty when all were first attempts."""
    later = sorted(f"{i.address.key}#{i.attempt}" for i in inputs if i.attempt != 1)
    return canonical.digest(",".join(later))[:12] if later else ""


def without_fact(keys: Iterable[str]) -> str:
    """How many inputs an attempt lacked, or had incomplete, and which; empty if it had all."""
    lacking = sorted(keys)
    return f"{len(lacking)} {canonical.digest(','.join(lacking))[:12]}" if lacking else ""


def forced_nodes(graph: TaskGraph, force: str | Sequence[str] | None) -> Selected:
    """The nodes that `force` selects.

    Raises:
        SelectorError: a selector is none, or selects nothing.
        TypeError: `force` is of another type, or mixes "all" with selectors.
    """
    if force is None:
        return Selected(frozenset(), frozenset())
    if isinstance(force, str):
        texts = [force]
    elif isinstance(force, (list, tuple, set, frozenset)):
        texts = [str(each) for each in force]
    else:
        raise TypeError(f"force takes a selector or a list of them, not {type(force).__name__}")
    if "all" in texts and "all" not in graph.by_spec:
        if len(texts) > 1:
            raise TypeError("force='all' forces everything: give it alone, or names without it")
        return Selected(frozenset(graph.nodes), frozenset())
    try:
        return select(graph, texts)
    except SelectorError as error:
        raise SelectorError(f"force: {error}") from None
