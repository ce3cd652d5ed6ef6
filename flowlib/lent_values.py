"""How does a task read values that were lent to it, in place of reading them from the store?

Only large ones are lent, as the bytes that the store has: what a task gets is the same either way.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from flowlib.pickle_rule import loads_pickles
from stores import Address, Artifact, ResultsStore, Status, StoreError, UniqueConfig
from stores.codec import codecs
from stores.encoding import codec_of
from stores.errors import UnknownPlugin
from stores.transfer import is_archive, loaded_stream

_LEAST_BYTES: Final = 1 << 16
"""What is smaller is read from the store sooner than it is asked for elsewhere."""


class LentValue:
    """The bytes of an artifact. Engines that can leave them where they are need not copy them.

    Args:
        artifact: What the record says of them.
        data: They.
    """

    __slots__ = ("artifact", "data")

    def __init__(self, artifact: Artifact, data: bytes | memoryview) -> None:
        self.artifact, self.data = artifact, data

    def __reduce_ex__(self, protocol: Any) -> tuple[object, ...]:
        data = pickle.PickleBuffer(self.data) if protocol >= pickle.HIGHEST_PROTOCOL else self.data
        return LentValue, (self.artifact, data)


Lent = Mapping[tuple[str, str], LentValue]
"""By the key of the record and the file of the artifact, which tells the attempt, too."""


class InputStore(Protocol):
    """What is asked for the inputs of a task; `ResultsStore` documents it."""

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]: ...
    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any: ...
    def unique_configs(self, addresses: Sequence[Address]) -> dict[str, UniqueConfig]: ...


def lendable_bytes(status: Status) -> int:
    """How many bytes of a record are worth lending."""
    return sum(each.size_bytes for each in status.artifacts if _is_lendable(each))


def lent_by(store: ResultsStore, address: Address) -> dict[tuple[str, str], LentValue]:
    """The large values of a record; none of those that the store cannot give now."""
    lent: dict[tuple[str, str], LentValue] = {}
    try:
        for status in store.statuses([address]).values():
            for each in filter(_is_lendable, status.artifacts):
                portable, stream = store.portable_stream(address, each)
                with stream:
                    lent[address.key, each.file or ""] = LentValue(portable, stream.read())
    except (StoreError, OSError):
        return lent  # who wants it asks the store itself, and hears why
    return lent


class BorrowingStore:
    """Gives what was lent, and asks the store for all else.

    Args:
        store: It.
        lent: Some of its values.
    """

    def __init__(self, store: ResultsStore, lent: Lent) -> None:
        self._store, self._lent = store, lent

    def statuses(self, addresses: Iterable[Address]) -> dict[str, Status]:
        """As that of the store."""
        return self._store.statuses(addresses)

    def unique_configs(self, addresses: Sequence[Address]) -> dict[str, UniqueConfig]:
        """As that of the store."""
        return self._store.unique_configs(addresses)

    def load_artifact(
        self,
        address: Address,
        attempt: int,
        artifact: Artifact,
        *,
        lazy: bool = False,
        **options: Any,
    ) -> Any:
        """As that of the store."""
        lent = self._lent.get((address.key, artifact.file or ""))
        if lent is None or lazy:
            return self._store.load_artifact(address, attempt, artifact, lazy=lazy, **options)
        codec = codec_of(address, artifact, allow_pickle=loads_pickles(self._store))
        return loaded_stream(address, lent.artifact, codec, io.BytesIO(lent.data), options)


def reading_from(store: ResultsStore, lent: Lent) -> InputStore:
    """Where a task reads: the store itself, unless something was lent."""
    return BorrowingStore(store, lent) if lent else store


def _is_lendable(artifact: Artifact) -> bool:
    """Whether an artifact is large, and of a type that is read from its bytes everywhere."""
    if artifact.file is None or artifact.size_bytes < _LEAST_BYTES:
        return False
    try:
        return not is_archive(codecs.find(artifact.type_)())
    except UnknownPlugin:
        return False
