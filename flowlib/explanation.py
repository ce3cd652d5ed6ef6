"""Why is a node to run, or not? What is the same, what is different, what it would cost."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flowlib.code_explained import cures_of_code, of_code
from flowlib.errors import NothingSelected, nearest
from flowlib.estimates import Cost, Estimates
from flowlib.explained import Fact, of_config, of_last, of_log, of_upstream, of_version
from flowlib.labels import TaskRefs
from flowlib.node import Node
from flowlib.plan_document import state_of
from flowlib.plan_facts import CACHED, PlanFacts
from flowlib.plan_reasons import lacked_inputs
from flowlib.plan_rows import estimate_text
from flowlib.reasons import EXPLANATIONS, KEEPABLE, Reason
from flowlib.selection import downstream, select
from flowlib.wishes import Look, StoreWords
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from flowlib.console_text import Line
    from flowlib.signs import Signs

_MOST_EXPLAINED: Final = 5
_ALIKE: Final = 3
"""So many digits of a key must be right for a hint."""

_BARE_KEY: Final = re.compile(r"[0-9a-f]{4,}")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one node is to run, or not.

    Attributes:
        id: `Train/9a7a08b2`.
        headline: What would happen to it, and why, in one sentence.
        facts: What is known beside that.
        document: All of it as plain values.
    """

    id: str
    headline: str
    facts: tuple[Fact, ...]
    document: dict[str, Any]

    def __str__(self) -> str:
        from flowlib.console_text import plain

        return plain(self.lines()).rstrip("\n")

    def lines(self, signs: Signs | None = None) -> list[Line]:
        """The headline and the facts, with colours."""
        from flowlib.explained_lines import explained_lines
        from flowlib.signs import UNICODE_SIGNS

        return explained_lines(self.headline, self.facts, signs or UNICODE_SIGNS)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values; docs/plan.md has the schema."""
        return self.document


@dataclass(frozen=True, slots=True)
class Why:
    """The explanations of the nodes that were asked for.

    Attributes:
        tasks: Those of the first few.
        hidden: How many more nodes were meant.
    """

    tasks: tuple[Explanation, ...]
    hidden: int = 0

    @property
    def headline(self) -> str:
        """The first sentence about the first node."""
        return self.tasks[0].headline

    def __str__(self) -> str:
        from flowlib.console_text import plain

        return plain(self.lines()).rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def lines(self, signs: Signs | None = None) -> list[Line]:
        """All explanations, with colours."""
        from flowlib.explained_lines import more_line

        lines: list[Line] = []
        for each in self.tasks:
            lines += [*([()] if lines else []), *each.lines(signs)]
        return [*lines, *([more_line(self.hidden)] if self.hidden else [])]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values; docs/plan.md has the schema."""
        return {"tasks": [each.to_dict() for each in self.tasks], "hidden": self.hidden}


def why(plan: PlanFacts, name: str) -> Why:
    """The explanation of what `name` means.

    Raises:
        SelectorError: it is no selector.
        NothingSelected: there is no such node; the message names the nearest.
    """
    nodes = _named(plan, name)
    shown = nodes[:_MOST_EXPLAINED]
    return Why(tuple(_explained(plan, node) for node in shown), len(nodes) - len(shown))


def cost_of(plan: PlanFacts, selectors: Sequence[str]) -> Cost:
    """What the nodes, and all that is downstream of them, have cost and cost again.

    Raises:
        SelectorError: a selector is none, or selects nothing.
    """
    keys = select(plan.graph, selectors, _words(plan)).keys
    return _cost(plan, keys)


def _named(plan: PlanFacts, name: str) -> list[Node]:
    for node in plan.graph:
        if name in (node.unique_name, node.key) and name not in plan.graph.by_spec:
            return [node]
    if _BARE_KEY.fullmatch(name) and name not in plan.graph.by_spec:
        nodes = [node for node in plan.graph if node.key.startswith(name)]
        if nodes:
            return nodes
    try:
        keys = select(plan.graph, [name], _words(plan)).keys
    except NothingSelected as error:
        hint = _nearest(plan, name)
        raise NothingSelected(
            f"the flow has no node {name!r}.{hint}" if hint else str(error)
        ) from None
    return [node for node in plan.graph if node.key in keys]


def _nearest(plan: PlanFacts, name: str) -> str:
    """A hint at the id that begins most like it, or at the nearest unique name; or nothing."""
    spec, slash, key = name.partition("/")
    if slash and spec in plan.graph.by_spec:
        alike = {
            _digits_alike(key, node.key): str(node.address)
            for node in reversed(plan.graph.by_spec[spec])
        }
        best = max(alike)
        return f" Did you mean {alike[best]}?" if best >= _ALIKE else ""
    return nearest(name, [node.unique_name for node in plan.graph])


def _digits_alike(one: str, other: str) -> int:
    """How many digits at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _words(plan: PlanFacts) -> StoreWords:
    return StoreWords(plan.graph, plan.store, Look(plan.graph, plan.store))


def _cost(plan: PlanFacts, keys: frozenset[str]) -> Cost:
    below = downstream(plan.graph, keys)
    nodes = [node for node in plan.graph if node.key in keys or node.key in below]
    new = [node.address for node in nodes if node.key in plan.left_out]
    statuses = {**plan.statuses, **plan.store.statuses(new)} if new else plan.statuses
    return Estimates(replace(plan, statuses=statuses)).cost(nodes)


def _explained(plan: PlanFacts, node: Node) -> Explanation:
    was_there = node.key in plan.statuses or node.key in plan.left_out  # when the plan was made
    record = plan.store.record(node.address) if was_there else None
    reason = plan.reasons.get(node.key)
    facts = (
        _task(plan, node),
        of_config(plan, node, record),
        of_upstream(plan, node, record),
        of_version(plan, node, record),
        *of_code(plan, node, record),
        *of_last(record),
        *of_log(plan, record),
        _costs(plan, node),
        *_cure(plan, node),
        *cures_of_code(plan, node),
    )
    state, headline = state_of(plan, node), _headline(plan, node)
    document = {
        "id": str(node.address),
        "key": node.key,
        "spec": node.name,
        "unique_name": node.unique_name,
        "state": state,
        "reason": None if reason is None else reason.value,
        "headline": headline,
    }
    document |= {fact.name: fact.document for fact in facts if fact.document is not None}
    return Explanation(str(node.address), headline, facts, document)


def _headline(plan: PlanFacts, node: Node) -> str:
    reason, lacked = plan.reasons.get(node.key), lacked_inputs(plan, node)
    if reason is Reason.UPSTREAM and lacked:
        return f"{node.address} would run: {lacked} of its inputs failed or lacked some"
    if reason is not None:
        return f"{node.address} would run: {EXPLANATIONS[reason]}"
    if state_of(plan, node) == CACHED:
        return f"{node.address} is cached: attempt {plan.statuses[node.key].attempt} counts"
    return f"{node.address} is left out: {_why_left_out(plan, node)}"


def _why_left_out(plan: PlanFacts, node: Node) -> str:
    if node.key in plan.skipped:
        return "it is to be skipped"
    if plan.targets is None or node.key in plan.targets:
        return "it needs a result of what is to be skipped"
    return "it is not wanted, and nothing that would run needs it"


def _task(plan: PlanFacts, node: Node) -> Fact:
    label = TaskRefs(plan.graph.by_spec).label(node)
    return Fact("task", (f"{node.unique_name}  {label}".rstrip(),))


def _costs(plan: PlanFacts, node: Node) -> Fact:
    own, all_ = Estimates(plan).of(node), _cost(plan, frozenset({node.key}))
    text = "nobody knows how long it takes" if own is None else f"{estimate_text(own)} to compute"
    if all_.tasks > 1:
        others = all_.tasks - 1
        count = f"{others} tasks that read from it" if others > 1 else "task that reads from it"
        more = " or more" if all_.unknown else ""
        text += f", {estimate_text(all_.expected_s)}{more} with the {count}"
    document = {
        "own_s": own,
        "tasks": all_.tasks,
        "stored": all_.stored,
        "spent_s": all_.spent_s,
        "expected_s": all_.expected_s,
        "unknown": all_.unknown,
    }
    return Fact("cost", (text,), document)


def _cure(plan: PlanFacts, node: Node) -> Iterator[Fact]:
    """How to do without computing it again."""
    if plan.reasons.get(node.key) in KEEPABLE and node.key not in plan.forced:
        id_ = str(node.address)
        yield Fact("keep", (f"the old result counts with keep={id_!r}, or --keep {id_}",))
