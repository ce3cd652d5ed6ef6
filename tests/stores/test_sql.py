"""Do stores in SQL databases keep the promises of all stores, and those of their own?"""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import settings

pytest.importorskip("sqlalchemy")  # not there in the core suite

from stores import SQLStore
from stores.testing import SeedConformance, StoreConformance, StoreMachine

PAGE = 1_000
"""How many addresses are listed at once here: 2,500 records are three pages, as 25,000 are."""


class TestSQLite(StoreConformance, SeedConformance):
    """The suites of all stores."""

    many = 2_500

    @pytest.fixture
    def store(self, tmp_path, monkeypatch):
        """An empty store."""
        monkeypatch.setattr("stores.sql_search._AT_ONCE", PAGE)
        store = SQLStore(f"sqlite:///{tmp_path}/runs.db", fsync=False)
        yield store
        store.close()


class SQLiteMachine(StoreMachine):
    """The memory store is the model."""

    def make(self):
        """A store in a new file."""
        self.folder = tempfile.TemporaryDirectory()
        return SQLStore(f"sqlite:///{self.folder.name}/runs.db", fsync=False)

    def reopen(self, store):
        """Another store in the same file."""
        return SQLStore(f"sqlite:///{self.folder.name}/runs.db", fsync=False)

    def clean_up(self, store):
        """Remove the file of a store."""
        store.close()
        self.folder.cleanup()


TestSQLiteMachine = pytest.mark.slow(SQLiteMachine.TestCase)
TestSQLiteMachine.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


@pytest.mark.server
class TestPostgreSQL(StoreConformance, SeedConformance):
    """The suites of all stores."""

    many = 2_500

    @pytest.fixture
    def store(self, uri_of, monkeypatch):
        """An empty store."""
        monkeypatch.setattr("stores.sql_search._AT_ONCE", PAGE)
        store = SQLStore(uri_of("postgresql"))
        yield store
        store.close()
