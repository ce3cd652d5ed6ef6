"""Where do tests of direct calls and of failures run, and where do their tasks note it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from stores import InMemoryStore, LocalFileStore


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where tasks note that they have run."""
    path = tmp_path / "noted"
    path.mkdir()
    return str(path)


@pytest.fixture(params=["memory-1", "memory-2", "file-1", "file-2"])
def place(request, tmp_path):
    """A store, and how many workers."""
    kind, workers = request.param.split("-")
    store = InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path / "s", fsync=False)
    return {"results_store": store, "num_workers": int(workers)}
