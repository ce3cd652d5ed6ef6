"""Are two results the same? Byte by byte, else by value, as far as tolerances allow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from flowlib.distances import distance_of
from stores import Address, Artifact, ResultsStore, StoreError
from stores.codec import codecs
from stores.digests import blake2b
from stores.lazy_dataclass import dataclass

Tolerance = float | Mapping[str, float]
"""A relative tolerance for all types of values, or for each by its name; "" is all others."""

_CHUNK_BYTES: Final = 1 << 20


class Match(Enum):
    """How two artifacts of one name compare."""

    SAME = "the same bytes"
    EQUAL = "equal, with other bytes"
    CLOSE = "within the tolerance"
    DIFFERS = "differs"
    MISSING = "is missing"
    NEW = "was not there before"

    @property
    def is_good(self) -> bool:
        """Whether the result counts as the same."""
        return self in (Match.SAME, Match.EQUAL, Match.CLOSE)


@dataclass(frozen=True, slots=True)
class ComparedArtifact:
    """Two artifacts of one name.

    Attributes:
        name: Its name.
        type_: Name of its codec.
        match: How they compare.
        detail: What is to be said about that; empty if nothing is.
    """

    name: str
    type_: str
    match: Match
    detail: str = ""

    def to_dict(self) -> dict[str, str]:
        """All of it as plain values."""
        match = self.match.name.lower()
        return {"name": self.name, "type": self.type_, "match": match, "detail": self.detail}


def tolerance_for(tolerance: Tolerance, type_: str) -> float:
    """The relative tolerance of values of a type."""
    if isinstance(tolerance, Mapping):
        return tolerance.get(type_, tolerance.get("", 0.0))
    return tolerance


class Comparison:
    """Compares the artifacts of one address in two stores.

    Args:
        before: The store with the result of before.
        after: The store with the new one.
        rtol: How far numbers may differ, relative to the larger one.
        may_unpickle: Whether values may be loaded by code that their bytes name.
    """

    def __init__(
        self,
        before: ResultsStore,
        after: ResultsStore,
        *,
        rtol: Tolerance = 0.0,
        may_unpickle: bool = False,
    ) -> None:
        self._before = before
        self._after = after
        self._rtol = rtol
        self._may_unpickle = may_unpickle

    def of(self, address: Address) -> list[ComparedArtifact]:
        """The artifacts of the attempts that count, by name."""
        old, new = _artifacts(self._before, address), _artifacts(self._after, address)
        found = []
        for name in sorted(old.keys() | new.keys()):
            if name not in new:
                found.append(ComparedArtifact(name, old[name].type_, Match.MISSING))
            elif name not in old:
                found.append(ComparedArtifact(name, new[name].type_, Match.NEW))
            else:
                found.append(self._compared(address, old[name], new[name]))
        return found

    def _compared(self, address: Address, old: Artifact, new: Artifact) -> ComparedArtifact:
        name, type_ = old.name, old.type_
        if type_ != new.type_:
            detail = f"it was {type_} and is {new.type_}"
            return ComparedArtifact(name, type_, Match.DIFFERS, detail)
        if _digest(self._before, address, old) == _digest(self._after, address, new):
            return ComparedArtifact(name, type_, Match.SAME)
        if not self._may_unpickle and _unpickles(type_):
            detail = "the bytes differ; --unpickle compares the values"
            return ComparedArtifact(name, type_, Match.DIFFERS, detail)
        try:
            values = [
                store.load_artifact(address, 0, each)
                for store, each in ((self._before, old), (self._after, new))
            ]
        except Exception as error:  # noqa: BLE001  # a codec may run code of the user
            detail = f"the bytes differ, and the values cannot be loaded: {error}"
            return ComparedArtifact(name, type_, Match.DIFFERS, detail)
        return _verdict(name, type_, values, tolerance_for(self._rtol, type_))


def _verdict(name: str, type_: str, values: Sequence[object], tolerance: float) -> ComparedArtifact:
    distance = distance_of(values[0], values[1])
    if distance == 0:
        return ComparedArtifact(name, type_, Match.EQUAL)
    if math.isinf(distance):
        return ComparedArtifact(name, type_, Match.DIFFERS)
    detail = f"the largest relative difference is {distance:.2g}"
    match = Match.CLOSE if distance <= tolerance else Match.DIFFERS
    return ComparedArtifact(name, type_, match, detail)


def _unpickles(type_: str) -> bool:
    try:
        return codecs.find(type_).unpickles
    except StoreError:
        return True  # nobody here knows how to load it


def _artifacts(store: ResultsStore, address: Address) -> dict[str, Artifact]:
    record = store.record(address)
    counts = None if record is None else record.finished
    return {} if counts is None else {each.name: each for each in counts.artifacts}


def _digest(store: ResultsStore, address: Address, artifact: Artifact) -> str:
    """The digest of the bytes of an artifact; of a folder, over all in it."""
    if artifact.digest is not None:
        return artifact.digest
    digest = blake2b(digest_size=16)
    try:
        with store.artifact_stream(address, artifact) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except (StoreError, OSError) as error:
        return f"unreadable: {error}"
    return digest.hexdigest()
