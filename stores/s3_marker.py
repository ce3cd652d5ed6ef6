"""Does a server refuse writes whose condition does not hold? Asked before all else."""

from __future__ import annotations

import json
from typing import Any, Final

from botocore.exceptions import ClientError

from stores.errors import RecordTooNew, StoreError
from stores.s3_errors import is_absent, is_condition, is_denied, is_not_served

MARKER: Final = ".flowlib-store"
"""Name of the object that tells the version of a store."""

VERSION: Final = 1
"""Of the objects. Newer ones are refused."""

_BODY: Final = json.dumps({"version": VERSION}).encode()


def check_server(client: Any, bucket: str, key: str, name: str) -> None:
    """See that a server has conditional writes, and that the store is not too new.

    Who may only read is not asked for more.

    Args:
        client: Of boto3.
        bucket: Its name.
        key: Of the marker, which is made if there is none.
        name: Of the store, for errors.

    Raises:
        StoreError: the server ignores conditions.
        RecordTooNew: the objects are those of a newer flowlib.
    """
    where, is_new = {"Bucket": bucket, "Key": key}, False
    try:
        is_new = _is_written(client, where, name, IfNoneMatch="*")
        if (is_new and _is_written(client, where, name, IfNoneMatch="*")) or _is_written(
            client, where, name, IfMatch='"0123456789abcdef0123456789abcdef"'
        ):
            raise StoreError(
                f"{name}: this server ignores the conditions of writes (If-None-Match and If-Match "
                f"of PutObject), so two processes would compute one key and overwrite each other: "
                f"use a server that has them, or another kind of store"
            )
    except ClientError as error:
        if not is_denied(error):
            raise
    etag = _checked_version(client, where, name)
    if is_new and not _is_written(client, where, name, IfMatch=etag):
        raise StoreError(
            f"{name}: this server refuses to replace an object whose ETag it has just told "
            f"(If-Match of PutObject): use a server that does, or another kind of store"
        )


def _is_written(client: Any, where: dict[str, str], name: str, **condition: str) -> bool:
    """Whether the marker was written, or refused because of the condition."""
    try:
        client.put_object(**where, Body=_BODY, **condition)
    except ClientError as error:
        if is_condition(error):
            return False
        if is_not_served(error):
            raise StoreError(
                f"{name}: this server has no conditional writes (If-None-Match and If-Match of "
                f"PutObject), so two processes would compute one key: use a server that has them, "
                f"or another kind of store"
            ) from None
        raise
    return True


def _checked_version(client: Any, where: dict[str, str], name: str) -> str:
    """The ETag of the marker; empty if there is none."""
    try:
        answer = client.get_object(**where)
    except ClientError as error:
        if is_absent(error):
            return ""
        raise
    try:
        found = json.loads(answer["Body"].read())["version"]
    except (ValueError, KeyError, TypeError):
        found = None
    if isinstance(found, int) and found > VERSION:
        raise RecordTooNew(
            f"{name} has objects of version {found}, this flowlib knows up to {VERSION}: use the "
            f"flowlib that made them, or a newer one"
        )
    return str(answer["ETag"])
