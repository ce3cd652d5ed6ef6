"""Which documents of a MongoDB may fit a query? Every question has an index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from pymongo.collection import Collection

from stores.lease import Owner
from stores.mongo_database import Document, MongoDatabase
from stores.mongo_rows import THERE, id_of
from stores.parameters import beginning, choices
from stores.query import Condition, Query
from stores.record import Address
from stores.row import holder, readable, storable

_AT_ONCE: Final = 10_000
"""So many addresses come with one answer."""

_TEXTS_AT_ONCE: Final = 500
"""So many records come with one answer."""


class MongoSearch:
    """The documents of one project.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
    """

    def __init__(self, database: MongoDatabase, project: str) -> None:
        self._database, self._project = database, project

    def addresses(self, task: str | None) -> Iterator[Address]:
        """All addresses, or those of one task, some thousands at a time."""
        skipped, after = len(id_of(self._project, "")), ""
        wanted: Document = {"project": self._project, **THERE}
        if task is not None:
            wanted["task"] = storable(task)
        while True:
            page = {**wanted, "_id": {"$gt": after}}

            def ask(records: Collection[Document], page: Document = page) -> list[Document]:
                found = records.find(page, ["task"], batch_size=_AT_ONCE + 1)
                return list(found.sort("_id").limit(_AT_ONCE))

            found = self._database.ask(ask)
            yield from (Address(readable(each["task"]), each["_id"][skipped:]) for each in found)
            if len(found) < _AT_ONCE:
                return
            after = found[-1]["_id"]

    def leases(self) -> list[tuple[Address, Owner]]:
        """All leases that have not expired."""
        skipped = len(id_of(self._project, ""))
        wanted = {
            "project": self._project,
            "lease.expires": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)},
            "$expr": {"$gte": ["$lease.expires", "$$NOW"]},
        }
        found = self._database.ask(lambda r: list(r.find(wanted, ["task", "lease.owner"])))
        return [
            (
                Address(readable(each["task"]), each["_id"][skipped:]),
                holder(each["lease"].get("owner")),
            )
            for each in found
        ]

    def pulse(self) -> object:
        """How many records there are, and when the attempt ended that did so last."""
        wanted = {"project": self._project, **THERE}

        def ask(records: Collection[Document]) -> object:
            last = records.find({"project": self._project}, ["ended"]).sort("ended", -1).limit(1)
            return records.count_documents(wanted), [each.get("ended") for each in last]

        return self._database.ask(ask)

    def marks(self) -> Iterator[tuple[Address, object]]:
        """The addresses of all records with the tokens of their last commits."""
        skipped, after = len(id_of(self._project, "")), ""
        while True:
            page = {"project": self._project, **THERE, "_id": {"$gt": after}}

            def ask(records: Collection[Document], page: Document = page) -> list[Document]:
                found = records.find(page, ["task", "committed"], batch_size=_AT_ONCE + 1)
                return list(found.sort("_id").limit(_AT_ONCE))

            found = self._database.ask(ask)
            for each in found:
                address = Address(readable(each["task"]), each["_id"][skipped:])
                yield address, each.get("committed")
            if len(found) < _AT_ONCE:
                return
            after = found[-1]["_id"]

    def tasks(self) -> list[str]:
        """The names of all tasks that have records, sorted."""
        wanted = {"project": self._project, **THERE}
        found = self._database.ask(lambda records: records.distinct("task", wanted))
        return sorted(map(readable, found))

    def task_of(self, keys: Sequence[str]) -> dict[str, str]:
        """The task of each key that has a document."""
        skipped, wanted = (
            len(id_of(self._project, "")),
            {"_id": {"$in": [id_of(self._project, key) for key in keys]}},
        )
        found = self._database.ask(lambda records: list(records.find(wanted, ["task"])))
        return {each["_id"][skipped:]: readable(each["task"]) for each in found}

    def texts(self, task: str, query: Query) -> Iterator[tuple[str, str | None]]:
        """Key and record (None if it is too large) of those of a task that may fit a query."""
        skipped, after = len(id_of(self._project, "")), ""
        wanted = self.filter_of(task, query)
        while True:
            page = {**wanted, "_id": {**wanted.get("_id", {}), "$gt": after}}

            def ask(records: Collection[Document], page: Document = page) -> list[Document]:
                found = records.find(page, ["record"], batch_size=_TEXTS_AT_ONCE + 1)
                return list(found.sort("_id").limit(_TEXTS_AT_ONCE))

            found = self._database.ask(ask)
            yield from ((each["_id"][skipped:], each["record"]) for each in found)
            if len(found) < _TEXTS_AT_ONCE:
                return
            after = found[-1]["_id"]

    def filter_of(self, task: str, query: Query) -> Document:
        """What the documents of a task have to hold to fit a query, as far as they can tell."""
        found: Document = {"project": self._project, "task": storable(task), **THERE}
        if query.states is not None:
            found["state"] = {"$in": sorted(state.value for state in query.states)}
        if query.addresses is not None:
            found["_id"] = {"$in": [id_of(self._project, each.key) for each in query.addresses]}
        ended = {"$gte": query.since, "$lt": query.until}
        if limits := {sign: moment for sign, moment in ended.items() if moment is not None}:
            found["$or"] = [{"ended": limits}, {"ended": None, "started": limits}]
        listed = [choices(each, self._is_task) for each in query.conditions]
        if every := [{"params": {"$in": each}} for each in listed if each is not None]:
            found["$and"] = every
        return found

    def knows(self, condition: Condition) -> bool:
        """Whether some record has a parameter at the path of a condition."""
        begins = {"$regex": f"^{re.escape(beginning(condition))}"}
        wanted = {"project": self._project, "params": begins}
        return self._database.ask(lambda records: records.find_one(wanted, ["_id"])) is not None

    def _is_task(self, name: str) -> bool:
        wanted = {"project": self._project, "task": storable(name), **THERE}
        return self._database.ask(lambda records: records.find_one(wanted, ["_id"])) is not None
