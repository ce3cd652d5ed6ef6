"""How fast does one large array go into a medium and back: through a store, and plainly?

A script of its own, so that the peak of its memory is that of one save or one load.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.child import peak_rss_kib

PIECE_BYTES = 1 << 20
Action = Callable[[Any], Any]


def _pieces(array: Any) -> Iterator[memoryview]:
    view = memoryview(array).cast("B")
    return (view[start : start + PIECE_BYTES] for start in range(0, len(view), PIECE_BYTES))


def _joined(pieces: Iterator[Any], size: int) -> Any:
    import numpy as np

    found, start = np.empty(size, dtype=np.uint8), 0
    view = memoryview(found)
    for piece in pieces:
        view[start : start + len(piece)] = piece
        start += len(piece)
    return found.view(np.float64)


def plain_file(options: Mapping[str, Any], size: int) -> tuple[Action, Action]:
    """Write and fsync a file, read it."""
    path = Path(f"{options['base_dir']}.plain")

    def save(array: Any) -> None:
        with path.open("wb") as file:
            file.write(memoryview(array).cast("B"))
            file.flush()
            os.fsync(file.fileno())

    def load(_: object) -> Any:
        import numpy as np

        return np.fromfile(path)

    return save, load


def plain_sqlite(options: Mapping[str, Any], size: int) -> tuple[Action, Action]:
    """Rows of a megabyte by the driver of the standard library, in one transaction."""
    import sqlite3

    connection = sqlite3.connect(options["url"].removeprefix("sqlite:///") + ".plain")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS plain (number INTEGER PRIMARY KEY, data BLOB)")
    connection.commit()

    def save(array: Any) -> None:
        with connection:
            connection.executemany("INSERT INTO plain VALUES (?, ?)", enumerate(_pieces(array)))

    def load(_: object) -> Any:
        found = connection.execute("SELECT data FROM plain ORDER BY number")
        return _joined((row[0] for row in found), size)

    return save, load


def plain_postgresql(options: Mapping[str, Any], size: int) -> tuple[Action, Action]:
    """Rows of a megabyte by psycopg, in one transaction, as bytes both ways."""
    import psycopg

    connection = psycopg.connect(options["url"])
    connection.execute("CREATE TABLE IF NOT EXISTS plain (number integer PRIMARY KEY, data bytea)")
    connection.execute("ALTER TABLE plain ALTER data SET STORAGE EXTERNAL")
    connection.commit()

    def save(array: Any) -> None:
        with connection.cursor() as cursor:
            rows = ((number, bytes(each)) for number, each in enumerate(_pieces(array)))
            cursor.executemany("INSERT INTO plain VALUES (%s, %s)", rows)
        connection.commit()

    def load(_: object) -> Any:
        with connection.cursor(binary=True) as cursor:

            def read() -> Iterator[bytes]:
                for number in range(-(-size // PIECE_BYTES)):
                    cursor.execute("SELECT data FROM plain WHERE number = %s", [number])
                    yield cursor.fetchone()[0]  # type: ignore[index]

            return _joined(read(), size)

    return save, load


def plain_mongodb(options: Mapping[str, Any], size: int) -> tuple[Action, Action]:
    """A file of GridFS with chunks of a megabyte, with the store's write concern."""
    import pymongo
    from gridfs import GridFSBucket
    from pymongo.write_concern import WriteConcern

    client: pymongo.MongoClient[Any] = pymongo.MongoClient(options["host"])
    concern = WriteConcern(w="majority", j=True)
    database = client.get_database(options["db"], write_concern=concern)
    bucket = GridFSBucket(database, "plain", chunk_size_bytes=PIECE_BYTES)

    def save(array: Any) -> None:
        with bucket.open_upload_stream_with_id("plain", "plain") as stream:
            for piece in _pieces(array):
                stream.write(bytes(piece))

    def load(_: object) -> Any:
        stream = bucket.open_download_stream("plain")
        return _joined(iter(lambda: stream.read(PIECE_BYTES), b""), size)

    return save, load


PLAIN = {
    "file": plain_file,
    "sqlite": plain_sqlite,
    "postgresql": plain_postgresql,
    "mongodb": plain_mongodb,
}


def through_store(where: Mapping[str, Any]) -> tuple[Action, Action]:
    """Save an array as an artifact, commit, load it."""
    from stores import Address, open_store
    from stores.testing import put

    store, address = open_store(where), Address("Train", "a" * 32)
    import numpy as np

    warm = Address("Warm", os.urandom(16).hex())
    put(store, warm, {"x": np.ones(40_000)})  # imports and connections are not measured
    store.get(warm, "x")
    return lambda array: put(store, address, {"x": array}), lambda _: store.get(address, "x")


def main() -> None:
    """Save or load as the first argument asks."""
    order = json.loads(sys.argv[1])
    import numpy as np

    size = order["bytes"]
    count, where = size // 8, order["where"]
    if order["what"] == "store":
        save, load = through_store(where)
    else:
        save, load = PLAIN[order["kind"]](where["options"], size)
    is_save = order["action"] == "save"
    array = np.arange(count, dtype=np.float64) if is_save else None
    before, began = peak_rss_kib(), time.perf_counter()
    found = (save if is_save else load)(array)
    seconds = time.perf_counter() - began
    beyond = peak_rss_kib() - before - (0 if is_save else size >> 10)
    if not is_save:
        array = found
    facts = {"count": len(array), "total": int(array[0] + array[-1])}
    outcome = {"facts": facts, "rss_kib": beyond, "inner_s": seconds, "speeds": {}}
    Path(order["outcome"]).write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
