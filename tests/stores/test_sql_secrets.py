"""Does the password of a database stay between the store and its server?"""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite
pytest.importorskip("psycopg")

from sqlalchemy import inspect

from flowlib import Flow, Task, TaskSpec
from flowlib.stored_runs import find_run
from stores import SQLStore, StoreError, patience
from stores.testing import put
from stores.testing.parts import A
from tests.services.postgresql import PASSWORD
from tests.services.server import free_port
from tests.stores.sql_tables import ask


class Looks(Task):
    """Reads the command lines of all processes."""

    def __init__(self, number: int) -> None:
        self.number = number

    def run(self):
        """Which of them show the password."""
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = each.read_bytes().decode(errors="replace")
            except OSError:
                continue
            if PASSWORD in line:
                found.append(line)
        self.save(found, "found")
        self.save("x" * 100_000, "large")


def shown_by(store):
    """All that a store says of itself."""
    copies = [store, copy.copy(store), pickle.loads(pickle.dumps(store))]
    return [text for each in copies for text in (repr(each), str(each), repr(each._database.name))]


@pytest.mark.slow
def test_a_run_shows_no_password(postgres, caplog, capfd):
    """Not in its messages, its command lines, its records, nor in any table."""
    store = SQLStore(postgres.new_database())
    with caplog.at_level(logging.DEBUG):
        Flow([TaskSpec(Looks, {"number": n}, name=f"look{n}") for n in range(3)]).run(
            executor="processes", num_workers=2, results_store=store
        )
    found = list(store.records())
    assert len(found) == 3
    assert [store.get(each.address, "found") for each in found] == [[], [], []]
    assert PASSWORD not in caplog.text + "".join(capfd.readouterr())
    assert [each for each in shown_by(store) if PASSWORD in each] == []
    assert "***" in repr(store)
    names = store._database.read(lambda connection: inspect(connection).get_table_names())
    assert len(names) == 4
    for name in names:
        rows = ask(store, f"SELECT * FROM {name}")
        assert [row for row in rows if PASSWORD in repr(row)] == []
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:{word}@127.0.0.1:{port}/runs",
        "postgresql://127.0.0.1:{port}/runs?user=me&password={word}",
        "postgresql+psycopg://me:{word}@127.0.0.1:{port}/runs?sslpassword={word}",
        "postgres://me:{word}@127.0.0.1:port/runs",
        "postgresql://me:{word}@127.0.0.1:{port}/runs?sslmode=odd",
    ],
)
def test_no_failure_shows_the_password(url, monkeypatch, caplog):
    """Wherever in the address it stands; a traceback holds the whole chain of errors."""
    monkeypatch.setattr(patience, "_FIRST_PATIENCE_S", 0.2)
    url, said = url.format(word="hidden-word", port=free_port()), []
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as caught:
        store = SQLStore(url)
        said += shown_by(store)
        store.record(A)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "hidden-word" not in told
    assert all("hidden-word" not in each for each in said)


def test_a_password_in_the_query_is_used(postgres):
    """It is the right one."""
    url = postgres.new_database()
    base = url.replace(f"flow:{PASSWORD}@", "")
    store = SQLStore(f"{base}?user=flow&password={PASSWORD}")
    put(store, A, {"x": 1})
    assert SQLStore(url).get(A, "x") == 1
    assert PASSWORD not in repr(store)


def test_people_read_the_uri_without_the_password(tmp_path):
    """In the plan, the summary and the list of runs, by which a run knows its store."""
    shown = SQLStore("postgresql://me:hidden-word@host/runs", project="thesis").shown_uri
    assert shown == "postgresql+psycopg://me:***@host/runs, project thesis"
    store = SQLStore(f"sqlite:///{tmp_path}/mein Ö.db")
    Flow([TaskSpec(Looks, {"number": 1})]).run(1, results_store=store, run_name="seen-in-sql")
    found = find_run(store, "seen-in-sql")
    assert found.driver.store == f"sqlite:///{tmp_path}/mein Ö.db"
