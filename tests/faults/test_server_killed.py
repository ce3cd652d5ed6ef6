"""Does a run with worker processes wait for a database server that was killed, and go on?"""

from __future__ import annotations

import time

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite
pytest.importorskip("psycopg")
pytest.importorskip("pymongo")

from stores import open_store
from tests.faults.drivers import (
    chain,
    check_results,
    driver,
    executions,
    finished,
    noted,
    wait_until,
)
from tests.services.mongodb import MongoServer
from tests.services.postgresql import PostgresServer

COUNT = 24


@pytest.fixture(params=["postgresql", "mongodb"])
def server(request):
    """A server of its own, which may be killed."""
    server = PostgresServer() if request.param == "postgresql" else MongoServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


def uri_in(server):
    """An empty store on it."""
    if isinstance(server, PostgresServer):
        return server.new_database()
    return server.uri.replace("/?", "/killed?")


def restart(server):
    """Its last children may still hold its memory."""
    limit = time.monotonic() + 60
    while True:
        try:
            return server.start()
        except RuntimeError:
            server.kill()
            assert time.monotonic() < limit
            time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.needs("initdb", "postgres", "mongod")
def test_a_run_waits_and_ends_with_all_results(server, tmp_path):
    """kill -9 in the middle: each process says once that it waits, and no task runs twice."""
    uri, log = uri_in(server), tmp_path / "log"
    with driver(tmp_path, uri, log, COUNT, 2, 0.2) as running:
        wait_until(lambda: log.exists() and len(noted(log)) >= 4)
        server.kill()
        time.sleep(3.0)
        begun = len(noted(log))
        assert begun < COUNT
        assert running.process.poll() is None
        restart(server)
        code, said = running.end()
    assert code == 0, said
    waits = [line for line in said.splitlines() if "does not answer" in line]
    assert 1 <= len(waits) <= 4, said  # the driver, two workers, the helper
    assert len([line for line in said.splitlines() if "answers again" in line]) == len(waits)
    assert "Traceback" not in said
    assert "s3cret-word" not in said
    ran = executions(log)
    assert sorted(ran) == sorted(set(ran))
    store = open_store(uri)
    assert len(finished(store)) == COUNT
    run = chain(COUNT, log).run(num_workers=1, results_store=store)
    assert run.counts == {"cached": COUNT}
    check_results(run, COUNT)
    assert store.keys_in_work() == []
    store.close()
