"""Where does a benchmark keep results? An empty store of a kind, and its server, of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.services.server import Server

KINDS = ("file", "sqlite", "postgresql", "mongodb")


@contextmanager
def server_of(kind: str) -> Iterator[Server | None]:
    """A server that nobody else uses; None for kinds that have none."""
    server: Server | None = None
    if kind == "postgresql":
        from tests.services.postgresql import PostgresServer

        server = PostgresServer()
    elif kind == "mongodb":
        from tests.services.mongodb import MongoServer

        server = MongoServer()
    try:
        if server is not None:
            server.start()
        yield server
    finally:
        if server is not None:
            server.close()


def place(
    kind: str, folder: Path, server: Server | None, name: str = "store", **options: object
) -> dict[str, object]:
    """An empty store, as `open_store` takes it.

    Args:
        kind: Of the store.
        folder: Where stores without a server lie.
        server: That of the others.
        name: Tells several stores apart.
        **options: Of the store.
    """
    found: Mapping[str, object]
    if kind == "file":
        found = {"base_dir": f"{folder}/{name}"}
    elif kind == "sqlite":
        found = {"url": f"sqlite:///{folder}/{name}.db"}
    elif kind == "postgresql":
        found = {"url": server.new_database()}  # type: ignore[union-attr]
    else:
        found = {"db": name, "host": server.uri}  # type: ignore[union-attr]
    names = {"file": "file", "mongodb": "mongodb"}
    return {"kind": names.get(kind, "sql"), "options": {**found, **options}}
