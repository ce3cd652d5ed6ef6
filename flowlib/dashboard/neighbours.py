"""What has read a result, and what did it read? From the rows in memory, not from every record."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.orders import sorted_apart
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.record_story import Neighbour
from stores import Address


def readers_of(
    answers: Answers, stock: Stock, address: Address, most: int | None = None
) -> list[Row]:
    """The rows that have read a record, by task and key.

    Args:
        answers: Answers questions.
        stock: What is known.
        address: Of the record.
        most: So many of the first are wanted; None for all.
    """
    found = readers(answers, stock).get((address.task, address.key), ())
    if most is not None:
        return heapq.nsmallest(most, found, key=_place)
    return [*sorted_apart(found, _place)]


def _place(row: Row) -> tuple[str, str]:
    return row.task, row.key


def reader_count(answers: Answers, stock: Stock, address: Address) -> int:
    """How many rows have read a record."""
    return len(readers(answers, stock).get((address.task, address.key), ()))


def readers(answers: Answers, stock: Stock) -> Mapping[tuple[str, str], Sequence[Row]]:
    """For each record, by task and key, the rows that have read it."""

    def find() -> Mapping[tuple[str, str], Sequence[Row]]:
        found: dict[tuple[str, str], list[Row]] = {}
        for rows in stock.tasks.values():
            for row in rows.values():
                for each in dict.fromkeys(row.inputs):
                    found.setdefault(each, []).append(row)
        return found

    made: Mapping[tuple[str, str], Sequence[Row]] = answers.remembered("readers", stock, find)
    return made


def has_few_ancestors(stock: Stock, address: Address, most: int) -> bool:
    """Whether a record has at most so many ancestors; no more of them are looked at.

    Args:
        stock: What is known.
        address: Of the record.
        most: So many are few.
    """
    start = (address.task, address.key)
    seen, stack = {start}, [start]
    while stack:
        row = stock.find(*stack.pop())
        for each in () if row is None else row.inputs:
            if each not in seen:
                if len(seen) > most:
                    return False
                seen.add(each)
                stack.append(each)
    return True


def as_neighbours(rows: Sequence[Row]) -> list[Neighbour]:
    """Rows as what is told of a neighbour; as what it was read is not known of them."""
    return [
        Neighbour(row.address, "", row.attempt, row.attempt if row.state == "finished" else None)
        for row in rows
    ]
