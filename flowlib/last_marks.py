"""Which results did the last run find in the store, instead of computing them?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flowlib.result_table import ResultTable
from flowlib.stored_runs import last_run, tasks_of_run
from stores import ResultsStore, TaskState
from stores.cells import Column, Grid, Row

_CACHED: Final = Column("cached", "identity")


def marked(table: ResultTable, store: ResultsStore) -> ResultTable:
    """The table, with a mark at each result that the last run wanted and an earlier one has made.

    Without a folder of a run, as with a store in memory, nothing is marked.
    """
    folder = last_run(store)
    if folder is None:
        return table
    wanted = {address.key for address in tasks_of_run(folder).values()}

    def known(row: Row) -> Row:
        if row["key"] not in wanted or row["state"] != TaskState.FINISHED.value:
            return row
        return row | {_CACHED.name: row.get("run") != folder.name}

    grid = Grid((*table.grid.columns, _CACHED), tuple(map(known, table.grid.rows)))
    return replace(table, grid=grid)
