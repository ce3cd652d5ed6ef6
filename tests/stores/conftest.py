"""The stores that tests run on which hold for every kind."""

from __future__ import annotations

import pytest

from stores import InMemoryStore, LocalFileStore


@pytest.fixture(params=["memory", "file"])
def any_store(request, tmp_path):
    """An empty store of each kind."""
    if request.param == "memory":
        return InMemoryStore()
    return LocalFileStore(tmp_path / "runs", fsync=False)
