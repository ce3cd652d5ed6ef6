"""What has read a result, and what did it read? From the rows in memory, not from every record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.record_story import Neighbour
from stores import Address


def readers_of(answers: Answers, stock: Stock, address: Address) -> list[Row]:
    """The rows that have read a record, by task and key."""
    return sorted(
        readers(answers, stock).get((address.task, address.key), ()), key=lambda r: (r.task, r.key)
    )


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


def as_neighbours(rows: Sequence[Row]) -> list[Neighbour]:
    """Rows as what is told of a neighbour; as what it was read is not known of them."""
    return [
        Neighbour(row.address, "", row.attempt, row.attempt if row.state == "finished" else None)
        for row in rows
    ]
