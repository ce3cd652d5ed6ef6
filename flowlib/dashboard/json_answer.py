"""
How is JSON answered, whatever names users give? In ASCII: half of a surrogate has no UTF-8.

Long lists are written piece by piece: one text of a large store would take the memory of all of
them, and while it is written no other thread runs, nor the event loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from starlette.responses import JSONResponse, Response, StreamingResponse

_PIECE_CHARACTERS: Final = 1 << 17
_TYPE: Final = "application/json"

_written: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class JsonAnswer(JSONResponse):
    """A short answer in JSON that every reader of JSON can read."""

    def render(self, content: object) -> bytes:
        """The text of the answer."""
        return _written(content).encode("ascii")


def json_answer(document: Mapping[str, Any]) -> Response:
    """The answer that tells a document.

    Args:
        document: In it may stand iterators: they are lists, made and written item by item.
    """
    pieces = _joined(_texts(document))
    begin = [next(pieces, b""), next(pieces, b"")]
    if not begin[1]:
        return Response(begin[0], media_type=_TYPE)
    return StreamingResponse(chain(begin, pieces), media_type=_TYPE)


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    sign = "{"
    for name, value in document.items():
        yield f"{sign}{_written(name)}:"
        sign = ","
        if isinstance(value, (list, tuple, Iterator)):
            yield from _items(iter(value))
        else:
            yield _written(value)
    yield "}" if document else "{}"


def _items(items: Iterator[Any]) -> Iterator[str]:
    sign = "["
    for each in items:
        yield sign
        yield _written(each)
        sign = ","
    yield "]" if sign == "," else "[]"


def _joined(texts: Iterator[str]) -> Iterator[bytes]:
    """The same in pieces that are worth sending."""
    kept: list[str] = []
    size = 0
    for each in texts:
        kept.append(each)
        size += len(each)
        if size >= _PIECE_CHARACTERS:
            yield "".join(kept).encode("ascii")
            kept, size = [], 0
    if kept:
        yield "".join(kept).encode("ascii")
