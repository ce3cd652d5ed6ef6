"""Which records stand on one page of a list, and how many are there? In an order, with a limit."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from stores.errors import QueryError, nearest
from stores.lazy_dataclass import dataclass
from stores.record import TaskState
from stores.summary import Summary

ORDERS: Final = ("when", "id", "state", "time")
"""When the attempt ended that counts; task and key; the state; how long it took."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked for. Those without a value in the order come last.

    Attributes:
        task: Name of the only task; None for all.
        states: The only states; None for all.
        sort: One of `ORDERS`; `-` for the largest first. The order of equal ones is fixed.
        limit: At most so many.
        offset: After so many.
        age_s: Where clocks are so coarse that a change may leave no trace at first, one of the last
            so many seconds may be missed, to save a listing of all.

    Raises:
        QueryError: there is no such order.
    """

    task: str | None = None
    states: frozenset[TaskState] | None = None
    sort: str = "-when"
    limit: int = 50
    offset: int = 0
    age_s: float = 0.0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            hint = nearest(self.order, ORDERS)
            raise QueryError(
                f"there is no order {self.sort!r}; choose of {', '.join(ORDERS)}.{hint}"
            )

    @property
    def order(self) -> str:
        """What it goes by."""
        return self.sort.removeprefix("-")

    @property
    def is_down(self) -> bool:
        """Whether the largest come first."""
        return self.sort.startswith("-")

    @property
    def end(self) -> int:
        """After how many the page ends."""
        return self.offset + self.limit


class Page(NamedTuple):
    """One page of a list.

    Attributes:
        summaries: In order; records that cannot be read are left out.
        total: How many records fit, exactly; those that cannot be read may be among them.
    """

    summaries: Sequence[Summary]
    total: int


def page_of(summaries: Iterable[Summary], wanted: Listing) -> Page:
    """One page of all records."""
    count = 0

    def fitting() -> Iterable[Summary]:
        nonlocal count
        for each in summaries:
            if wanted.states is None or TaskState(each.state) in wanted.states:
                count += 1
                yield each

    first = heapq.nsmallest(wanted.end, fitting(), key=_rank(wanted))
    return Page(first[wanted.offset :], count)


def _rank(wanted: Listing) -> Callable[[Summary], tuple[Any, ...]]:
    value = _VALUES[wanted.order]
    sign = -1 if wanted.is_down else 1

    def rank(each: Summary) -> tuple[Any, ...]:
        found = value(each)
        if isinstance(found, (int, float)):
            return 0, sign * found, each.address
        if found is None:
            return 1, each.address
        return 0, _Down(found) if wanted.is_down else found, each.address

    return rank


_VALUES: Final[dict[str, Callable[[Summary], Any]]] = {
    "when": lambda each: each.ended_at,
    "id": lambda each: each.address,
    "state": lambda each: each.state,
    "time": lambda each: each.duration_s,
}


class _Down:
    """Something that comes the sooner the larger it is."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Down) -> bool:
        return bool(self.value > other.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]  # only compared
