"""Which stored results count for the present code and defaults, because somebody says so?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any, Final, overload

from flowlib.code_changes import code_of
from flowlib.code_texts import keep_texts
from flowlib.comparison import ACCEPTED, changed_defaults
from flowlib.declaration import Declaration
from flowlib.fingerprint import CODE, Fingerprints
from flowlib.flow_arguments import Selectors
from flowlib.graph import TaskGraph
from flowlib.node import Node
from flowlib.provenance import provenance
from flowlib.recorded import RecordedConfig
from flowlib.run_folders import code_folder
from flowlib.wishes import Look, StoreWords, selected
from stores import LeaseHeld, RecordMissing, ResultsStore, Status, TaskState
from stores.by_hand import amend
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class AcceptedResult:
    """A result that counts from now on.

    Attributes:
        id: `Train/9a7a08b2`.
        unique_name: `Train-12`.
        what: What was accepted: "code", "default", or both.
    """

    id: str
    unique_name: str
    what: tuple[str, ...]

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Accepted(Sequence[AcceptedResult]):
    """The results that were accepted, in the order of the flow.

    Attributes:
        results: They.
        valid: How many others of those that were meant have counted anyhow.
        left: The id and the reason of each that could not be accepted.
    """

    results: tuple[AcceptedResult, ...]
    valid: int = 0
    left: tuple[tuple[str, str], ...] = ()

    @overload
    def __getitem__(self, index: int) -> AcceptedResult: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AcceptedResult]: ...
    def __getitem__(self, index: int | slice) -> AcceptedResult | Sequence[AcceptedResult]:
        return self.results[index]

    def __len__(self) -> int:
        return len(self.results)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "accepted": [{"id": r.id, "name": r.unique_name, "what": [*r.what]} for r in self],
            "valid": self.valid,
            "left": [{"id": id_, "why": why} for id_, why in self.left],
        }

    def __str__(self) -> str:
        lines = [f"{each.id} accepted: {', '.join(each.what)}" for each in self]
        lines += [f"{id_} left as it is: {why}" for id_, why in self.left]
        return "\n".join(lines) or "there was nothing to accept"


def accept(graph: TaskGraph, store: ResultsStore, wanted: Selectors, project: str) -> Accepted:
    """Let results count for the present code and defaults; each record is changed in one step.

    Nothing but what a plan compares is changed: artifacts, times, provenance and the number of the
    attempt stay, and so does what was computed from it.

    Args:
        graph: The nodes.
        store: Where the results are.
        wanted: Selectors of the nodes, or "all".
        project: Name of the project, for stores that are no folders.

    Raises:
        SelectorError: a selector is none, or selects nothing.
        StoreError: the store cannot be written to.
    """
    look, origin = Look(graph, store), provenance(with_diff=False)
    keys = selected(graph, StoreWords(graph, store, look), "accept", wanted).keys
    nodes = [node for node in graph if node.key in keys]
    statuses, judge = look.at(nodes), _Judge(store)
    accepted, left, valid = [], [], 0
    for node in nodes:
        why, changes = judge.verdict(node, statuses.get(node.key))
        if changes and not why:
            why = _amended(store, node, statuses[node.key], changes, origin)
        if why:
            left.append((str(node.address), why))
        elif changes:
            what = tuple(_WORDS[name] for name in _WORDS if name in changes)
            accepted.append(AcceptedResult(str(node.address), node.unique_name, what))
        else:
            valid += 1
    if accepted:
        judge.keep_code(code_folder(store, project))
    return Accepted(tuple(accepted), valid, tuple(left))


_WORDS: Final = {CODE: "code", "defaults": "default"}
"""What facts tell of."""


class _Judge:
    """Tells which facts of results are not those of the present."""

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self._code = Fingerprints()
        self._codes: set[tuple[Callable[..., object], ...]] = set()
        self._texts: dict[Declaration, RecordedConfig] = {}

    def verdict(self, node: Node, status: Status | None) -> tuple[str, Mapping[str, str]]:
        """Why a result cannot be accepted, or the facts that are to be others."""
        if status is None:
            return "it has no result", {}
        if status.state is not TaskState.FINISHED:
            return "it has not finished", {}
        if status.missing or status.damaged:
            return f"{(*status.missing, *status.damaged)[0]} is gone or damaged", {}
        return "", {**self._code_of(node, status), **self._defaults(node, status)}

    def keep_code(self, folder: Path) -> None:
        """Write down what the accepted code says, for the differences of later times."""
        found = [self._code.of(*code) for code in self._codes]
        with contextlib.suppress(OSError):
            keep_texts(folder, [each for each in found if each is not None])

    def _code_of(self, node: Node, status: Status) -> dict[str, str]:
        code = code_of(node)
        self._codes.add(code)
        fact = self._code.fact(*code)
        return {CODE: fact} if fact and status.facts.get(CODE) != fact else {}

    def _defaults(self, node: Node, status: Status) -> dict[str, str]:
        declaration = node.declaration
        if declaration not in self._texts:
            self._texts[declaration] = RecordedConfig(declaration)
        texts = self._texts[declaration]
        changed = changed_defaults(node, status, texts, self._store)
        if not changed:
            return {}
        known = ",".join(f"{quoted(name)}:{text}" for name, text in sorted(changed.items()))
        return {"defaults": texts.defaults_digest(node.arguments), ACCEPTED: f"{{{known}}}"}


def _amended(
    store: ResultsStore,
    node: Node,
    status: Status,
    changes: Mapping[str, str],
    origin: Mapping[str, object],
) -> str:
    """Change the facts of a result; why that cannot be done, if it cannot."""
    try:
        attempt = store.begin(node.address)
    except LeaseHeld:
        return "it is being computed"
    record = attempt.previous
    counts = None if record is None else record.finished
    if counts is not None and counts.number != status.attempt:
        attempt.abandon()
        return "it was computed again meanwhile"
    facts = {**(counts.facts if counts is not None else {}), **changes}
    told = {"facts": dict(changes), "at": time.time()}
    try:
        amend(attempt, facts, {**origin, ACCEPTED: told})
    except RecordMissing:
        return "it lies in a store that is only read"
    return ""
