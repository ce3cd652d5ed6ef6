"""Fills a store with records as runs leave them, for the dashboard to list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from stores import Address, Attempt, Record, ResultsStore, RunInfo, TaskState
from stores.canonical import encode
from stores.database import status_text
from stores.parts import ErrorDetails, Identity
from stores.testing import done, put

_ORIGIN = {
    "user": "ada", "host": "node1", "executor": "processes", "python": "3.11.7", "pid": 4711,
    "platform": "Linux-6.1-x86_64", "command": "flowlib run flow.yaml", "folder": "/work/project",
    "git_commit": "3f2a91c0" * 5, "git_branch": "main", "git_dirty": True, "git_diff": "+x\n" * 300,
}  # fmt: skip
LOAD = Address("Load", "f" * 32)
"""What all others have read."""

_ERROR = ErrorDetails("ValueError", "loss is nan", "Traceback …")
_FAILED_EACH = 50
_AT_ONCE = 2_000


def address_of(number: int) -> Address:
    """One of any number of addresses."""
    return Address("Train", hashlib.blake2b(b"%d" % number, digest_size=16).hexdigest())


def fill(store: ResultsStore, count: int) -> None:
    """One task that all others have read, of which each fiftieth has failed."""
    put(store, LOAD, {"rows": 3}, replace(done(), provenance=_ORIGIN), n=3)
    for number in range(count - 1):
        values = {} if _is_failed(number) else {"acc": number / count, "loss": 1.0 - number / count}
        put(store, address_of(number), values, _made(number), **_config(number))


def fill_database(where: dict[str, Any], store: ResultsStore, count: int) -> None:
    """The same in a database, past its leases: two records as usual, the others copied at once."""
    fill(store, 3)
    pattern = store.record(address_of(1))
    if pattern is None or pattern.finished is None:
        raise RuntimeError("the first records cannot be read")
    rows = (_copied(pattern, number) for number in range(2, count - 1))
    if where["kind"] == "mongodb":
        _into_mongodb(where["options"], rows)
    else:
        _into_sql(where["options"]["url"], rows)


def _is_failed(number: int) -> bool:
    return number % _FAILED_EACH == 0


def _made(number: int) -> Attempt:
    failed = _is_failed(number)
    return replace(
        done(TaskState.FAILED if failed else TaskState.FINISHED, [LOAD]),
        started=1.7e9 + number,
        ended=1.7e9 + number + 2,
        error=_ERROR if failed else None,
        run=RunInfo("demo", f"run-{number % 20}", f"Train-{number}"),
        provenance=_ORIGIN,
    )


def _config(number: int) -> dict[str, object]:
    optimizer = {"name": ("adam", "sgd")[number % 2], "beta": 0.9}
    return {"lr": number % 1000 / 1000, "seed": number, "depth": number % 7, "optimizer": optimizer}


def _copied(pattern: Record, number: int) -> Record:
    made, counts = _made(number), pattern.finished
    config = encode(_config(number))
    identity = Identity(address_of(number), None, config, config)
    if counts is None or _is_failed(number):
        return Record(identity, None, replace(made, number=1, owner=pattern.latest.owner))
    whole = replace(made, number=1, owner=counts.owner, artifacts=counts.artifacts)
    return Record(identity, whole, whole)


def _into_sql(url: str, rows: Iterable[Record]) -> None:
    import sqlalchemy

    from stores.sql_schema import records

    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for some in _batches(rows):
            values = []
            for each in some:
                text, counts = each.to_json(), each.finished or each.latest
                values.append({
                    "project": "", "key": each.address.key, "task": each.address.task, "fence": 1,
                    "committed": each.address.key, "state": each.state.value,
                    "started": counts.started, "ended": counts.ended,
                    "status": status_text(each, text), "record": text,
                })  # fmt: skip
            connection.execute(records.insert(), values)
    engine.dispose()


def _into_mongodb(options: dict[str, str], rows: Iterable[Record]) -> None:
    import pymongo

    with pymongo.MongoClient(options["host"]) as client:
        collection = client[options["db"]]["flowlib"]
        for some in _batches(rows):
            collection.insert_many([_document(each) for each in some])


def _document(record: Record) -> dict[str, object]:
    text, counts = record.to_json(), record.finished or record.latest
    return {
        "_id": record.address.key, "project": "", "task": record.address.task, "fence": 1,
        "committed": record.address.key, "state": record.state.value, "started": counts.started,
        "latest_state": record.latest.state.value, "ended": counts.ended, "params": [],
        "status": status_text(record, text), "record": text, "record_piece": None,
    }  # fmt: skip


def _batches(rows: Iterable[Record]) -> Iterator[list[Record]]:
    found = iter(rows)
    while some := list(islice(found, _AT_ONCE)):
        yield some
