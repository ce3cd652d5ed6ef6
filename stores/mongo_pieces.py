"""Large values in a MongoDB: files of GridFS, which count when they are complete."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, Final

from pymongo.collection import Collection
from pymongo.database import Database as PymongoDatabase

from stores.chunked import chunked_stream
from stores.mongo_database import Document, MongoDatabase

_CHUNK_BYTES: Final = 1 << 20

_PER_QUESTION: Final = 8
"""So many chunks travel together."""


class MongoPieces:
    """The large values of one collection of records.

    Args:
        database: Where they lie.
        bucket: Name of the GridFS bucket.
    """

    def __init__(self, database: MongoDatabase, bucket: str) -> None:
        self._database, self._bucket = database, bucket
        self._has_index = False

    def put(self, id_: str, name: str, source: BinaryIO) -> None:
        """Write a value of the document `id_`: its chunks, then the document that tells of them.

        GridFS of the driver would hold 48 MB at a time, and their copy.
        """
        file_id = f"{id_}/{name}"

        def ask(database: PymongoDatabase[Document]) -> None:
            files, chunks = database[f"{self._bucket}.files"], database[f"{self._bucket}.chunks"]
            source.seek(0)
            if not self._has_index:
                chunks.create_index([("files_id", 1), ("n", 1)], unique=True)
                self._has_index = True
            files.delete_one({"_id": file_id})  # what a question before this one has left
            chunks.delete_many({"files_id": file_id})
            length = _inserted(chunks, file_id, source)
            about = {"filename": name, "length": length, "chunkSize": _CHUNK_BYTES}
            when = datetime.now(UTC)
            metadata = {"key": id_}
            files.insert_one({"_id": file_id, **about, "uploadDate": when, "metadata": metadata})

        self._database.ask_all(ask)

    def open(self, id_: str, name: str) -> BinaryIO:
        """A stream of a value.

        Raises:
            FileNotFoundError: there is none.
        """
        file_id = f"{id_}/{name}"
        found = self._database.ask_all(lambda d: d[f"{self._bucket}.files"].find_one(file_id))
        if found is None:
            raise FileNotFoundError(name)

        def fetch(number: int) -> list[bytes]:
            wanted = {"files_id": file_id, "n": {"$gte": number, "$lt": number + _PER_QUESTION}}

            def ask(database: PymongoDatabase[Document]) -> list[Document]:
                return list(database[f"{self._bucket}.chunks"].find(wanted).sort("n", 1))

            chunks = self._database.ask_all(ask)
            return [each["data"] for at, each in enumerate(chunks) if each["n"] == number + at]

        return chunked_stream(fetch, found["length"], found["chunkSize"])

    def drop(self, id_: str, names: Sequence[str]) -> None:
        """Delete values, complete or not."""
        if not names:
            return
        file_ids = [f"{id_}/{name}" for name in names]

        def ask(database: PymongoDatabase[Document]) -> None:
            database[f"{self._bucket}.files"].delete_many({"_id": {"$in": file_ids}})
            database[f"{self._bucket}.chunks"].delete_many({"files_id": {"$in": file_ids}})

        self._database.ask_all(ask)

    def sizes(self, ids: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """The sizes of all complete values of some documents, by document and name."""
        wanted = {"metadata.key": {"$in": list(ids)}}

        def ask(database: PymongoDatabase[Document]) -> list[Document]:
            files = database[f"{self._bucket}.files"]
            return list(files.find(wanted, ["filename", "length", "metadata"], batch_size=100_000))

        found = self._database.ask_all(ask)
        return {(each["metadata"]["key"], each["filename"]): each["length"] for each in found}

    def all(self, begins: str) -> list[tuple[str, int]]:
        """Ids and sizes of all values, -1 for incomplete ones, whose id begins like this."""
        wanted = {"$regex": f"^{re.escape(begins)}"}

        def ask(database: PymongoDatabase[Document]) -> dict[str, int]:
            chunks, files = database[f"{self._bucket}.chunks"], database[f"{self._bucket}.files"]
            found = dict.fromkeys(chunks.distinct("files_id", {"files_id": wanted}), -1)
            complete = files.find({"_id": wanted}, ["length"])
            return found | {each["_id"]: each["length"] for each in complete}

        return sorted(self._database.ask_all(ask).items())

    def names(self, id_: str) -> list[str]:
        """The names of all values of a document, also of those that were never completed."""
        begins = {"$regex": f"^{re.escape(id_)}/"}

        def ask(database: PymongoDatabase[Document]) -> list[str]:
            chunks = database[f"{self._bucket}.chunks"].distinct("files_id", {"files_id": begins})
            files = database[f"{self._bucket}.files"].distinct("_id", {"metadata.key": id_})
            return [*chunks, *files]

        return sorted({each[len(id_) + 1 :] for each in self._database.ask_all(ask)})


def _inserted(chunks: Collection[Document], file_id: str, source: BinaryIO) -> int:
    """Write all chunks; how many bytes these are."""
    number = length = 0
    while True:
        batch: list[Document] = []
        while len(batch) < _PER_QUESTION and (data := source.read(_CHUNK_BYTES)):
            batch.append({"files_id": file_id, "n": number + len(batch), "data": data})
            length += len(data)
        if not batch:
            return length
        chunks.insert_many(batch)
        number += len(batch)
