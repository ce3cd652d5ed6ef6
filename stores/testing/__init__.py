"""
How does the author of a store test it? By the suites that every store of ours passes.

    from stores.testing import SeedConformance, StoreConformance, StoreMachine

    class TestMyStore(StoreConformance, SeedConformance):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

    class MyMachine(StoreMachine):
        def make(self):
            return MyStore(tempfile.mkdtemp())

    TestMyMachine = MyMachine.TestCase

They need pytest and hypothesis.
"""

from __future__ import annotations

from stores.testing.conformance import StoreConformance
from stores.testing.machine import StoreMachine
from stores.testing.parts import dead_owner, done, far_owner, identity, put
from stores.testing.seed import SeedConformance

__all__ = [
    "SeedConformance",
    "StoreConformance",
    "StoreMachine",
    "dead_owner",
    "done",
    "far_owner",
    "identity",
    "put",
]
