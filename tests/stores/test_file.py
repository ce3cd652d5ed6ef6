"""Does the file store keep the promises of all stores, and those of its own?"""

from __future__ import annotations

import shutil
import tempfile

import pytest
from hypothesis import settings

from stores import LocalFileStore
from stores.testing import SeedConformance, StoreConformance, StoreMachine


class TestLocalFileStore(StoreConformance, SeedConformance):
    """The suites of all stores."""

    @pytest.fixture
    def store(self, tmp_path):
        """An empty store."""
        return LocalFileStore(tmp_path / "runs", fsync=False)


class FileMachine(StoreMachine):
    """The memory store is the model."""

    def make(self):
        """A store in a new folder."""
        return LocalFileStore(tempfile.mkdtemp(), fsync=False)

    def reopen(self, store):
        """Another store in the same folder."""
        return LocalFileStore(store.base_dir, fsync=False)

    def clean_up(self, store):
        """Remove the folder of a store."""
        store.close()
        shutil.rmtree(store.base_dir)


TestMachine = FileMachine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
