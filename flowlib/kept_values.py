"""Which values does an engine keep for the tasks that read them? The last ones, up to a size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from flowlib.amounts import amount_of
from flowlib.job import Job
from flowlib.lent_values import lendable_bytes
from stores import Address, ResultsStore, Status
from stores.lazy_dataclass import dataclass

Reference = TypeVar("Reference")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Reference]):
    """The values of one record: how large they are, and where; None where they are small."""

    size_bytes: int
    reference: Reference | None


class KeptValues(Generic[Reference]):
    """Has values loaded once, by the first task that reads them, and knows where they are.

    Args:
        store: Where the records are.
        limit_bytes: So much is kept; what was read the longest time ago is let go first.
        load: Makes the engine load the large values of a record; gives a reference to them.
    """

    def __init__(
        self, store: ResultsStore, limit_bytes: int, load: Callable[[Address], Reference]
    ) -> None:
        self._store, self._limit_bytes, self._load = store, limit_bytes, load
        self._kept: dict[tuple[str, int], _Kept[Reference]] = {}
        self._total_bytes = 0

    def of(self, job: Job) -> list[Reference]:
        """References to the large values that a job reads."""
        if not self._limit_bytes:
            return []
        read = {(each.address.key, each.attempt): each.address for each in job.inputs}
        new = [address for known, address in read.items() if known not in self._kept]
        statuses = self._store.statuses(new) if new else {}
        found = [self._of(known, address, statuses) for known, address in read.items()]
        self._shrink()
        return [each for each in found if each is not None]

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._total_bytes = 0

    def _of(
        self, known: tuple[str, int], address: Address, statuses: Mapping[str, Status]
    ) -> Reference | None:
        kept = self._kept.pop(known, None)
        if kept is None:
            status = statuses.get(address.key)
            size = 0 if status is None else lendable_bytes(status)
            kept = _Kept(size, self._load(address) if 0 < size <= self._limit_bytes else None)
            self._total_bytes += size if kept.reference is not None else 0
        self._kept[known] = kept  # the last is the one that was read last
        return kept.reference

    def _shrink(self) -> None:
        while self._total_bytes > self._limit_bytes:
            oldest = next(iter(self._kept))
            kept = self._kept.pop(oldest)
            self._total_bytes -= kept.size_bytes if kept.reference is not None else 0


def limit_of(size: int | str) -> int:
    """So many bytes: `4_000_000_000`, or `"4GB"`.

    Raises:
        ValueError: it is no size.
    """
    amount = amount_of(size)
    if amount is None:
        raise ValueError(f"keep_values is {size!r}; give a number of bytes, or a size as '4GB'")
    return int(amount.value)
