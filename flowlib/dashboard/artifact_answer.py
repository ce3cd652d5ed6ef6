"""The bytes of one artifact for a browser: images are shown, all else is saved, nothing is run."""

from __future__ import annotations

from itertools import chain
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from flowlib.dashboard.json_answer import JsonAnswer
from flowlib.dashboard.previews import chunks, image_type
from stores import Address, RecordTooNew, ResultsStore, StoreError
from stores.codec import codecs
from stores.matching import artifacts_in_force

_NAMES: Final = ("task", "key", "name")


def artifact_answer(store: ResultsStore, request: Request) -> Response:
    """The artifact that `?task=…&key=…&name=…` means; paths and files have no names here."""
    given = request.query_params
    task, key, name = (given.get(each, "") for each in _NAMES)
    try:
        record = store.record(Address(task, key))
    except (RecordTooNew, StoreError):
        record = None
    found = artifacts_in_force(record).get(name) if record is not None else None
    if found is None:
        return JsonAnswer({"detail": "there is no such result"}, status_code=404)
    artifact = found[1]
    try:
        portable = store.portable(artifact)
        pieces = chunks(store, Address(task, key), artifact)
        first = next(pieces, b"")
    except (StoreError, OSError) as error:
        return JsonAnswer({"detail": f"it cannot be read: {error}"}, status_code=404)
    media = image_type(first)
    headers = (
        {}
        if media
        else {"content-disposition": _attachment(name, portable.type_, portable.encoding)}
    )
    return StreamingResponse(
        chain([first], pieces), media_type=media or "application/octet-stream", headers=headers
    )


def _attachment(name: str, type_: str, encoding: str) -> str:
    """How a browser is told to save it, and under which name."""
    ending = ".tar" if encoding == "tar" else ""
    if not ending:
        try:
            ending = f".{codecs.find(type_).extension}"
        except StoreError:
            ending = ""
    return f"attachment; filename*=UTF-8''{quote(name + ending, safe='', errors='replace')}"
