"""Do stores in a MongoDB keep the promises of all stores, and those of their own?"""

from __future__ import annotations

import pytest

pytest.importorskip("pymongo")  # not there in the core suite

from stores import MongoDBStore
from stores.testing import SeedConformance, StoreConformance


class TestMongoDB(StoreConformance, SeedConformance):
    """The suites of all stores, on a real server."""

    @pytest.fixture
    def store(self, mongo_uri):
        """An empty store."""
        store = MongoDBStore(host=mongo_uri)
        yield store
        store.close()
