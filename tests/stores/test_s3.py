"""Does a store in S3 keep the promises of all stores? Asked of a real server."""

from __future__ import annotations

import faulthandler
import os

import pytest
from hypothesis import settings

pytest.importorskip("boto3")  # not there in the core suite

from stores import S3Store
from stores.testing import SeedConformance, StoreConformance, StoreMachine


@pytest.mark.slow
class TestS3(StoreConformance, SeedConformance):
    """The suites of all stores; 2,500 records are three pages of a listing, as 10,000 are ten."""

    many = 2_500

    @pytest.fixture
    def store(self, s3_url):
        """An empty store; thousands of requests get more time from a busy machine."""
        faulthandler.dump_traceback_later(1_200, exit=True)
        store = S3Store(s3_url)
        yield store
        store.close()


class S3Machine(StoreMachine):
    """The memory store is the model."""

    url = ""

    def make(self):
        """A store under a new prefix."""
        self.prefix = f"{self.url}/{os.urandom(6).hex()}"
        return S3Store(self.prefix)

    def reopen(self, store):
        """Another store under the same prefix."""
        return S3Store(self.prefix)

    def clean_up(self, store):
        """Close the connections of a store."""
        store.close()


@pytest.mark.slow
def test_a_store_does_what_the_memory_store_does(s3_url):
    """Whatever is done in whatever order."""
    S3Machine.url = s3_url
    test = S3Machine.TestCase("runTest")
    test.settings = settings(max_examples=6, stateful_step_count=10, deadline=None)
    test.runTest()
