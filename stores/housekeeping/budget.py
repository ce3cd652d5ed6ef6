"""What goes first when room is short? What costs least to compute again, for the room it takes."""

from __future__ import annotations

import heapq
from collections.abc import Collection

from stores.housekeeping.snapshot import Item, Snapshot
from stores.record import Address


def cheapest(known: Snapshot, present: Collection[Address], excess_bytes: int) -> list[Address]:
    """Which of the records that are present have to go, so that so many bytes become free.

    To compute a record again, what it was computed from and is gone has to be computed first:
    its cost grows when that goes.
    """
    gone: dict[Address, float] = {}
    heap = [(_price(known[each], gone), each) for each in present if known[each].size_bytes]
    heapq.heapify(heap)
    chosen: list[Address] = []
    while excess_bytes > 0 and heap:
        price, address = heapq.heappop(heap)
        now = _price(known[address], gone)
        if now > price:  # something it needs has gone since
            heapq.heappush(heap, (now, address))
            continue
        item = known[address]
        gone[address] = now * item.size_bytes
        chosen.append(address)
        excess_bytes -= item.size_bytes
    return chosen


def _price(item: Item, gone: dict[Address, float]) -> float:
    """Seconds per byte."""
    cost_s = item.duration_s + sum(gone.get(source, 0.0) for source in item.sources)
    return cost_s / item.size_bytes
