"""Which options of opening a file have to be known again when it is read?

Whoever saves with `open_kwargs={"encoding": "latin-1"}` wrote bytes that are read with the same
option only. It stands among the artifact's options for loading, as `open_kwargs`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

OPEN: Final = "open_kwargs"

_OF_TEXT: Final = frozenset({"encoding", "errors", "newline"})

_OF_A_FILE: Final = frozenset({"buffering"})
"""They change nothing about the bytes."""


def with_open_options(
    load_kwargs: Mapping[str, Any] | None, open_kwargs: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Options for loading that know how the file was opened."""
    kept = {name: each for name, each in (open_kwargs or {}).items() if name not in _OF_A_FILE}
    return {**(load_kwargs or {}), **({OPEN: kept} if kept else {})}


def open_options(load_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """How the file of an artifact was opened when it was written."""
    return dict(load_kwargs.get(OPEN) or {})


def load_options(load_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The other options of an artifact: those of its type."""
    return {name: each for name, each in load_kwargs.items() if name != OPEN}


def fitting(mode: str, open_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those that a binary mode does not take."""
    without = _OF_TEXT if "b" in mode else frozenset[str]()
    return {name: each for name, each in open_kwargs.items() if name not in without}


def encoded_text(text: str, open_kwargs: Mapping[str, Any] | None) -> bytes:
    """Text as a file has it that was opened like this; UTF-8 with its line ends by default.

    Raises:
        ValueError, TypeError: the options, or the text, are none for such a file.
    """
    if not open_kwargs:
        return text.encode("utf-8", "surrogatepass")
    stream = io.BytesIO()
    file = _text_file(stream, open_kwargs)
    file.write(text)
    file.flush()
    return stream.getvalue()


def decoded_text(data: bytes, open_kwargs: Mapping[str, Any] | None) -> str:
    """What `encoded_text` has written."""
    if not open_kwargs:
        return data.decode("utf-8", "surrogatepass")
    return _text_file(io.BytesIO(data), open_kwargs).read()


def _text_file(stream: io.BytesIO, open_kwargs: Mapping[str, Any]) -> io.TextIOWrapper:
    given = {name: each for name, each in open_kwargs.items() if name not in _OF_A_FILE}
    try:
        return io.TextIOWrapper(stream, **{"encoding": "utf-8", "newline": "", **given})
    except LookupError as error:  # an encoding that is none
        raise ValueError(str(error)) from error
