"""
How does the author of a store test it? By the suites that every store of ours passes.

    from stores.testing import SeedConformance, StoreConformance, store_machine

    class TestMyStore(StoreConformance, SeedConformance):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

    TestMyMachine = store_machine(make_my_store).TestCase

They need pytest and hypothesis.
"""

from __future__ import annotations

from stores.testing.conformance import StoreConformance
from stores.testing.machine import store_machine
from stores.testing.parts import dead_owner, done, far_owner, identity, put
from stores.testing.seed import SeedConformance

__all__ = [
    "SeedConformance",
    "StoreConformance",
    "dead_owner",
    "done",
    "far_owner",
    "identity",
    "put",
    "store_machine",
]
