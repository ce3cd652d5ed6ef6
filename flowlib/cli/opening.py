"""Which store does a command mean? `--store`, the settings, or `.flowlib` in the project."""

from __future__ import annotations

import os
from pathlib import Path

from flowlib.next_commands import default_store_uri
from stores import ResultsStore, StoreError, open_store
from stores.uri import anchored


def store_uri(given: str | None) -> str:
    """The URI of the store that is meant.

    Args:
        given: What follows `--store`; a relative folder is one of the working directory.
    """
    if given:
        return anchored(given, str(Path.cwd()))
    return default_store_uri()


def opened_store(given: str | None = None, *, must_exist: bool = True) -> ResultsStore:
    """The store that is meant.

    Args:
        given: What follows `--store`.
        must_exist: Whether a folder that is not there is an error; else it is made when needed.

    Raises:
        StoreError: it cannot be opened, or there is none.
    """
    uri = store_uri(given)
    place = _place(uri)
    if must_exist and place and not os.path.exists(place):  # noqa: PTH110  # any text
        raise StoreError(
            f"there is no store in {place}: run something, or name a store with --store URI"
        )
    return open_store(uri)


def _place(uri: str) -> str:
    """The folder or file of a store; empty if it is neither, or only its backend can tell."""
    scheme, _, rest = uri.partition(":")
    if scheme == "file":
        return rest
    path = rest.removeprefix("///").partition("?")[0]
    is_file = scheme.partition("+")[0] == "sqlite" and path != rest and not path.startswith(":")
    return path if is_file else ""
