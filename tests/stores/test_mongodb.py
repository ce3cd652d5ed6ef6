"""Do stores in a MongoDB keep the promises of all stores, and those of their own?"""

from __future__ import annotations

import pytest

pytest.importorskip("pymongo")  # not there in the core suite

from stores import MongoDBStore
from stores.testing import SeedConformance, StoreConformance
from stores.testing.search import SearchConformance
from stores.testing.transfer import TransferConformance
from tests.services.mongodb import MongoServer


@pytest.fixture(scope="module")
def replica_set():
    """A real server that is a replica set of one member."""
    server = MongoServer(is_replica_set=True)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.mark.slow
class TestReplicaSet(TransferConformance, SearchConformance, SeedConformance):
    """Parts of them on a replica set of one member, with majority writes."""

    @pytest.fixture
    def store(self, replica_set, request):
        """An empty store."""
        store = MongoDBStore("flow", f"c{abs(hash(request.node.name))}", replica_set.uri)
        yield store
        store.close()


class TestMongoDB(StoreConformance, SeedConformance):
    """The suites of all stores, on a real server."""

    many = 2_500

    @pytest.fixture
    def store(self, mongo_uri, monkeypatch):
        """An empty store; 2,500 records are three of its pages, as 25,000 are otherwise."""
        monkeypatch.setattr("stores.mongo_search._AT_ONCE", 1_000)
        store = MongoDBStore(host=mongo_uri)
        yield store
        store.close()
