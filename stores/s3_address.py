"""What does the address of an S3 store say? Bucket and prefix, and never a password."""

from __future__ import annotations

import os
import re
from typing import Final
from urllib.parse import urlsplit

from stores.errors import StoreError

_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")

_LONGEST_PREFIX: Final = 500
"""Bytes; the key of an object may have 1,024."""


def parsed_address(url: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/prefix`.

    Raises:
        StoreError: it is no such address, or holds credentials.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if "@" in bucket or ":" in bucket:
        raise StoreError(
            "an s3:// address holds no credentials: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and write s3://bucket/prefix"
        )
    if scheme != "s3" or not _BUCKET.fullmatch(bucket):
        raise StoreError(f"{url!r} is no address of a bucket: write s3://bucket/prefix")
    parts = [each for each in prefix.split("/") if each]
    joined = "/".join(parts)
    if {".", ".."} & set(parts) or len(joined.encode("utf-8", "replace")) > _LONGEST_PREFIX:
        raise StoreError(
            f"{url[:100]!r}: a prefix has up to {_LONGEST_PREFIX} bytes and no part . or .."
        )
    return bucket, joined


def checked_endpoint(endpoint_url: str | None) -> str | None:
    """The URL of a server.

    Raises:
        StoreError: it is none, or holds credentials.
    """
    if endpoint_url is None:
        return None
    try:
        found = urlsplit(endpoint_url)
        is_url = found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError:
        is_url = False
    if not is_url or "@" in endpoint_url:
        raise StoreError(
            "endpoint_url is the address of a server without credentials: https://host:port"
        )
    return endpoint_url


def is_amazon(endpoint_url: str | None) -> bool:
    """Whether buckets have host names of their own, as far as settings tell."""
    given = (
        endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    )
    return given is None or ".amazonaws." in given
