"""Are the defects that furu 0.0.1 had in its states and leases absent, in every kind of store?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from flowlib import Flow, TaskSpec
from stores import (
    LeaseHeld,
    LeaseLost,
    LocalFileStore,
    Owner,
    RecordTooNew,
    SQLStore,
    StoreUnwritable,
    open_store,
)
from stores.testing import done, far_owner, identity, put
from stores.testing.parts import A, B
from tests.stores.sql_tables import ask
from tests.stores.truncated import change_record

BROKEN = ["", "{", "[]", "null", '{"schema": 1}', "\x01garbage", '{"lease": ["x"]}']


@pytest.fixture
def store(shared_uri):
    """A store of every kind that other processes see, too."""
    store = open_store(shared_uri)
    yield store
    store.close()


def double(x):
    return {"value": 2 * x}


def flow():
    return Flow([TaskSpec(double, {"x": [1, 2]}, expand="product")])


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_state_blocks_nobody(store, text):
    """The next run heals it; all others are found as before."""
    flow().run(num_workers=1, results_store=store)
    (address,) = store.records(where={"x": 1}).addresses()
    change_record(store, address, lambda _: text)
    run = flow().run(num_workers=1, results_store=store)
    assert run.counts == {"cached": 1, "finished": 1}
    assert flow().run(num_workers=1, results_store=store).counts == {"cached": 2}


def test_a_state_of_a_newer_version_is_named_and_kept(store):
    """One clear error for its own key, which is never held; the others go on."""
    for address in (A, B):
        put(store, address, {"value": 1})
    change_record(store, A, lambda text: text.replace('"schema":1', '"schema":99'))
    for way in (store.record, store.begin, store.begin):
        with pytest.raises(RecordTooNew, match="schema 99"):
            way(A)
    assert store.get(B, "value") == 1
    assert store.keys_in_work() == []
    assert [each.address for each in store.records()] == [B]


def change_lease(store, value):
    """Replace what the lease of A says of its owner, and let its time be over."""
    if isinstance(store, LocalFileStore):
        path = Path(store.base_dir, ".leases", "Train", f"{A.key}.1")
        path.write_text(value)
        os.utime(path, (time.time() - 3600,) * 2)
    elif isinstance(store, SQLStore):
        found = "UPDATE flowlib_records SET owner = :value, expires = 1.0 WHERE key = :key"
        assert ask(store, found, value=value, key=A.key) == 1
    else:
        from datetime import UTC, datetime

        update = {"$set": {"lease.owner": value, "lease.expires": datetime(2020, 1, 1, tzinfo=UTC)}}
        found = {"_id": store._rows.id_of(A.key)}
        assert store._database.ask(lambda c: c.update_one(found, update)).modified_count == 1


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_lease_blocks_nobody_for_long(store, text):
    """Nobody can tell whose it is, so it ends with its time."""
    store.begin(A, far_owner())
    change_lease(store, text)
    assert put(store, A, {"value": 1}).latest.number == 2
    assert store.get(A, "value") == 1


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_lease_that_has_time_left_is_told(store, text):
    """As held by somebody; listing what is at work does not fail."""
    store.begin(A, far_owner())
    if isinstance(store, LocalFileStore):
        Path(store.base_dir, ".leases", "Train", f"{A.key}.1").write_text(text)
    elif isinstance(store, SQLStore):
        ask(store, "UPDATE flowlib_records SET owner = :value", value=text)
    else:
        store._database.ask(lambda c: c.update_one({}, {"$set": {"lease.owner": text}}))
    with pytest.raises(LeaseHeld, match="Train/aaaaaaaa is (being computed|just being taken) by"):
        store.begin(A)
    assert isinstance(store.keys_in_work(), list)
    assert list(store.leftovers()) == []


def test_a_number_of_a_process_that_was_given_again_is_nobody(store):
    """A live process has it, but that was started at another time, or after another boot."""
    here = Owner.of_this_process()
    for number, change in enumerate(({"started": here.started - 1}, {"boot_id": "another"})):
        lost = store.begin(A, replace(here, **change))
        assert put(store, A, {"value": number}).latest.number == lost.number + 1
        with pytest.raises(LeaseLost):
            lost.commit(identity(A), done())
        assert store.get(A, "value") == number


STOPPED = """
import json, os, signal, sys
from stores import Address, LeaseLost, open_store
from stores.testing import done, far_owner, identity
store = open_store(json.loads(sys.argv[1]))
attempt = store.begin(Address("Train", "a" * 32), far_owner())
attempt.save("slept " * 10_000, "value")
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
attempt.save("slept again " * 10_000, "more")
try:
    attempt.commit(identity(attempt.address), done())
except LeaseLost as error:
    print("lost", error, flush=True)
else:
    print("committed", flush=True)
"""


@pytest.mark.parametrize("kind", ["file", "sqlite", "postgresql", "mongodb"])
def test_a_paused_owner_that_wakes_up_overwrites_nothing(uri_of, kind):
    """A process that was stopped, was taken over as from another host, and goes on."""
    uri = uri_of(kind)
    where = {
        "file": {"kind": "file", "options": {"base_dir": uri.removeprefix("file:")}},
        "mongodb": {"kind": "mongodb", "options": {"host": uri}},
    }.get(kind, {"kind": "sql", "options": {"url": uri}})
    where["options"]["lease_s"] = 1.0
    store = open_store(where)
    store.record(A)
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, json.dumps(where)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        os.waitpid(child.pid, os.WUNTRACED)
        limit = time.monotonic() + 60
        while True:
            try:
                put(store, A, {"value": "right"})
                break
            except LeaseHeld:
                assert time.monotonic() < limit
                time.sleep(0.2)
        child.send_signal(signal.SIGCONT)
        assert child.communicate()[0].startswith("lost Train/aaaaaaaa: attempt 1")
    record = store.record(A)
    assert store.get(A, "value") == "right"
    assert [each.name for each in record.finished.artifacts] == ["value"]
    assert store.verify().ok
    assert list(store.leftovers()) == []
    store.close()


def test_a_server_that_may_only_be_read_is_named(postgres):
    """PostgreSQL says so with a code; the message says what is wrong, in one line."""
    uri = postgres.new_database()
    put(SQLStore(uri), A, {"value": 1})
    reader = SQLStore(f"{uri}?options=-cdefault_transaction_read_only%3Don")
    assert reader.get(A, "value") == 1
    with pytest.raises(StoreUnwritable, match="read-only transaction") as caught:
        reader.begin(B)
    assert "\n" not in str(caught.value)
    reader.close()


def never(x):
    raise AssertionError("it was computed")


def test_what_is_known_is_told_without_computing(store):
    """Whether it is there, its key, its folder where there are any, its config, when and by whom."""
    put(store, A, {"value": 1}, lr=0.1)
    spec = TaskSpec(never, {"x": 1})
    assert len(Flow([spec]).plan(results_store=store).to_run) == 1
    assert (A.key in store.statuses([A, B]), B.key in store.statuses([A, B])) == (True, False)
    assert store.find("Train/aaaa") == A
    record = store.record(A)
    assert (record.address, record.identity.config) == (A, '{"lr":0.1}')
    assert (record.latest.owner, record.latest.duration_s) == (Owner.of_this_process(), 2.0)
    folder = store.record_folder(A)
    assert (folder is not None) is store.supports_files
