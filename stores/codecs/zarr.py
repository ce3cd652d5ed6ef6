"""Named arrays as a zipped zarr group; dicts inside the dict are its groups."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from stores.codec import Codec, library, read_by_file, refuse_options, write_by_file

_ORDER: Final = "stores.order"


class ZarrCodec(Codec):
    """On request only. Arrays come back as numpy arrays, numbers as arrays without dimensions.

    Options for saving are those of `Group.create_array` for every array: `chunks=(100, 100)`.
    """

    extension: ClassVar[str] = "zip"

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        write_by_file(stream, lambda path: self.dump_path(value, path, **options))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return read_by_file(stream, lambda path: self.load_path(path, **options))

    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        zarr: Any = library("zarr", "zarr")
        order = _order(value)
        with zarr.storage.ZipStore(path, mode="w") as store:
            _fill(zarr.create_group(store, attributes=order), value, options)

    def load_path(self, path: Path, **options: Any) -> Any:
        refuse_options("zarr", options)
        zarr: Any = library("zarr", "zarr")
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no zip file, or a damaged one")
        with zarr.storage.ZipStore(path, mode="r") as store:
            return _content(zarr.open_group(store, mode="r"))


def _order(value: Any) -> dict[str, str]:
    """The names of a group in their order, which zarr does not keep."""
    if not isinstance(value, Mapping):
        raise TypeError("only a dict of arrays, or of such dicts, can be saved as zarr")
    for name in value:
        if not isinstance(name, str) or not name.strip(".") or "/" in name or name[:2] == "__":
            raise ValueError(f"{name!r} is no name for an array in a zarr group")
    return {_ORDER: json.dumps(list(value))}


def _fill(group: Any, value: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    import numpy as np

    for name, each in value.items():
        if isinstance(each, Mapping):
            _fill(group.create_group(name, attributes=_order(each)), each, options)
        else:
            group.create_array(name, data=np.asarray(each), **options)


def _content(group: Any) -> dict[str, Any]:
    import numpy as np

    order = json.loads(group.attrs.get(_ORDER, "null")) or sorted(group.keys())
    found = {name: group[name] for name in order}
    return {
        name: np.asarray(each[...]) if hasattr(each, "dtype") else _content(each)
        for name, each in found.items()
    }
