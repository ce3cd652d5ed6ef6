"""What does a result look like, without unpickling it? Text, tables, images, shapes of arrays."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
from collections.abc import Iterator
from typing import Final

from flowlib.dashboard.frame import quoted, table, url
from flowlib.dashboard.markup import Markup, cut, tag
from flowlib.record_story_lines import size_text
from stores import Address, Artifact, ResultsStore, StoreError

_TEXT_BYTES: Final = 32 << 10
_IMAGE_BYTES: Final = 20 << 20
_MOST_ROWS: Final = 20
_MOST_COLUMNS: Final = 30
_LONGEST_CELL: Final = 80
_HEADER_BYTES: Final = 4096
_TEXTS: Final = frozenset(("text", "json", "scalar", "yaml", "dataclass", "pydantic"))
_VERSION_AT: Final = 6
_NPY: Final = b"\x93NUMPY"

IMAGES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
"""How images begin that a browser shows and in which nothing can be run."""


def preview(store: ResultsStore, address: Address, artifact: Artifact) -> Markup | None:
    """What can be seen of an artifact; None if that is nothing."""
    try:
        if artifact.type_ == "csv":
            return _csv(_head(store, address, artifact, _TEXT_BYTES), artifact)
        if artifact.type_ in _TEXTS:
            return _text(_head(store, address, artifact, _TEXT_BYTES), artifact)
        head = _head(store, address, artifact, _HEADER_BYTES)
    except (StoreError, OSError, ValueError) as error:
        return tag("p", f"It cannot be read: {cut(error, 300)}", class_="warning")
    if image_type(head) is not None and artifact.size_bytes <= _IMAGE_BYTES:
        return tag(
            "img", src=artifact_url(address, artifact.name), alt=artifact.name, loading="lazy"
        )
    if head.startswith(_NPY):
        return tag("p", _array(head), class_="config")
    return None


def image_type(head: bytes) -> str | None:
    """The media type of an image that begins so; None of anything else."""
    return next((type_ for begin, type_ in IMAGES.items() if head.startswith(begin)), None)


def artifact_url(address: Address, name: str) -> str:
    """The address of the bytes of an artifact."""
    return url("/artifact", task=address.task, key=address.key, name=name)


def chunks(store: ResultsStore, address: Address, artifact: Artifact) -> Iterator[bytes]:
    """The bytes of an artifact, piece by piece; of a folder as a tar.

    Raises:
        StoreError: they are gone.
    """
    _, opened = store.portable_stream(address, artifact)
    with opened as stream:
        while data := stream.read(1 << 18):
            yield data


def _head(store: ResultsStore, address: Address, artifact: Artifact, length: int) -> bytes:
    if artifact.encoding in ("folder", "tar"):
        return b""
    with store.artifact_stream(address, artifact) as stream:
        return stream.read(length)


def _text(head: bytes, artifact: Artifact) -> Markup:
    text = head.decode("utf-8", "replace")
    if artifact.type_ == "json" and len(head) == artifact.size_bytes:
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return tag("div", quoted(text), _rest(head, artifact))


def _csv(head: bytes, artifact: Artifact) -> Markup:
    text = head.decode("utf-8", "replace")
    if len(head) < artifact.size_bytes:
        text = text[: text.rfind("\n") + 1] or text  # of a first line that is longer, its begin
    try:
        rows = [*csv.reader(io.StringIO(text))]
    except csv.Error:
        return _text(head, artifact)
    if not rows:
        return tag("p", "empty")
    first, *others = rows
    lines = [
        tag("tr", *(tag("td", cut(cell, _LONGEST_CELL)) for cell in row[:_MOST_COLUMNS]))
        for row in others[:_MOST_ROWS]
    ]
    shown = table([cut(cell, _LONGEST_CELL) for cell in first[:_MOST_COLUMNS]], lines)
    more = len(others) - len(lines)
    note = tag("p", f"and more rows: {more:,} of those that were read") if more > 0 else None
    return tag("div", shown, note, _rest(head, artifact))


def _rest(head: bytes, artifact: Artifact) -> Markup | None:
    left = artifact.size_bytes - len(head)
    return tag("p", f"… and {size_text(left)} more") if left > 0 else None


def _array(head: bytes) -> str:
    """`float32 (64, 3)`, as the header of a .npy file says."""
    start = 10 if head[_VERSION_AT : _VERSION_AT + 1] == b"\x01" else 12
    text = head[start:].partition(b"\n")[0].decode("latin-1")
    try:
        found = ast.literal_eval(text.strip())
        return f"array of {found['descr']}, shape {found['shape']}"
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        return "array"
