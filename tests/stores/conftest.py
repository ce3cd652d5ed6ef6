"""Stores of every kind."""

from tests.services.fixtures import (
    any_store,
    mongo_uri,
    mongodb,
    postgres,
    s3,
    s3_url,
    shared_uri,
    uri_of,
)

__all__ = ["any_store", "mongo_uri", "mongodb", "postgres", "s3", "s3_url", "shared_uri", "uri_of"]
