"""Stores of every kind for tests that hold for all of them; servers are started once a session."""

from __future__ import annotations

import os
import shutil

import pytest

from stores import InMemoryStore, LocalFileStore, open_store

SHARED = ("file", "sqlite", "postgresql", "mongodb")
"""The kinds of store that other processes see, too."""


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL."""
    pytest.importorskip("psycopg")
    from tests.services.postgresql import PostgresServer

    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def mongodb():
    """The URI of a real mongod, or of the one that FLOWLIB_TEST_MONGODB names."""
    pytest.importorskip("pymongo")
    from tests.services.mongodb import MongoServer

    given = os.environ.get("FLOWLIB_TEST_MONGODB")
    if given:
        yield given
        return
    server = MongoServer()
    try:
        server.start()
        yield server.uri
    finally:
        server.close()


@pytest.fixture
def mongo_uri(mongodb):
    """The URI of an empty database, which is dropped in the end."""
    import pymongo

    name = f"t_{os.urandom(6).hex()}"
    base, question, options = mongodb.partition("?")
    yield f"{base.rstrip('/')}/{name}{question}{options}"
    with pymongo.MongoClient(mongodb) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def s3():
    """A real server with the protocol of S3."""
    pytest.importorskip("boto3")
    from tests.services.s3 import S3Server

    server = S3Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def s3_url(s3, monkeypatch):
    """The URL of an empty store in S3; the environment says where the server is."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3.new_url()


@pytest.fixture(scope="session")
def chromium():
    """A real Chromium."""
    pytest.importorskip("playwright")
    from tests.services.chromium import PROGRAM, Chromium

    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} not installed; `make system` says how")
    browser = Chromium()
    try:
        browser.start()
        yield browser
    finally:
        browser.close()


@pytest.fixture
def page(chromium):
    """An empty page of a real Chromium; it must ask for nothing and complain of nothing."""
    page = chromium.new_page()
    try:
        yield page
    finally:
        page.close()
    assert page.requests == []
    assert page.complaints == []


@pytest.fixture
def uri_of(tmp_path, request):
    """Gives the URI of an empty store of a kind."""
    lent = []

    def uri(kind):
        if kind == "postgresql":
            server = request.getfixturevalue("postgres")
            lent.append((server, server.new_database()))
            return lent[-1][1]
        if kind == "mongodb":
            return request.getfixturevalue("mongo_uri")
        if kind == "s3":
            return request.getfixturevalue("s3_url")
        if kind == "sqlite":
            pytest.importorskip("sqlalchemy")
        return {
            "file": f"file:{tmp_path}/runs",
            "sqlite": f"sqlite:///{tmp_path}/runs.db",
            "memory": "memory:",
        }[kind]

    yield uri
    for server, each in lent:
        server.give_back(each)


@pytest.fixture(params=SHARED)
def shared_uri(request, uri_of):
    """The URI of an empty store that other processes see."""
    return uri_of(request.param)


@pytest.fixture(params=("memory", *SHARED))
def any_store(request, uri_of, tmp_path):
    """An empty store of every kind."""
    if request.param == "memory":
        store = InMemoryStore()
    elif request.param == "file":
        store = LocalFileStore(tmp_path / "runs", fsync=False)
    else:
        store = open_store(uri_of(request.param))
    yield store
    store.close()
