"""Which file types does a file store know by the seed's names?"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from stores.files import TypeInfo


def registered_types() -> dict[str, TypeInfo]:
    """The types that a file store knows by the seed's names."""
    return dict(_BUILTIN)


def write_plain(value: Any, file: Any, **options: Any) -> None:
    """Write text or bytes as they are."""
    file.write(value)


def read_plain(file: Any, **options: Any) -> Any:
    """Read text or bytes as they are."""
    return file.read()


def _dump_json(value: Any, file: Any, **options: Any) -> None:
    json.dump(value, file, **options)


def _load_json(file: Any, **options: Any) -> Any:
    return json.load(file, **options)


def _dump_pickle(value: Any, file: Any, **options: Any) -> None:
    pickle.dump(value, file, **options)


def _load_pickle(file: Any, **options: Any) -> Any:
    return pickle.load(file, **options)  # noqa: S301  # as `allow_pickle` says


_BUILTIN: Final[dict[str, TypeInfo]] = {
    "json": TypeInfo(_dump_json, _load_json, "json"),
    "pickle": TypeInfo(_dump_pickle, _load_pickle, "p", is_binary=True),
    "text": TypeInfo(write_plain, read_plain, "txt"),
}


def is_builtin(type_: str, types: Mapping[str, TypeInfo]) -> bool:
    """Whether a name still means what it means without the user's own types."""
    return types.get(type_) == _BUILTIN.get(type_)


def type_of_extension(path: Path) -> str:
    """The type of a file that was written by hand."""
    known = {f".{info.extension}": name for name, info in _BUILTIN.items()}
    return known.get(path.suffix, "bytes")
