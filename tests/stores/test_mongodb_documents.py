"""What is special to stores in a MongoDB: documents, indexes, GridFS, servers that go away."""

from __future__ import annotations

import logging
import pickle
import threading
import time
import traceback

import pytest

pytest.importorskip("pymongo")  # not there in the core suite

import pymongo
from pymongo import monitoring

from stores import Address, MongoDBStore, RecordTooNew, StoreError, TaskState, open_store
from stores.mongo_search import MongoSearch
from stores.query import Query
from stores.testing import dead_owner, done, identity, put
from tests.services.mongodb import MongoServer

A = Address("Train", "a" * 32)
B = Address("Train", "b" * 32)
BIG = "x" * 3_000_000


@pytest.fixture
def store(mongo_uri):
    """An empty store."""
    store = MongoDBStore(host=mongo_uri)
    yield store
    store.close()


@pytest.fixture
def database(mongo_uri):
    """Its database, as the server shows it."""
    with pymongo.MongoClient(mongo_uri) as client:
        yield client.get_default_database()


class Commands(monitoring.CommandListener):
    """Counts what is asked of the server."""

    def __init__(self):
        self.names = []

    def started(self, event):
        """Called for every command."""
        self.names.append(event.command_name)

    def succeeded(self, event):
        """Of no interest."""

    def failed(self, event):
        """Of no interest."""


def numbered(number):
    """One of many addresses."""
    return Address("Many", f"{number:032x}")


def test_there_is_one_document_per_key(store, database):
    """Its id is the key; config, state, timings and provenance can be read without flowlib."""
    put(store, A, {"loss": 0.5}, done(facts={"code": "1"}), lr=0.1, model={"depth": 3})
    (found,) = database["flowlib"].find()
    assert (found["_id"], found["task"], found["state"]) == (A.key, "Train", "finished")
    assert found["config"] == {"lr": 0.1, "model": {"depth": 3}}
    assert (found["started"], found["ended"], found["fence"]) == (1.0, 3.0, 1)
    assert "lease" not in found
    attempt = store.begin(B)
    lease = database["flowlib"].find_one({"_id": B.key})["lease"]
    assert lease["owner"] == attempt.lease.owner.to_list()
    attempt.abandon()
    assert database["flowlib"].find_one({"_id": B.key}) is None


def test_d01_names_with_dots_and_overwritten_values(store, database):
    """Exact configs, names with dots, no file left behind by four saves and a deletion."""
    for x in (1, 2, 3):
        where = {"task_name": "Train", "task_unique_config": {"Train": {"x": x}}}
        for _ in range(4):
            store.save(f"{x}" * 100_000, ".saved_results", **where)
    assert store.load(".saved_results", "Train", {"Train": {"x": 2}}) == "2" * 100_000
    assert store.load(".saved_results", "Train", {"Train": {"x": 2.5}}) is None
    assert database["flowlib.pieces.files"].count_documents({}) == 3
    for x in (1, 2):
        store.delete(".saved_results", "Train", {"Train": {"x": x}})
    store.delete_run("Train", {"Train": {"x": 3}})
    assert database["flowlib.pieces.files"].count_documents({}) == 0
    assert database["flowlib.pieces.chunks"].count_documents({}) == 0


def test_configs_that_bson_cannot_hold_are_kept(store):
    """Large integers, half characters, NUL and dollar signs come back."""
    odd = {"$set": 1, "a.b": 2, "big": 2**80, "half": "\ud800", "nul\0": "\0"}
    record = put(store, A, {"$x": odd}, **odd)
    assert store.record(A) == record
    assert store.get(A, "$x") == odd
    assert [r.address for r in store.records(where={"big": 2**80})] == [A]
    weird = Address("a\0b%\ud800$task", "c" * 32)
    put(store, weird)
    assert weird in list(store.addresses())
    assert list(store.addresses(weird.task)) == [weird]


def test_every_query_has_an_index(store, database):
    """The server never looks at all documents."""
    for number in range(50):
        put(store, numbered(number), {}, lr=number)
    search = MongoSearch(store._database, "")
    queries = [
        Query.of("Many"),
        Query.of("Many", state="finished"),
        Query.of("Many", since=2.0),
        Query.of("Many", where={"lr": [1, 2]}),
        Query.of([numbered(1), numbered(2)]),
    ]
    for query in queries:
        wanted = search.filter_of("Many", query)
        plan = database["flowlib"].find(wanted).explain()["queryPlanner"]["winningPlan"]
        assert "COLLSCAN" not in repr(plan)
        assert "IXSCAN" in repr(plan) or "IDHACK" in repr(plan)
    explained = database["flowlib"].find(search.filter_of("Many", queries[3])).explain()
    assert explained["executionStats"]["totalDocsExamined"] <= 3
    pieces = database["flowlib.pieces.files"].find({"metadata.key": {"$in": ["x"]}}).explain()
    assert "IXSCAN" in repr(pieces["queryPlanner"]["winningPlan"])
    assert [r.identity.config for r in store.records(where={"lr": [1, 2]})] == [
        '{"lr":1}',
        '{"lr":2}',
    ]


def test_thousands_of_states_take_two_questions(mongo_uri):
    """10,000 keys are looked at in at most three round trips, with large values or without."""
    store = MongoDBStore(host=mongo_uri)
    put(store, A, {"small": 1, "large": BIG})
    commands = Commands()
    store._database.close()
    monitoring.register(commands)
    try:
        store.record(A)
        commands.names.clear()
        found = store.statuses([A, *map(numbered, range(10_000))])
    finally:
        monitoring._LISTENERS.command_listeners.remove(commands)
    assert list(found) == [A.key]
    assert found[A.key].missing == ()
    assert len(commands.names) <= 3, commands.names
    store.close()


def test_overwriting_and_deleting_leave_no_chunks(store, database):
    """Neither do failures, forced attempts, abandoned ones and dead owners."""
    chunks, files = database["flowlib.pieces.chunks"], database["flowlib.pieces.files"]
    for _ in range(3):
        put(store, A, {"big": BIG, "other": BIG})
    assert (files.count_documents({}), chunks.count_documents({})) == (2, 6)
    attempt = store.begin(A)
    for _ in range(3):
        attempt.save(BIG, "big")
    assert files.count_documents({}) == 3
    attempt.abandon()
    assert files.count_documents({}) == 2
    dead = store.begin(A, dead_owner())
    dead.save(BIG, "big")
    store.begin(A).abandon()
    assert files.count_documents({}) == 2
    put(store, A, {"big": BIG}, done(TaskState.FAILED))
    assert files.count_documents({}) == 3
    assert store.remove(A)
    assert (files.count_documents({}), chunks.count_documents({})) == (0, 0)


def test_an_upload_that_was_cut_off_is_dropped(store, database):
    """Chunks without a file are seen as leftovers; the next attempt drops them, too."""
    dead = store.begin(A, dead_owner())
    dead.save(BIG, "big")
    database["flowlib.pieces.files"].delete_many({})
    assert [each.address for each in store.leftovers()] == [A]
    store.begin(A).abandon()
    assert database["flowlib.pieces.chunks"].count_documents({}) == 0
    assert list(store.leftovers()) == []


@pytest.mark.slow
def test_a_record_larger_than_a_document_is_kept(store, database):
    """70,000 inputs take 18 MB: the record goes to GridFS, and is replaced and removed there."""
    inputs = [Address("Load" * 50, f"{number:032x}") for number in range(70_000)]
    record = put(store, A, {"value": 1}, done(inputs=inputs))
    assert len(record.to_json()) > 16_000_000
    assert store.record(A) == record
    assert store.get(A, "value") == 1
    assert store.statuses([A])[A.key].state is TaskState.FINISHED
    again = store.begin(A)
    assert again.previous == record
    again.commit(identity(A), done())
    assert database["flowlib.pieces.files"].count_documents({}) == 0
    put(store, A, {}, done(inputs=inputs))
    assert [each.address for each in store.records("Train")] == [A]
    assert store.remove(A)
    assert database["flowlib.pieces.files"].count_documents({}) == 0


def test_a_damaged_document_blocks_nobody(store, database, caplog):
    """Truncated, empty and strange records count as not there, and are healed."""
    for text in ('{"schema":1,', "", "[]", 5):
        put(store, A, {"value": 1})
        database["flowlib"].update_one({"_id": A.key}, {"$set": {"record": text}})
        assert store.record(A) is None
        assert "it counts as not there" in caplog.text
        assert put(store, A, {"value": 2}).finished is not None
        assert store.get(A, "value") == 2
    database["flowlib"].update_one({"_id": A.key}, {"$set": {"status": "{"}})
    assert store.statuses([A])[A.key].state is TaskState.FINISHED


def test_newer_documents_are_refused(mongo_uri, database):
    """With one clear error, and nothing is written."""
    database["flowlib.facts"].insert_one({"_id": "version", "value": 99})
    store = MongoDBStore(host=mongo_uri)
    with pytest.raises(RecordTooNew, match="version 99"):
        store.begin(A)
    assert database["flowlib"].count_documents({}) == 0
    store.close()


def test_projects_do_not_see_each_other(mongo_uri):
    """Records, queries and deletion."""
    one = MongoDBStore(host=mongo_uri, project="one")
    two = MongoDBStore(host=mongo_uri, project="two")
    plain = MongoDBStore(host=mongo_uri)
    for number, store in enumerate((one, two, plain)):
        put(store, A, {"value": number, "big": BIG})
    assert [store.get(A, "value") for store in (one, two, plain)] == [0, 1, 2]
    assert one.remove(A)
    assert [list(store.addresses()) for store in (one, two, plain)] == [[], [A], [A]]
    assert [len(list(store.records())) for store in (one, two, plain)] == [0, 1, 1]
    assert two.get(A, "big") == BIG
    assert [list(store.leftovers()) for store in (one, two, plain)] == [[], [], []]
    for store in (one, two, plain):
        store.close()


def test_addresses_that_are_none_are_refused():
    """With what is expected, and without the password."""
    for host in ("mongodb://", "mongodb://user:s3cret-word@host:port/db", "mongodb://localhost"):
        with pytest.raises(StoreError) as caught:
            MongoDBStore(host=host)
        assert "s3cret-word" not in str(caught.value)
    with pytest.raises(StoreError, match="names no database"):
        open_store("mongodb://localhost")


def test_a_host_that_is_none_is_told_soon(monkeypatch, caplog):
    """A store that never answered is not waited for as long as one that did."""
    monkeypatch.setattr("stores.patience._FIRST_PATIENCE_S", 0.5)
    store = open_store("mongodb://user:s3cret-word@127.0.0.1:9/db")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:9"):
        store.begin(A)
    assert "does not answer" in caplog.text
    assert "s3cret-word" not in caplog.text


@pytest.mark.slow
def test_a_password_is_seen_nowhere(caplog, monkeypatch):
    """A real server that asks for one: not in records, logs, errors, repr."""
    caplog.set_level(logging.DEBUG)
    server = MongoServer(password="s3cret-word")
    try:
        server.start()
        uri = server.uri.replace("/?", "/flow?authSource=admin&")
        store = pickle.loads(pickle.dumps(MongoDBStore(host=uri)))
        record = put(store, A, {"value": BIG})
        wrong = MongoDBStore(host=uri.replace("s3cret-word", "wr0ng-word"))
        with pytest.raises(StoreError) as caught:
            wrong.begin(A)
        nobody = MongoDBStore(host=uri.replace("flow:s3cret-word@", ""))
        with pytest.raises(StoreError, match=r"[Uu]nauthorized|requires authentication"):
            nobody.begin(A)
        told = "".join(traceback.format_exception(caught.value))
        with pymongo.MongoClient(uri) as client:
            found = client["flow"]
            held = repr([list(found[name].find()) for name in found.list_collection_names()])
        logged = "\n".join(r.getMessage() for r in caplog.records if "pymongo" not in r.name)
        for text in (repr(store), repr(wrong), record.to_json(), held, logged, told):
            assert "s3cret-word" not in text
            assert "wr0ng-word" not in text
        store.close()
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.parametrize("is_replica_set", [False, True])
def test_a_server_that_is_killed_is_waited_for(is_replica_set, caplog):
    """kill -9 in the middle of work, then a restart: the work goes on, nothing is lost."""
    server = MongoServer(is_replica_set=is_replica_set)
    stop = threading.Event()
    committed: dict[int, int] = {}

    def work(first):
        store = MongoDBStore("db", host=server.uri)
        number = first
        while not stop.is_set():
            record = put(store, numbered(number), {"n": number, "big": "x" * 50_000})
            committed[number] = record.latest.number
            number += 2
        store.close()

    try:
        server.start()
        threads = [threading.Thread(target=work, args=(first,)) for first in range(2)]
        for thread in threads:
            thread.start()
        for away_s in (0.3, 0.3, 4.0):
            time.sleep(1.0)
            server.kill()
            time.sleep(away_s)
            server.start()
        time.sleep(1.0)
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        store = MongoDBStore("db", host=server.uri)
        assert len(committed) > 20
        statuses = store.statuses([numbered(each) for each in committed])
        assert {key: s.attempt for key, s in statuses.items()} == {
            numbered(each).key: attempt for each, attempt in committed.items()
        }
        assert set(committed.values()) == {1}
        assert all(s.missing == s.damaged == () for s in statuses.values())
        for each in committed:
            assert store.get(numbered(each), "n") == each
            assert store.get(numbered(each), "big") == "x" * 50_000
        assert list(store.leftovers()) == []
        store.close()
    finally:
        stop.set()
        server.close()
    waits = [r.getMessage() for r in caplog.records if "does not answer" in r.getMessage()]
    assert waits and all("nothing is lost" in each for each in waits)
    assert any("answers again" in r.getMessage() for r in caplog.records)
