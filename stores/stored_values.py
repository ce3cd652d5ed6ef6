"""What does `store["Train/9a7a08b2"]["model"]` give? The values of one task, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stores import matching
from stores.errors import ArtifactMissing, RecordMissing
from stores.primitives import StorePrimitives
from stores.record import Address, Record


class StoredValues(Mapping[str, Any]):
    """The values of the attempt that counts, each loaded when it is asked for.

    Attributes:
        record: What the store knew of the task when it was asked.
    """

    def __init__(self, store: StorePrimitives, record: Record) -> None:
        self.record = record
        self._store = store
        self._found = matching.artifacts_in_force(record)

    def __getitem__(self, name: str) -> Any:
        """The value.

        Raises:
            ArtifactMissing: nothing of that name counts.
            ArtifactDamaged: its bytes are gone or are not what was saved.
        """
        if name not in self._found:
            raise ArtifactMissing(self.record.address, name, self._found)
        attempt, artifact = self._found[name]
        return self._store.load_artifact(self.record.address, attempt.number, artifact)

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` if nothing of that name counts."""
        if name not in self:
            return default
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        state = self.record.state.value
        return f"<StoredValues of {self.record.address} {state}: {', '.join(self._found)}>"


def stored_values(store: StorePrimitives, task: str | Address) -> StoredValues:
    """The values of a task by name: `store["Train/9a7a08b2"]["model"]`.

    Args:
        store: The store.
        task: An id, whose key may be cut, or an address.

    Raises:
        RecordMissing: the store does not know it.
        AmbiguousConfig: several begin like this.
    """
    if not isinstance(task, (str, Address)):
        raise TypeError(f"a store is asked for a task by its id, as 'Train/9a7a08b2', not {task!r}")
    address = matching.find_by_prefix(task, store.addresses) if isinstance(task, str) else task
    record = store.record(address)
    if record is None:
        raise RecordMissing(f"{address} is not in {store!r}")
    return StoredValues(store, record)
