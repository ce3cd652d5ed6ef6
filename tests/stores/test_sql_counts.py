"""Does a SQL store ask few questions, however many records there are, and hold little memory?"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from sqlalchemy import event

from stores import Address, SQLStore
from stores.testing import put
from tests.stores.sql_tables import KINDS, ask


@pytest.fixture(params=KINDS)
def uri(request, uri_of):
    """An empty database of either kind."""
    return uri_of(request.param)


@pytest.fixture
def store(uri):
    """A store in it."""
    store = SQLStore(uri, fsync=False)
    yield store
    store.close()


@contextmanager
def counted(store):
    """The statements that a store executes meanwhile, without BEGIN and COMMIT."""
    found = []

    def note(connection, cursor, statement, *_):
        if not statement.startswith("BEGIN"):
            found.append(statement)

    engine = store._database._engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def at(number):
    """An address."""
    return Address("Train", f"{number:032x}")


def fill(store, count, value):
    """Many records like one that was written as usual; every second one has a large value."""
    put(store, at(0), {"x": 1})
    put(store, at(1), {"x": value})
    for table, columns in {
        "records": "project, %s, task, fence, state, started, ended, status, record",
        "pieces": "project, %s, name, size",
    }.items():
        like = f"CASE i % 2 WHEN 0 THEN '{at(0).key}' ELSE '{at(1).key}' END"
        ask(
            store,
            f"INSERT INTO flowlib_{table} ({columns % 'key'}) "
            f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
            f" SELECT {columns % key_of(store)} FROM n JOIN flowlib_{table} ON key = {like}",
        )


def key_of(store):
    """The key of a number, in SQL."""
    return "printf('%032x', i)" if store._database.is_sqlite else "lpad(to_hex(i), 32, '0')"


def test_ten_thousand_statuses_take_three_statements(store):
    """Also where every second record has a large value, and one of those is gone."""
    fill(store, 10_000, "x" * 30_000)
    ask(store, "DELETE FROM flowlib_pieces WHERE key = :key", key=at(77).key)
    with counted(store) as statements:
        found = store.statuses([at(i) for i in range(10_001)])
    assert len(statements) <= 3
    assert found.keys() == {at(i).key for i in range(10_000)}
    assert {key for key, status in found.items() if status.missing} == {at(77).key}
    assert {status.state.value for status in found.values()} == {"finished"}


def test_the_statements_of_a_task_do_not_grow_with_the_store(store):
    """Begin, save, commit, look and load: with ten records and with two thousand."""

    def statements_of(number):
        with counted(store) as statements:
            put(store, at(number), {"small": 1, "large": "x" * 30_000})
            store.statuses([at(number)])
            store.get(at(number), "small")
            store.get(at(number), "large")
        return statements

    fill(store, 10, "x" * 30_000)
    few = statements_of(100_000)
    ask(store, "DELETE FROM flowlib_pieces")
    ask(store, "DELETE FROM flowlib_records")
    fill(store, 2_000, "x" * 30_000)
    assert statements_of(100_001) == few
    assert len(few) <= 14


def test_no_question_about_a_key_reads_a_whole_table(store):
    """SQLite and PostgreSQL say how they would search."""
    fill(store, 2_000, "x" * 30_000)
    ask(store, "ANALYZE")
    explain = "EXPLAIN QUERY PLAN " if store._database.is_sqlite else "EXPLAIN "
    for statement in (
        "SELECT record FROM flowlib_records WHERE project = '' AND key = :key",
        "SELECT size FROM flowlib_pieces WHERE project = '' AND key = :key AND name = :key",
        "SELECT key FROM flowlib_records WHERE project = '' AND task = :key AND key > 'a'"
        " ORDER BY task, key LIMIT 5",
    ):
        plan = str(ask(store, explain + statement, key=at(5).key))
        assert "Seq Scan" not in plan
        assert "SCAN" not in plan


MEMORY = """
import resource, sys
import numpy as np
from stores import Address, SQLStore
from stores.testing import put

A, B = Address("Train", "a" * 32), Address("Train", "b" * 32)
store = SQLStore(sys.argv[1])
put(store, B, {"x": np.ones(300_000)})
assert store.get(B, "x").sum() == 300_000
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
if sys.argv[2] == "save":
    array = np.arange(12_500_000, dtype=np.float64)
    before = peak()
    put(store, A, {"x": array})
    print(peak() - before)
else:
    before = peak()
    array = store.get(A, "x")
    print(peak() - before - 100)
    assert array[0] == 0 and array[-1] == 12_499_999 and array.nbytes == 100_000_000
"""


@pytest.mark.slow
def test_a_large_array_is_streamed(uri):
    """Saving and loading 100 MB takes less than 30 MB beyond the array itself."""
    pytest.importorskip("numpy")
    for what in ("save", "load"):
        found = subprocess.run(
            [sys.executable, "-c", MEMORY, uri, what], capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr
        assert int(found.stdout) < 30, what
