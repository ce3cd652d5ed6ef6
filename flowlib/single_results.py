"""
Is the result of one call there, and what is it?

The shortest way through a plan: one node that reads nothing, one look into the store, and the same
comparison as for a whole graph.
"""

from __future__ import annotations

import functools
import logging
import sys
import time
from typing import Any, Final

from flowlib.calls import Call
from flowlib.code_changes import CodeChanges, note_on
from flowlib.comparison import Comparison
from flowlib.declaration import Declaration
from flowlib.fingerprint import Fingerprints
from flowlib.identity import node_key
from flowlib.node import Node, Upstream
from flowlib.recorded import RecordedConfig
from flowlib.restoring import node_value
from flowlib.store_choice import task_around
from stores import ArtifactDamaged, ArtifactMissing, Input, ResultsStore, Status

_log = logging.getLogger("flowlib")
_NOTHING_READ: Final = Upstream()
_told: set[str] = set()


def single_node(call: Call[Any]) -> Node | None:
    """The node of a call; None if it reads from specs, is several, or names its store."""
    only, declaration = call.only, call.declaration()
    if only is None or only.reads or declaration.reduce or declaration.options.store is not None:
        return None
    name = call.label or call.name
    key = node_key(declaration, only.arguments, "")
    return Node(declaration, key, name, 0, only.arguments, _NOTHING_READ)


def status_in(store: ResultsStore, node: Node) -> Status | None:
    """What a store knows of the result of a node; None if that does not count.

    Raises:
        CodeChanged: other code has made it, and that is to be an error.
    """
    statuses = store.statuses([node.address])
    status = statuses.get(node.key)
    if status is None:
        return None
    code = CodeChanges(fingerprints=present_code())
    comparison = Comparison(store, statuses, {node.declaration: _texts_of(node.declaration)}, code)
    if comparison.reason(node) is not None:
        return None
    tell_changed_code(code.used([node.key]))
    return status


def value_in(store: ResultsStore, node: Node) -> tuple[bool, Any]:
    """Whether a store has the result of a node, and the value; a damaged one is not there.

    A task that asks has read it.

    Raises:
        CodeChanged: other code has made it, and that is to be an error.
    """
    status = status_in(store, node)
    if status is None:
        return False, None
    try:
        value = node_value(node, store, status, [])
    except (ArtifactMissing, ArtifactDamaged):
        return False, None
    note_reading(store, node, status.attempt)
    return True, value


def note_reading(store: ResultsStore, node: Node, attempt: int) -> None:
    """Note for the record of the task around this call, if there is one, what it has read.

    A record can only name others of its own store.
    """
    reading = task_around()
    if reading is not None and reading.store is store:
        reading.inputs[node.key] = Input(node.name, node.address, attempt)


def tell_changed_code(changed: tuple[Node, ...]) -> None:
    """Say once for each task that results of other code are used."""
    new = tuple(each for each in changed if each.name not in _told)
    _told.update(each.name for each in new)
    for note in note_on(new):
        _log.warning("%s", note)


def present_code() -> Fingerprints | None:
    """What the code says; looked at anew after a second, or at once where people redefine it."""
    is_interactive = getattr(sys.modules.get("__main__"), "__file__", None) is None
    return None if is_interactive else _code_in(int(time.monotonic()))


@functools.lru_cache(maxsize=1)
def _code_in(second: int) -> Fingerprints:
    return Fingerprints()


@functools.lru_cache(maxsize=1024)
def _texts_of(declaration: Declaration) -> RecordedConfig:
    return RecordedConfig(declaration)
