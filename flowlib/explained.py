"""What is the same and what is different about a node, its record, and its nearest result?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from flowlib.earlier_records import Difference, Nearest, differences
from flowlib.node import Node
from flowlib.plan_facts import PlanFacts
from flowlib.plan_reasons import reason_of
from flowlib.progress_picture import took
from flowlib.run_folders import recorded_log
from stores import Record, TaskState
from stores.lazy_dataclass import dataclass

_MOST_SOURCES: Final = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known.

    Attributes:
        name: `config`.
        lines: What is known of it.
        document: The same as plain values; None if it is in the rest of the document.
        is_short: Whether it may share a line with others.
    """

    name: str
    lines: tuple[str, ...]
    document: Any = None
    is_short: bool = False


def of_config(plan: PlanFacts, node: Node, record: Record | None) -> Fact:
    """Whether the config is the recorded one, or else what differs from the nearest."""
    if record is not None:
        changed = differences(record, node, plan.texts[node.declaration])
        if not changed:
            return Fact("config", ("same",), _document(changed, None), is_short=True)
        text = f"{_listed(changed)} (a default was changed)"
        return Fact("config", (text,), _document(changed, None))
    near = plan.earlier.nearest(node)
    if near is None:
        text = f"the store has no other result of {node.name}"
        return Fact("config", (text,), _document((), None))
    among = "" if near.is_of_all else ", among the first that were looked at"
    words = _listed(near.differences) or f"the same as that of {near.address}"
    text = f"{words} (nearest {near.address}{among})" if near.differences else words
    return Fact("config", (text,), _document(near.differences, near))


def of_upstream(plan: PlanFacts, node: Node, record: Record | None) -> Fact:
    """Which inputs are others than those that were read."""
    sources = node.upstream.nodes
    if not sources:
        return Fact("upstream", ("none",), {"changed": []}, is_short=True)
    near = plan.earlier.nearest(node) if record is None else None
    changed = [*_changed_sources(plan, node, record, near)]
    if not changed:
        text = f"{_sameness(record, near)} ({len(sources)} result{'s' * (len(sources) > 1)})"
        return Fact("upstream", (text,), {"changed": []}, is_short=True)
    lines = tuple(f"{id_} {what}" for id_, what in changed[:_MOST_SOURCES])
    hidden = len(changed) - len(lines)
    more = (f"and {hidden} more",) if hidden else ()
    document = {"changed": [{"id": id_, "what": what} for id_, what in changed]}
    return Fact("upstream", (*lines, *more), document)


def of_version(plan: PlanFacts, node: Node, record: Record | None) -> Fact:
    """The version of the task, and that of the nearest result."""
    version = node.declaration.version
    now = None if version is None else str(version)
    near = plan.earlier.nearest(node) if record is None else None
    is_other = near is not None and near.version is not None
    before = (near.version.before or None) if near and near.version else now
    text = f"{before or 'none'} → {now or 'none'}" if is_other else now or "none"
    return Fact("version", (text,), {"before": before, "now": now}, is_short=not is_other)


def of_last(record: Record | None) -> Iterator[Fact]:
    """How the last attempt ended."""
    if record is None:
        return
    attempt = record.latest
    words = [_STATE_WORDS.get(attempt.state, attempt.state.value)]
    words += [moment(attempt.ended)] if attempt.ended is not None else []
    words += [f"in run {attempt.run.run_name}"] if attempt.run is not None else []
    if attempt.duration_s is not None:
        words.append(f"after {took(attempt.duration_s)}")
    error = attempt.error
    told = "" if error is None else f": {error.type_}: {_last_line(error.message)}"
    document = {
        "attempt": attempt.number,
        "state": attempt.state.value,
        "ended": attempt.ended,
        "run": None if attempt.run is None else attempt.run.run_name,
        "duration_s": attempt.duration_s,
        "error": None if error is None else {"type": error.type_, "message": error.message},
    }
    yield Fact("last", (" ".join(words) + told.rstrip(": "),), document)


def of_log(plan: PlanFacts, record: Record | None) -> Iterator[Fact]:
    """Where the output of the last attempt is, if it is still there."""
    log = None if record is None else recorded_log(plan.store, record.latest.provenance)
    if log is not None:
        yield Fact("log", (log,), log)


_STATE_WORDS: Final = {TaskState.KILLED: "interrupted", TaskState.UPSTREAM_FAILED: "skipped"}


def _sameness(record: Record | None, near: Nearest | None) -> str:
    """How the inputs compare, if none of them is to be named."""
    if record is None and near is None:
        return "nothing to compare with"
    return "same" if near is None or near.has_same_upstream else f"fewer than {near.address} read"


def _changed_sources(
    plan: PlanFacts, node: Node, record: Record | None, near: Nearest | None
) -> Iterator[tuple[str, str]]:
    """The predecessors that are, or will be, others than those that were read; and how."""
    attempt = None if record is None else record.finished or record.latest
    read = {} if attempt is None else {i.address.key: i.attempt for i in attempt.inputs}
    for each in node.upstream.nodes:
        status, id_ = plan.statuses.get(each.key), str(each.address)
        if each.key in plan.reasons:
            yield id_, f"would run ({reason_of(plan, each)})"
        elif near is not None and each.key not in near.upstream:
            yield id_, f"is another one than {near.address} read"
        elif attempt is None or status is None:
            continue
        elif each.key not in read:
            yield id_, "was not there when it was computed"
        elif read[each.key] != status.attempt:
            yield id_, f"was computed again since (attempt {read[each.key]} → {status.attempt})"


def _document(changed: tuple[Difference, ...], near: Nearest | None) -> dict[str, Any]:
    return {
        "differences": [{"path": d.path, "before": d.before, "now": d.now} for d in changed],
        "nearest": None if near is None else str(near.address),
        "has_same_upstream": None if near is None else near.has_same_upstream,
    }


def _listed(changed: tuple[Difference, ...]) -> str:
    return ", ".join(map(str, changed))


def moment(seconds: float) -> str:
    """A date and a time of day, here."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
