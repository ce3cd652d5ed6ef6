"""A dashboard over a store, asked without a socket, and stores of every kind."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")

from tests.dashboard.asked import Dashboard  # noqa: E402
from tests.services.fixtures import (  # noqa: E402
    any_store,
    chromium,
    mongo_uri,
    mongodb,
    page,
    postgres,
    s3,
    s3_url,
    uri_of,
)

__all__ = ["any_store", "chromium", "mongo_uri", "mongodb", "page", "postgres", "s3", "s3_url", "uri_of"]  # fmt: skip


@pytest.fixture
def dashboard():
    """Gives the dashboard of a store."""
    opened = []

    def make(store, **how):
        opened.append(Dashboard(store, **how))
        return opened[-1].__enter__()

    yield make
    for each in opened:
        each.__exit__(None, None, None)
