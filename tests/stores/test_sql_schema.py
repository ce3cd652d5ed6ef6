"""Do tables of other versions of flowlib, and processes that make them at once, do no harm?"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from sqlalchemy import text

from stores import RecordTooNew, SQLStore
from stores.sql_schema import VERSION, prepare
from stores.testing import put
from stores.testing.parts import A, B
from tests.stores.sql_tables import KINDS, TABLES, ask


@pytest.fixture(params=KINDS)
def uri(request, uri_of):
    """An empty database of either kind."""
    return uri_of(request.param)


@pytest.fixture
def store(uri):
    """A store with one record."""
    store = SQLStore(uri)
    put(store, A, {"x": "x" * 100_000})
    yield store
    store.close()


def dump(store):
    """All rows of all tables."""
    return {table: sorted(map(repr, ask(store, f"SELECT * FROM {table}"))) for table in TABLES}


def test_tables_of_a_newer_version_are_refused_and_left_alone(uri, store):
    """At the first question, whichever it is."""
    ask(store, "UPDATE flowlib_facts SET value = :new", new=str(VERSION + 1))
    before = dump(store)
    other = SQLStore(uri)
    for question in (
        lambda: other.record(A),
        lambda: other.statuses([A]),
        lambda: list(other.addresses()),
        lambda: other.begin(B),
        lambda: other.remove(A),
    ):
        with pytest.raises(RecordTooNew) as caught:
            question()
        assert "\n" not in str(caught.value)
        assert f"tables of version {VERSION + 1}, this flowlib knows up to {VERSION}" in str(
            caught.value
        )
    other.close()
    assert dump(store) == before


def steps(*numbers, failing=None):
    """Migrations that write their number into a table of their own."""

    def step(number):
        def migrate(connection):
            if number == VERSION:
                connection.execute(text("CREATE TABLE steps (number INTEGER)"))
            connection.execute(text("INSERT INTO steps VALUES (:n)"), {"n": number})
            connection.execute(text("UPDATE flowlib_records SET state = 'changed'"))
            if number == failing:
                raise RuntimeError("it breaks")

        return migrate

    return {number: step(number) for number in numbers}


def test_older_tables_are_migrated_step_by_step(store):
    """In order, once, and with the new version noted."""
    new = VERSION + 3
    migrations = steps(*reversed(range(VERSION, new)))
    for _ in range(2):
        store._database.write(lambda c: prepare(c, "here", version=new, migrations=migrations))
    assert ask(store, "SELECT number FROM steps") == [(VERSION + i,) for i in range(3)]
    assert ask(store, "SELECT value FROM flowlib_facts WHERE name = 'version'") == [(str(new),)]


def test_a_migration_that_fails_leaves_the_old_tables(store):
    """The steps before it are undone, too: it is one transaction."""
    before = dump(store)
    migrations = steps(VERSION, VERSION + 1, failing=VERSION + 1)
    with pytest.raises(RuntimeError, match="it breaks"):
        store._database.write(
            lambda c: prepare(c, "here", version=VERSION + 2, migrations=migrations)
        )
    assert dump(store) == before
    find = {
        "sqlite": "SELECT name FROM sqlite_master WHERE name = 'steps'",
        "postgresql": "SELECT 1 FROM pg_tables WHERE tablename = 'steps'",
    }
    assert ask(store, find[store._database.url.get_backend_name()]) == []
    assert store.get(A, "x") == "x" * 100_000


def committed(uri, number, moment):
    """Open a database at a moment, and write one record."""
    store = SQLStore(uri, patience_s=30)
    time.sleep(max(0.0, moment - time.time()))
    put(store, type(A)("Train", f"{number:032x}"), {"x": number})
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_processes_make_the_tables_of_an_empty_database_once(kind, tmp_path, request):
    """Several at the same moment, again and again."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(abs, range(8)))
        for round_ in range(10):
            if kind == "sqlite":
                uri = f"sqlite:///{tmp_path}/{round_}.db"
            else:
                uri = request.getfixturevalue("postgres").new_database()
            moment = time.time() + (1.5 if round_ == 0 else 0.2)
            for each in [pool.submit(committed, uri, n, moment) for n in range(4)]:
                each.result(60)
            store = SQLStore(uri)
            assert len(list(store.addresses())) == 4
            assert ask(store, "SELECT name, value FROM flowlib_facts") == [
                ("version", str(VERSION))
            ]
            store.close()
