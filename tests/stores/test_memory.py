"""Does the memory store keep the promises of all stores, and those of its own?"""

from __future__ import annotations

import pytest
from hypothesis import settings

from stores import InMemoryStore
from stores.testing import SeedConformance, StoreConformance, StoreMachine


class TestInMemoryStore(StoreConformance, SeedConformance):
    """The suites of all stores."""

    @pytest.fixture
    def store(self):
        """An empty store."""
        return InMemoryStore()


TestMachine = StoreMachine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
