"""Does work on a PostgreSQL store go on after the server was killed and started again?"""

from __future__ import annotations

import logging
import random
import threading
import time

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite
pytest.importorskip("psycopg")

from stores import Address, SQLStore
from stores.testing import put
from tests.services.postgresql import PostgresServer
from tests.stores.sql_tables import ask, beside_records

KILLS = 3


@pytest.fixture
def server():
    """A server of its own."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


def restarted(server, pause_s):
    """Kill it, and start it again after a pause; its last children may still hold its memory."""
    server.kill()
    time.sleep(pause_s)
    for attempt in range(10):
        try:
            server.start()
        except RuntimeError:
            if attempt == 9:
                raise
            time.sleep(0.5)
        else:
            return


@pytest.mark.slow
@pytest.mark.needs("initdb", "postgres")
def test_saves_and_commits_wait_for_a_killed_server(server, caplog):
    """Nothing is lost, no number is used twice, and each outage is told once."""
    store, written, is_over = SQLStore(server.new_database()), [], threading.Event()
    store.statuses([])
    failures = []

    def work():
        try:
            while not is_over.is_set():
                address = Address("Train", f"{len(written):032x}")
                text = f"{len(written)}-" * 400_000
                record = put(store, address, {"big": text, "small": len(written)})
                written.append(record.latest.number)
        except Exception as error:
            failures.append(error)

    worker, rng = threading.Thread(target=work), random.Random(3)
    with caplog.at_level(logging.WARNING, "stores"):
        worker.start()
        for _ in range(KILLS):
            before = len(written)
            time.sleep(rng.uniform(0.5, 1.5))
            restarted(server, 1.0)
            limit = time.monotonic() + 60
            while len(written) < before + 2 and time.monotonic() < limit:
                time.sleep(0.05)
        is_over.set()
        worker.join(60)
    assert failures == []
    assert len(written) >= 2 * KILLS
    assert set(written) == {1}
    for number in range(len(written)):
        address = Address("Train", f"{number:032x}")
        assert store.get(address, "big") == f"{number}-" * 400_000
        assert store.get(address, "small") == number
    assert ask(store, "SELECT count(*), max(fence), count(token) FROM flowlib_records") == [
        (len(written), 1, 0)
    ]
    assert beside_records(store)[0] == len(written)
    waits = [each for each in caplog.messages if "does not answer" in each]
    assert len(waits) == len([each for each in caplog.messages if "answers again" in each])
    assert 1 <= len(waits) <= KILLS
    assert "s3cret-word" not in caplog.text
    store.close()
