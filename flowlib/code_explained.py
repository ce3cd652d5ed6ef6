"""What does `why` say about the code of a node: the same, changed since when and where, unknown?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from flowlib.code_changes import code_of
from flowlib.code_difference import CodeDifference, code_difference
from flowlib.code_texts import kept_texts
from flowlib.comparison import ACCEPTED
from flowlib.explained import Fact, moment
from flowlib.fingerprint import CODE, differs
from flowlib.node import Node
from flowlib.plan_facts import PlanFacts
from flowlib.reasons import Reason
from flowlib.run_folders import code_folder
from flowlib.run_identity import UNCATEGORIZED
from stores import Attempt, Record

_MOST_LINES: Final = 40
"""Of a difference; the document of the explanation has all."""


def of_code(plan: PlanFacts, node: Node, record: Record | None) -> Iterator[Fact]:
    """Whether the code that made the last result is the present one, or else what differs."""
    if record is None:
        return
    attempt = record.finished or record.latest
    recorded, present = attempt.facts.get(CODE, ""), plan.code.of(*code_of(node))
    if present is None:
        yield _unknown("some of its source cannot be read")
    elif not recorded:
        yield _unknown("the record does not tell which code has made it")
    elif recorded == present.fact:
        yield Fact("code", ("same",), {"state": "same"}, is_short=True)
    elif not differs(recorded, present.fact):
        yield _unknown("another version of flowlib has written it down")
    else:
        folder = code_folder(plan.store, attempt.run.project_name if attempt.run else UNCATEGORIZED)
        difference = code_difference(kept_texts(folder, recorded), present)
        yield _changed(difference, *_since(record, attempt))


def cures_of_code(plan: PlanFacts, node: Node) -> Iterator[Fact]:
    """How to let an old result count for good, or how to compute it again."""
    id_ = str(node.address)
    if plan.reasons.get(node.key) in (Reason.CODE, Reason.DEFAULT):
        yield Fact("accept", (f"it counts for good after {_acceptance(id_)}",))
    elif any(each.key == node.key for each in plan.changed):
        again = 'on_code_change="rerun", or --on-code-change rerun'
        yield Fact("again", (f"it is used all the same; it is computed again with {again}",))
        yield Fact("accept", (f"nothing is said any more after {_acceptance(id_)}",))


def _acceptance(id_: str) -> str:
    return f"flow.accept({id_!r}), or flowlib accept {id_}"


def _unknown(why: str) -> Fact:
    return Fact("code", (f"unknown: {why}",), {"state": "unknown", "why": why})


def _changed(difference: CodeDifference, since: str, document: dict[str, Any]) -> Fact:
    lines = difference.texts()
    hidden = len(lines) - _MOST_LINES
    more = (f"… and {hidden} more lines",) if hidden > 0 else ()
    shown = (f"changed since {since}", *lines[:_MOST_LINES], *more)
    if difference.parts:
        shown = (f"{lines[0]} since {since}", *lines[1:_MOST_LINES], *more)
    return Fact("code", shown, {"state": "changed", **document, **difference.to_dict()})


def _since(record: Record, attempt: Attempt) -> tuple[str, dict[str, Any]]:
    """When the recorded code was the present one, as text and for programs."""
    told = record.latest.provenance.get(ACCEPTED)
    if isinstance(told, dict) and told.get("facts", {}).get(CODE) == attempt.facts.get(CODE):
        at = float(told["at"])
        return f"it was accepted ({moment(at)})", {"accepted": at, "run": None, "since": at}
    run = None if attempt.run is None else attempt.run.run_name
    words = [f"run {run}"] if run else ["it was computed"]
    words += [f"({moment(attempt.ended)})"] if attempt.ended is not None else []
    return " ".join(words), {"accepted": None, "run": run, "since": attempt.ended}
