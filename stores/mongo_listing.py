"""Which documents of a MongoDB stand on one page of a list? Found by indexes."""

from __future__ import annotations

import heapq
from typing import Any

from pymongo.collection import Collection

from stores.listing import Listing
from stores.mongo_database import Document, MongoDatabase
from stores.mongo_rows import id_of
from stores.record import Address
from stores.row import readable, storable

_SHOWN = ("task", "ended", "started", "record")
_ORDERED = ("task", "ended", "started")
_KNOWN = {"$gte": float("-inf")}


class MongoListing:
    """The documents of one project, page by page.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
    """

    def __init__(self, database: MongoDatabase, project: str) -> None:
        self._database, self._project = database, project

    def listed(self, wanted: Listing) -> tuple[list[tuple[Address, str | None]], int]:
        """Addresses and records (None if one is too large) of one page; how many are on all."""
        mine = self._fitting(wanted)
        skipped = len(id_of(self._project, ""))

        def ask(records: Collection[Document]) -> tuple[list[Document], int]:
            count = records.count_documents(mine)
            page = {"id": _by_id, "when": _by_time}.get(wanted.order, _by_value)
            return page(records, wanted, mine), count

        found, total = self._database.ask(ask)
        return [
            (Address(readable(each["task"]), each["_id"][skipped:]), each.get("record"))
            for each in found
        ], total

    def _fitting(self, wanted: Listing) -> Document:
        """Documents with a record have a state; its index counts them."""
        found: Document = {"project": self._project, "state": {"$gte": ""}}
        if wanted.task is not None:
            found["task"] = storable(wanted.task)
        if wanted.states is not None:
            found["state"] = {"$in": sorted(each.value for each in wanted.states)}
        return found


def _by_id(records: Collection[Document], wanted: Listing, mine: Document) -> list[Document]:
    turn = -1 if wanted.is_down else 1
    found = records.find(mine, _SHOWN).sort([("task", turn), ("_id", turn)])
    return list(found.skip(wanted.offset).limit(wanted.limit))


def _by_value(records: Collection[Document], wanted: Listing, mine: Document) -> list[Document]:
    """By state or duration, of which the server makes small documents and sorts those."""
    lasted = {"$subtract": ["$ended", "$started"]}  # null if one of them is
    order = {"is_unknown": 1, "value": -1 if wanted.is_down else 1, "task": 1, "_id": 1}
    steps: list[Document] = [
        {"$match": mine},
        {"$project": {"task": 1, "value": "$state" if wanted.order == "state" else lasted}},
        {"$addFields": {"is_unknown": {"$eq": ["$value", None]}}},
        {"$sort": order},
        {"$skip": wanted.offset},
        {"$limit": wanted.limit},
    ]
    return _whole(records, [each["_id"] for each in records.aggregate(steps, allowDiskUse=True)])


def _whole(records: Collection[Document], ids: list[str]) -> list[Document]:
    """The documents of some ids, in their order; those that are gone meanwhile are left out."""
    there = {each["_id"]: each for each in records.find({"_id": {"$in": ids}}, _SHOWN)}
    return [there[each] for each in ids if each in there]


def _by_time(records: Collection[Document], wanted: Listing, mine: Document) -> list[Document]:
    """Those that have ended, and the few of which only the beginning is known, as one order."""
    turn = -1 if wanted.is_down else 1
    ended, begun, unknown = (
        {**mine, "ended": _KNOWN},
        {**mine, "ended": None, "started": _KNOWN},
        {**mine, "ended": None, "started": None},
    )
    begun_rows = records.find(begun, _ORDERED).sort([("started", turn), ("_id", turn)])
    others = list(begun_rows.limit(wanted.end))
    order: Any = [("ended", turn), ("_id", turn)]
    ended_rows = records.find(ended, _ORDERED).sort(order)
    if not others:
        timed = list(ended_rows.skip(wanted.offset).limit(wanted.limit))
    else:
        first = ended_rows.limit(wanted.end)
        both = heapq.merge(first, others, key=lambda each: turn * _time_of(each))
        timed = list(both)[wanted.offset : wanted.end]
    ids = [each["_id"] for each in _in_order(records, timed, wanted, mine)]
    found = _whole(records, ids)
    if len(ids) == wanted.limit:
        return found
    before = records.count_documents(ended) + records.count_documents(begun)
    rest = records.find(unknown, _SHOWN).sort([("task", 1), ("_id", 1)])
    start = max(0, wanted.offset - before)
    return [*found, *rest.skip(start).limit(wanted.limit - len(ids))]


def _in_order(
    records: Collection[Document], timed: list[Document], wanted: Listing, mine: Document
) -> list[Document]:
    """Those of the same moment by task and key; the index has them in another order.

    Where the page begins or ends among them, all of that moment are looked at.
    """
    turn = -1 if wanted.is_down else 1
    found = sorted(timed, key=lambda each: (turn * _time_of(each), *_place_of(each)))
    times = [_time_of(each) for each in found]
    for at in {*times[:1], *times[-1:]}:
        same = {**mine, "$or": [{"ended": at}, {"ended": None, "started": at}]}
        tied = sorted(records.find(same, _ORDERED), key=_place_of)
        start, count = times.index(at), times.count(at)
        if len(tied) > count:
            past = {"$gt" if wanted.is_down else "$lt": at}
            earlier = {**mine, "$or": [{"ended": past}, {"ended": None, "started": past}]}
            skipped = 0 if start else wanted.offset - records.count_documents(earlier)
            found[start : start + count] = tied[max(0, skipped) :][:count]
    return found


def _place_of(found: Document) -> tuple[str, str]:
    return found["task"], found["_id"]


def _time_of(found: Document) -> float:
    return float(found["ended"] if found.get("ended") is not None else found["started"])
