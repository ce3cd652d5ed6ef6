"""All that is known of a store at one moment: records, and the runs that go on."""

from __future__ import annotations

from collections.abc import Iterator

from flowlib.dashboard.catalogue import Tasks
from flowlib.dashboard.live_runs import Live
from flowlib.dashboard.rows import Row
from flowlib.dashboard.statuses import Words, words_of
from flowlib.vocabulary import shown_state
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Stock:
    """All that is known at one moment.

    Attributes:
        tasks: The rows of records by task and key.
        live: The runs.
        version: Another one for another moment.
    """

    tasks: Tasks
    live: Live
    version: tuple[int, int]

    def rows(self) -> Iterator[Row]:
        """All rows: of records, and of tasks of runs that go on without a record."""
        for rows in self.tasks.values():
            yield from rows.values()
        for key, row in self.live.planned.items():
            if key in self.live.states and key not in self.tasks.get(row.task, {}):
                yield row

    def find(self, task: str, key: str) -> Row | None:
        """The row of a task; None if nothing is known of it."""
        found = self.tasks.get(task, {}).get(key)
        if found is None:
            planned = self.live.planned.get(key)
            return planned if planned is not None and planned.task == task else None
        return found

    def words(self, row: Row) -> Words:
        """What furu calls the state of a task."""
        live = self.live.states.get(row.key)
        return words_of(row.state or None, row.last_state or None, row.error, live)

    def shown(self, row: Row) -> str:
        """The word of the vocabulary for the state of a task."""
        live = self.live.states.get(row.key)
        if live is not None and (live == "running" or not row.state):
            return live
        return shown_state(row.state).word if row.state else "pending"
