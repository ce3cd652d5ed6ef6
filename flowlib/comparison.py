"""Does what the store knows of a node still hold? One node at a time, without its predecessors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from flowlib.code_changes import CodeChanges
from flowlib.declaration import Declaration
from flowlib.grown import NOTHING, OWN_WITHOUT
from flowlib.job import WITHOUT
from flowlib.node import Node
from flowlib.reasons import Reason
from flowlib.recorded import RecordedConfig, parameter_texts
from flowlib.restoring import is_valid, validates
from stores import Input, ResultsStore, Status, TaskState, canonical

ACCEPTED: Final = "accepted"
"""The fact that tells for which values of parameters a result was accepted."""


class Comparison:
    """Compares the nodes of one graph with what the store knows.

    Args:
        store: It; a record is read only where its status leaves a doubt.
        statuses: What it has told in one look, by key.
        texts: The recorded texts of each spec.
        code: Tells whether the code of a node has changed.
        kept: Keys of nodes whose success counts, whatever is different now.
    """

    def __init__(
        self,
        store: ResultsStore,
        statuses: Mapping[str, Status],
        texts: Mapping[Declaration, RecordedConfig],
        code: CodeChanges,
        kept: Collection[str] = (),
    ) -> None:
        self._store = store
        self._statuses = statuses
        self._texts = texts
        self._code = code
        self._kept = kept
        self._validated: dict[object, bool] = {}  # by task: whether it has a `validate`

    def reason(self, node: Node) -> Reason | None:
        """Why a node has to run, whatever becomes of its predecessors; None if it need not."""
        status = self._statuses.get(node.key)
        if status is None:
            return Reason.NEW
        if status.state is not TaskState.FINISHED:
            return _unfinished(status)
        if status.missing or status.damaged:
            return Reason.MISSING if status.missing else Reason.DAMAGED
        if node.key in self._kept:
            return None
        if self._is_refused(node, status):
            return Reason.INVALID
        return self._outdated(node, status)

    def _is_refused(self, node: Node, status: Status) -> bool:
        """Whether the task itself says that a success does not count."""
        task = node.declaration.task
        if task not in self._validated:
            self._validated[task] = validates(task)
        return self._validated[task] and not is_valid(node, self._store, status)

    def reason_to_grow(self, node: Node) -> Reason | None:
        """Why a task has to run that has returned specs: what they give is another question."""
        status = self._statuses.get(node.key)
        if status is None:
            return Reason.NEW
        if node.key in self._kept:
            return None
        lacked = status.facts.get(OWN_WITHOUT) or status.facts.get(WITHOUT) or NOTHING
        return self._changed(node, status) or (None if lacked == NOTHING else Reason.UPSTREAM)

    def _outdated(self, node: Node, status: Status) -> Reason | None:
        """Why a success does not count any more."""
        return self._changed(node, status) or (Reason.UPSTREAM if WITHOUT in status.facts else None)

    def _changed(self, node: Node, status: Status) -> Reason | None:
        """What of the task is different now."""
        if self._has_changed_default(node, status):
            return Reason.DEFAULT
        if self._code.is_outdated(node, status):
            return Reason.CODE
        return None

    def _has_changed_default(self, node: Node, status: Status) -> bool:
        texts = self._texts[node.declaration]
        return bool(changed_defaults(node, status, texts, self._store))


def changed_defaults(
    node: Node, status: Status, texts: RecordedConfig, store: ResultsStore
) -> dict[str, str]:
    """The parameters that both know and that have another value: their defaults were changed."""
    if status.facts.get("defaults", "") == texts.defaults_digest(node.arguments):
        return {}
    record = store.record(node.address)
    if record is None:
        return {}
    recorded = parameter_texts(record.identity.config)
    recorded |= parameter_texts(status.facts.get(ACCEPTED, "{}"))
    requested = parameter_texts(texts.full(node.arguments))
    return {name: text for name, text in requested.items() if recorded.get(name, text) != text}


def is_older_than_input(
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


def _unfinished(status: Status) -> Reason:
    if status.latest_state is TaskState.FAILED:
        return Reason.FAILED
    if status.latest_state in (TaskState.SAVED, TaskState.UPSTREAM_FAILED):
        return Reason.NEW  # it has never been tried
    return Reason.INTERRUPTED
