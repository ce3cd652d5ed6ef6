"""What becomes of a task that returns specs? They are kept; what they give is its value later."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Mapping
from typing import Any, Final

from flowlib.errors import RunError
from flowlib.items import PLAIN, Item, fields_of
from stores import Address, Artifact, ArtifactMissing, Input, OpenAttempt, Record, ResultsStore
from stores.lazy_dataclass import dataclass
from stores.matching import HIDDEN

GROWN: Final = "grown"
"""The fact that marks attempts of a task which has returned specs."""

SPECS: Final = f"{HIDDEN}specs"
"""The artifact in which these are kept."""

OWN_WITHOUT: Final = "own_without"
"""The fact that tells what the task lacked when it returned specs, whatever these lack."""

NOTHING: Final = "-"
"""It lacked nothing."""

_SETS: Final = frozenset({set, frozenset})
_CONTAINERS: Final = frozenset({list, tuple, dict, *_SETS})

_MISPLACED: Final = (
    "a task has returned a set of specs, or a dict that has some as its keys, in whose places "
    "nothing can be put: return a list, a tuple, a dict with other keys or a dataclass"
)


@dataclass(frozen=True, slots=True, eq=False)
class Specs:
    """What a task has returned, with specs in it.

    Attributes:
        returned: It.
        artifact: The artifact that holds it, as it travels.
        data: The bytes of that.
        facts: Of the attempt that has returned it.
    """

    returned: object
    artifact: Artifact
    data: bytes
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """What the last job of a task that has returned specs needs, beside what every job has.

    Attributes:
        value: What it has returned, with slots in the places of the specs.
        inputs: What belongs into the slots, under its role.
        artifact: Holds the specs themselves; it is kept with every attempt.
        data: The bytes of that.
    """

    value: object
    inputs: tuple[Input, ...]
    artifact: Artifact
    data: bytes

    def keep(self, attempt: OpenAttempt) -> None:
        """Save the specs with an attempt."""
        attempt.take(self.artifact, io.BytesIO(self.data))


def holds_specs(value: object) -> bool:
    """Whether something is a spec, or a part of one, or holds some.

    It may be a list, tuple, dict or dataclass. The cost is that of asking each member for its type.

    Raises:
        RunError: a set holds some, or the keys of a dict: nobody could put values there.
    """
    if type(value) in PLAIN:
        return False
    module = sys.modules.get("flowlib.spec")
    if module is None:  # then there is no spec
        return False
    kinds = (module.TaskSpec, Item)
    return _any_in(value, kinds) if _holds(type(value)) else isinstance(value, kinds)


def _any_in(container: Any, kinds: tuple[type, ...]) -> bool:
    """Whether something of these classes is in a container, at any depth."""
    stack, seen = [container], set()
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        members = _members(each, kinds)
        types = {*map(type, members)} - PLAIN
        if not types:
            continue
        if any(issubclass(kind, kinds) for kind in types - _CONTAINERS):
            if type(each) in _SETS:
                raise RunError(_MISPLACED)
            return True
        seen.add(id(each))
        if inner := {kind for kind in types if _holds(kind)}:
            stack += [member for member in members if type(member) in inner]
    return False


def _holds(kind: type) -> bool:
    return kind in _CONTAINERS or hasattr(kind, "__dataclass_fields__")


def _members(container: Any, kinds: tuple[type, ...]) -> Collection[Any]:
    """What may be a spec in a container of one of the types that are looked into."""
    if type(container) is dict:
        if any(issubclass(kind, kinds) for kind in {*map(type, container)} - PLAIN):
            raise RunError(_MISPLACED)
        return container.values()
    if type(container) in _CONTAINERS:
        members: Collection[Any] = container
        return members
    return [*(fields_of(container) or {}).values()]


def save_specs(returned: object, attempt: OpenAttempt) -> None:
    """Keep what a task has returned, with specs in it.

    Raises:
        RunError: the task has saved something itself.
        Unpicklable: the specs cannot be written.
    """
    if attempt.names:
        raise RunError(
            f"{attempt.address} returns specs, but has saved {', '.join(attempt.names)} as well: "
            f"the results of a task that returns specs are theirs, so return one or save the other"
        )
    attempt.save(returned, SPECS, "pickle")


def has_grown(record: Record | None, newer_than: int) -> int:
    """The number of the last attempt, if it has returned specs and is newer; else 0."""
    if record is None or GROWN not in record.latest.facts:
        return 0
    return record.latest.number if record.latest.number > newer_than else 0


def read_specs(store: ResultsStore, address: Address, number: int) -> Specs:
    """What a task has returned in an attempt, with specs in it.

    Raises:
        ArtifactMissing: the record does not tell of it any more.
        StoreError: it cannot be read.
    """
    record = store.record(address)
    for attempt in () if record is None else (record.finished, record.latest):
        if attempt is None or attempt.number != number:
            continue
        for artifact in attempt.artifacts:
            if artifact.name == SPECS:
                returned = store.load_artifact(address, number, artifact)
                with store.artifact_stream(address, artifact) as stream:
                    data = stream.read()
                return Specs(returned, store.portable(artifact), data, attempt.facts)
    raise ArtifactMissing(address, SPECS)
