"""Which store does a command mean? `--store`, the settings, or `.flowlib` in the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from flowlib.next_commands import default_store_uri
from stores import ResultsStore, StoreError, open_store
from stores.uri import anchored

_FILE: Final = "file:"
_MARKS: Final = frozenset({".flowlib-store", ".runs", ".submitted"})
"""What is in the folder of a store, whatever has used it first."""


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
        must_exist: Whether a folder without a store is an error; else it is made when needed.

    Raises:
        StoreError: it cannot be opened, or there is none.
    """
    uri = store_uri(given)
    place = _place(uri)
    if uri.startswith(_FILE) and os.path.isfile(place):  # noqa: PTH113  # any text
        raise StoreError(f"{place} is a file, and a store is a folder: name one with --store URI")
    if must_exist and place and not _has_store(place):
        raise StoreError(
            f"there is no store in {place}: run something, or name a store with --store URI"
        )
    return open_store(uri)


def _has_store(place: str) -> bool:
    """Whether there is a store, or room for one: a file, a marked folder, or an empty one."""
    try:
        names = os.listdir(place)  # noqa: PTH208  # any text
    except FileNotFoundError:
        return False
    except OSError:
        return True  # a database, or a folder of which the store says what is wrong
    return not names or not _MARKS.isdisjoint(names)


def _place(uri: str) -> str:
    """The folder or file of a store; empty if it is neither, or only its backend can tell."""
    scheme, _, rest = uri.partition(":")
    if scheme == "file":
        return rest
    path = rest.removeprefix("///").partition("?")[0]
    is_file = scheme.partition("+")[0] == "sqlite" and path != rest and not path.startswith(":")
    return path if is_file else ""
