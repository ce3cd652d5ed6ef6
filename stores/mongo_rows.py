"""The document of each key in a MongoDB: claims, commits, renewals, one atomic update each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from stores.canonical import decode
from stores.lease import LeaseTimes, Owner
from stores.mongo_database import Document, MongoDatabase
from stores.parameters import parameters_of
from stores.record import Address
from stores.row import Claim, Row, Told, holder, storable

_LARGEST_INT: Final = 2**63 - 1


def id_of(project: str, key: str) -> str:
    """The `_id` of a key's document: the key itself, in the default project."""
    return f"{storable(project)}:{key}" if project else key


THERE: Final = {"state": {"$exists": True}}
"""Of keys that have a record, and not only a lease or a number."""


class MongoRows:
    """The documents of one project.

    Args:
        database: Where they lie.
        project: Its name; empty for the default one.
        times: When a lease that nobody renews is free.
    """

    def __init__(self, database: MongoDatabase, project: str, times: LeaseTimes) -> None:
        self._database, self._project, self._times = database, project, times

    @property
    def _expires(self) -> dict[str, Any]:
        return {"$add": ["$$NOW", round(self._times.lease_s * 1000)]}

    def id_of(self, key: str) -> str:
        """The `_id` of a key's document."""
        return id_of(self._project, key)

    def claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> tuple[Claim, str | None]:
        """Take a lease if it is free, expired, or `instead_of` is its token.

        Returns:
            The answer, and where the text of the record lies if that is not in the document.
        """
        update = self._claiming(address, owner, token, at_least, instead_of)

        def ask(records: Collection[Document]) -> Document | None:
            try:
                return records.find_one_and_update(
                    {"_id": self.id_of(address.key)},
                    update,
                    projection=["fence", "lease", "record", "record_piece", "state"],
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:  # another process has just made the document
                return None

        while (found := self._database.ask(ask)) is None:
            continue
        lease = found["lease"]
        is_ours = lease["token"] == token
        who = owner if is_ours else holder(lease.get("owner"))
        claim = Claim(is_ours, found["fence"], who, lease["token"], _text_in(found))
        return claim, found.get("record_piece")

    def _claiming(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> list[Mapping[str, Any]]:
        """The update, which looks at the document as it was."""
        free = {
            "$or": [
                {"$eq": [{"$ifNull": ["$lease.token", None]}, None]},
                {"$lt": ["$lease.expires", "$$NOW"]},
                {"$in": ["$lease.token", [token, instead_of]]},
            ]
        }
        next_ = {"$max": [{"$add": [{"$ifNull": ["$fence", 0]}, 1]}, at_least]}
        taken = {"$cond": [{"$eq": ["$lease.token", token]}, "$fence", next_]}
        lease = {
            "token": token,
            "owner": {"$literal": owner.to_list()},
            "host": {"$literal": owner.host},
            "expires": self._expires,
        }
        return [
            {
                "$set": {
                    "project": {"$literal": self._project},
                    "task": {"$literal": storable(address.task)},
                    "fence": {"$cond": [free, taken, "$fence"]},
                    "lease": {"$cond": [free, lease, "$lease"]},
                }
            }
        ]

    def commit(self, address: Address, token: str, row: Row, piece: str | None) -> bool:
        """Put a record in force; False if the lease has another token by now.

        Args:
            address: Its key.
            token: Of the lease.
            row: The record.
            piece: Where its text lies, if it is too large for a document.
        """
        record = row.parsed
        counts = record.finished or record.latest
        values = {
            "committed": token,
            "state": record.state.value,
            "latest_state": record.latest.state.value,
            "started": counts.started,
            "ended": counts.ended,
            "config": _document(decode(record.identity.user_config)),
            "provenance": _document(dict(counts.provenance)),
            "params": parameters_of(record.identity.config),
            "status": row.status if len(row.status) < LARGE_TEXT else None,
            "record": row.record if piece is None else None,
            "record_piece": piece,
        }
        return self._change(address.key, token, {"$set": values, "$unset": {"lease": ""}})

    def release(self, address: Address, token: str) -> None:
        """Free a lease; the document goes if it never held anything."""
        mine = {"_id": self.id_of(address.key), "lease.token": token}
        unused = {**mine, "fence": 1, "state": {"$exists": False}}

        def ask(records: Collection[Document]) -> None:
            if not records.delete_one(unused).deleted_count:
                records.update_one(mine, {"$unset": {"lease": ""}})

        self._database.ask(ask)

    def renew(self, keys: Sequence[str], host: str) -> None:
        """Move the expiry of the leases that processes of `host` have."""
        theirs = {"_id": {"$in": [self.id_of(key) for key in keys]}, "lease.host": host}
        update = [{"$set": {"lease.expires": self._expires}}]
        self._database.ask(lambda records: records.update_many(theirs, update))

    def clear(self, address: Address, token: str) -> bool:
        """Remove a record and free its lease; the number of the last attempt stays."""
        fields = (
            "lease state latest_state started ended config provenance params status record "
            "record_piece"
        )
        update = {"$set": {"committed": token}, "$unset": dict.fromkeys(fields.split(), "")}
        return self._change(address.key, token, update)

    def record_text(self, key: str) -> tuple[str | None, str | None]:
        """The record of a key, or the name of the piece with it."""
        found = self._database.ask(
            lambda records: records.find_one(
                {"_id": self.id_of(key)}, ["record", "record_piece", "state"]
            )
        )
        return (None, None) if found is None else (_text_in(found), found.get("record_piece"))

    def told(self, keys: Sequence[str]) -> list[Told]:
        """What those keys that have a record say of it."""
        wanted = {"_id": {"$in": [self.id_of(key) for key in keys]}, **THERE}
        shown = {"status": 1, "record_piece": 1, "bytes": _RECORD_BYTES}

        def ask(records: Collection[Document]) -> list[Document]:
            return list(records.find(wanted, shown, batch_size=len(keys) + 1))

        skipped = len(self.id_of(""))
        return [
            Told(
                each["_id"][skipped:],
                each.get("status"),
                each["bytes"] if each.get("record_piece") is None else None,
            )
            for each in self._database.ask(ask)
        ]

    def _change(self, key: str, token: str, update: Document) -> bool:
        """Update a document if its lease has this token; True if that was done, now or before."""
        id_ = self.id_of(key)

        def ask(records: Collection[Document]) -> bool:
            if records.update_one({"_id": id_, "lease.token": token}, update).matched_count:
                return True
            found = records.find_one({"_id": id_}, ["committed"])
            return found is not None and found.get("committed") == token  # a lost answer

        return self._database.ask(ask)


_RECORD_BYTES: Final = {
    "$cond": [{"$eq": [{"$type": "$record"}, "string"]}, {"$strLenBytes": "$record"}, -1]
}

LARGE_TEXT: Final = 1 << 20
"""Longer records lie in GridFS: a document may have 16 MiB."""


def _text_in(found: Document) -> str | None:
    text: str | None = found.get("record") if "state" in found else None
    return text


def _document(value: object) -> object:
    """A config or provenance for people who look into the database; None if BSON cannot hold it."""
    return value if _fits(value) else None


def _fits(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and "\0" not in k and _fits(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(_fits, value))
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, int):
        return abs(value) <= _LARGEST_INT
    return value is None or isinstance(value, float)
