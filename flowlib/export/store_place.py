"""Where do other processes find the store? By a URI, which may be a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from flowlib.configuration import settings
from flowlib.credentials import is_secret_name, without_secrets
from flowlib.errors import RunError
from flowlib.flow import Flow
from stores import LocalFileStore, ResultsStore, open_store
from stores.lazy_dataclass import dataclass
from stores.uri import anchored

_VARIABLE = "FLOWLIB_STORE"
"""Names the store to commands that are not told one."""

_PASSWORD: Final = re.compile("://[^/@]*:.*@")
"""May be one: rather too many are kept secret here than too few."""

_OPTION: Final = re.compile(
    "passw|passphrase|secret|token|credential|(?:api|access|private|auth)[-_]?key", re.IGNORECASE
)
"""Options of databases put words together: `sslpassword`."""


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A store that processes elsewhere open.

    Attributes:
        store: It, opened here.
        uri: How they find it, whatever their working directory is; it may hold a password.
        is_secret: Whether it does.
    """

    store: ResultsStore
    uri: str = field(repr=False)
    is_secret: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What names it to a command, if everybody may see it."""
        return () if self.is_secret else ("--store", self.uri)

    @property
    def variables(self) -> Mapping[str, str]:
        """What names it to a command otherwise."""
        return {_VARIABLE: self.uri} if self.is_secret else {}


def place_of(flow: Flow, results_store: ResultsStore | str | None) -> StorePlace:
    """Where the results of a flow go that others run.

    Args:
        flow: It.
        results_store: A store, or its URI; None is that of the flow, or of the settings.

    Raises:
        RunError: other processes cannot reach it, or do not know how.
        StoreError: the URI is none.
        TypeError: it is something else.
    """
    if not isinstance(flow, Flow):
        raise TypeError(f"{flow!r} is no flow: give Flow([…])")
    given = flow.results_store if results_store is None else results_store
    store: ResultsStore | None = None if isinstance(given, str) else given
    uri = _uri_of(store) if store is not None else _uri_given(given)
    opened = open_store(uri) if store is None else store
    if not opened.reachable_from_workers:
        raise RunError(
            f"other processes cannot reach {opened!r}: give a store that they reach, such as "
            f"LocalFileStore('runs') on a shared disk, or the URI of a database"
        )
    return StorePlace(opened, uri, _is_secret(uri))


def _uri_given(given: object) -> str:
    if isinstance(given, str):
        return anchored(given, str(Path.cwd()))
    known = settings().store
    if known is None:
        raise RunError(
            "no store is named, and a memory store serves its own process only: give "
            "results_store=LocalFileStore('runs'), or the URI of a database"
        )
    return known


def _uri_of(store: object) -> str:
    if not isinstance(store, ResultsStore):
        raise TypeError(
            f"results_store is {store!r}, which is no store: give LocalFileStore(folder), or a URI"
        )
    if type(store) is LocalFileStore:
        return f"file:{os.path.abspath(store.base_dir)}"  # noqa: PTH100  # no links are followed
    if not store.reachable_from_workers:
        return ""
    raise RunError(
        f"other processes find {store!r} by its URI: give that, such as "
        f"results_store='sqlite:////data/runs.db' or 'mongodb://host/runs'"
    )


def _is_secret(uri: str) -> bool:
    """Whether a URI holds what not everybody may see: a user with a password, or an option."""
    if without_secrets(uri)[1] or _PASSWORD.search(uri):
        return True
    try:
        pairs = parse_qsl(urlsplit(uri).query)
    except ValueError:
        return True  # what cannot be read is not shown
    return any(is_secret_name(name) or _OPTION.search(name) for name in _names(pairs))


def _names(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What is given by options of a URI; some hold several pairs: `properties=name:x,other:y`."""
    for name, value in pairs:
        yield name
        yield from (each.partition(":")[0] for each in value.split(",") if ":" in each)
