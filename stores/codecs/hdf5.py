"""Named arrays as one HDF5 file; dicts inside the dict are its groups."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library, write_by_file


class Hdf5Codec(Codec):
    """On request only. Arrays come back as numpy arrays, numbers as arrays without dimensions.

    Options for saving are those of `create_dataset` for every array: `compression="gzip"`.
    """

    extension: ClassVar[str] = "h5"

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        write_by_file(stream, lambda path: _write(value, path, options))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        seekable = stream if stream.seekable() else io.BytesIO(stream.read())
        return _read(seekable, options)

    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        _write(value, path, options)

    def load_path(self, path: Path, **options: Any) -> Any:
        return _read(path, options)


def _write(value: Any, target: BinaryIO | Path, options: Mapping[str, Any]) -> None:
    with library("h5py", "hdf5").File(target, "w", track_order=True) as file:
        _fill(file, value, options)


def _fill(group: Any, value: Any, options: Mapping[str, Any]) -> None:
    if not isinstance(value, Mapping):
        raise TypeError("only a dict of arrays, or of such dicts, can be saved as hdf5")
    for name, each in value.items():
        if not isinstance(name, str) or name in ("", ".") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is no name for an array in an HDF5 file")
        if isinstance(each, Mapping):
            _fill(group.create_group(name, track_order=True), each, options)
        else:
            group.create_dataset(name, data=each, **options)


def _read(source: BinaryIO | Path, options: Mapping[str, Any]) -> dict[str, Any]:
    with library("h5py", "hdf5").File(source, "r", **options) as file:
        return _content(file)


def _content(group: Any) -> dict[str, Any]:
    is_group = group.file.__class__.__mro__[1]  # h5py.Group, of which a file is one
    return {
        name: _content(each) if isinstance(each, is_group) else _array(each)
        for name, each in group.items()
    }


def _array(dataset: Any) -> Any:
    import numpy as np

    return np.asarray(dataset[()])
