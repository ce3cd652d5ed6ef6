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

    @pytest.fixture
    def store(self, mongo_uri):
        """An empty store."""
        store = MongoDBStore(host=mongo_uri)
        yield store
        store.close()
