"""Which store does a URI mean? Its scheme names the backend, the rest is the backend's affair."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from stores.errors import StoreError, UnknownPlugin
from stores.registry import Registry
from stores.store import ResultsStore

backends: Registry[ResultsStore] = Registry("store", ResultsStore, "stores.backends")  # type: ignore[type-abstract]  # the registry returns concrete classes only

_PATH_OPTIONS: Final[Mapping[str, str]] = {"file": "base_dir", "readonly": "store"}
"""The option that takes what follows the colon of a URI."""

_SCHEMES: Final[Mapping[str, str]] = {
    "sqlite": "sql",
    "postgres": "sql",
    "postgresql": "sql",
    "mongodb+srv": "mongodb",
}
"""The backends that serve schemes of another name."""

_WITHOUT_URI: Final = frozenset({"layered", "split", "sql"})
"""The backends that no URI means: mappings name them."""

_URL_OPTIONS: Final[Mapping[str, str]] = {"sql": "url", "mongodb": "host", "s3": "url"}
"""The option that takes a whole URI."""


_EXTRAS: Final[Mapping[str, str]] = {"sql": "sql", "mongodb": "mongodb", "s3": "s3"}
"""The extras of this distribution that bring what a backend imports."""


def open_store(where: str | Mapping[str, Any], *, project: str = "") -> ResultsStore:
    """Open a store.

    Args:
        where: A URI such as `file:runs`, `memory:`, `sqlite:///runs.db`,
            `postgresql://user:password@host/database` or `mongodb://host/database`; or a mapping
            `{"kind": "file", "options": {"base_dir": "runs"}}`.
        project: Records, queries and deletions see only those of this project.

    Raises:
        UnknownPlugin: there is no such kind of store.
        StoreError: the URI or the mapping is not of that form.
    """
    more = {"project": project} if project else {}
    if isinstance(where, Mapping):
        return _from_mapping(where, more)
    scheme, colon, rest = _checked(where).partition(":")
    if not colon:
        raise StoreError(
            f"{where!r} is no URI of a store: write file:{where} for a folder, or memory:"
        )
    try:
        kind, backend = _backend(scheme)
    except UnknownPlugin:
        known = {*backends.names, *_SCHEMES} - _WITHOUT_URI
        raise UnknownPlugin("store", scheme, known) from None
    if kind in _URL_OPTIONS and rest:
        return backend(**{_URL_OPTIONS[kind]: where, **more})
    option = _PATH_OPTIONS.get(scheme)
    if option is None:
        if rest:
            raise StoreError(f"{where!r}: nothing is expected after {scheme}:, found {rest!r}")
        return backend(**more)
    if not rest:
        raise StoreError(f"{where!r}: a path is expected after {scheme}:")
    return backend(**{option: rest.removeprefix("//"), **more})


def _checked(where: object) -> str:
    if not isinstance(where, str):
        raise TypeError(
            f"open_store takes a URI such as 'file:runs' or 'sqlite:///runs.db', or a mapping, not "
            f"{where!r}: LocalFileStore takes a folder"
        )
    return where


def anchored(where: str, folder: str) -> str:
    """The URI that means the same store whatever the working directory is.

    Args:
        where: A URI as for `open_store`.
        folder: What a relative path in it is relative to.
    """
    scheme, _, rest = where.partition(":")
    if scheme == "readonly":
        return f"readonly:{anchored(rest, folder)}"
    if scheme == "file" and rest:
        path = os.path.expanduser(rest.removeprefix("//"))  # noqa: PTH111  # keeps "~unknown"
        return f"file:{Path(folder, path)}"
    is_sqlite = scheme.partition("+")[0] == "sqlite"
    path = rest.removeprefix("///")
    if is_sqlite and path != rest and path and not path.startswith(("/", ":")):
        return f"{scheme}:///{Path(folder, path)}"
    return where


def _backend(name: str) -> tuple[str, Callable[..., ResultsStore]]:
    """The kind of store that a scheme means, and its class."""
    kind = _SCHEMES.get(name.partition("+")[0], _SCHEMES.get(name, name))
    try:
        return kind, backends.find(kind)
    except ModuleNotFoundError as error:
        if kind not in _EXTRAS:
            raise
        raise StoreError(
            f"stores of the kind {name} need {error.name}: "
            f"pip install 'flowlib-runner[{_EXTRAS[kind]}]'"
        ) from None


def _from_mapping(where: Mapping[str, Any], more: Mapping[str, Any]) -> ResultsStore:
    unknown = sorted(where.keys() - {"kind", "options"})
    if "kind" not in where or unknown:
        raise StoreError(
            f"a store is {{'kind': …, 'options': {{…}}}}, found the keys {', '.join(where)}"
        )
    options = where.get("options") or {}
    if not isinstance(options, Mapping):
        raise StoreError(f"{where['kind']} store: options are a mapping, not {options!r}")
    try:
        return _backend(where["kind"])[1](**{**options, **more})
    except TypeError as error:
        raise StoreError(f"{where['kind']} store: {error}") from None
