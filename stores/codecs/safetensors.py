"""Named arrays as safetensors files: no pickle, and tools of other languages read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from stores.codec import (
    Codec,
    is_installed,
    library,
    read_by_file,
    refuse_options,
    write_by_file,
)

_TYPES: Final = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
)
_RESERVED: Final = "__metadata__"

_SMALL_BYTES: Final = 1 << 20
"""What is larger goes by way of a file: the streams of the library are bytes in memory."""

_LONGEST_HEADER: Final = 100_000_000
"""In bytes, as the library has it."""


class SafetensorsCodec(Codec):
    """A dict of numpy arrays; on request one of torch tensors, which comes back as that.

    Tensors come back on the CPU and without gradients. There are no options.
    """

    extension: ClassVar[str] = "safetensors"
    priority: ClassVar[int] = 10

    def handles(self, value: object) -> bool:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or type(value) is not dict or not value:
            return False
        are_exact = all(_is_exact(numpy, name, each) for name, each in value.items())
        return are_exact and is_installed("safetensors")

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("safetensors", options)
        kind, arrays, metadata = _prepared(value)
        if sum(each.nbytes for each in arrays.values()) > _SMALL_BYTES:
            write_by_file(stream, lambda path: _save(kind, arrays, path, metadata))
        else:
            stream.write(_told(arrays, lambda: _library(kind).save(arrays, metadata=metadata)))

    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        refuse_options("safetensors", options)
        kind, arrays, metadata = _prepared(value)
        _save(kind, arrays, path, metadata)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        refuse_options("safetensors", options)
        if stream.seekable():
            start, data = stream.tell(), stream.read(_SMALL_BYTES + 1)
            if len(data) <= _SMALL_BYTES:
                return _read(_metadata(data), "load", data)
            stream.seek(start)
        return read_by_file(stream, self.load_path)

    def load_path(self, path: Path, **options: Any) -> Any:
        refuse_options("safetensors", options)
        with path.open("rb") as stream:
            start = stream.read(8)
            header = start + stream.read(_header_size(start))
        return _read(_metadata(header), "load_file", str(path))


def _is_exact(numpy: Any, name: object, array: Any) -> bool:
    if type(name) is not str or name == _RESERVED or type(array) is not numpy.ndarray:
        return False
    has_type = array.dtype.name in _TYPES and array.dtype.isnative
    return has_type and not any("\ud800" <= each <= "\udfff" for each in name)


def _prepared(value: Any) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Which library writes a value, what it is given, and what the file keeps beside it."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise TypeError("only a dict of arrays or tensors under names can be saved as safetensors")
    is_torch = any(type(each).__module__.startswith("torch") for each in value.values())
    kind = "torch" if is_torch else "numpy"
    metadata = {"framework": kind, "order": json.dumps(list(value))}
    if is_torch:
        return kind, {name: each.detach().contiguous() for name, each in value.items()}, metadata
    numpy: Any = library("numpy", "safetensors")
    # The library writes the memory of an array as it lies there, so transposed ones are copied.
    arrays = {name: numpy.asarray(each, order="C") for name, each in value.items()}
    return kind, arrays, metadata


def _save(kind: str, arrays: dict[str, Any], path: Path, metadata: dict[str, str]) -> None:
    save_file = _library(kind).save_file
    _told(arrays, lambda: save_file(arrays, str(path), metadata=metadata))


def _told(arrays: Mapping[str, Any], save: Callable[[], Any]) -> Any:
    """What `save` gives.

    Raises:
        ValueError: tensors share memory; the message says which.
    """
    try:
        return save()
    except RuntimeError as error:
        names: dict[int, list[str]] = {}
        for name, each in arrays.items():
            if hasattr(each, "untyped_storage"):
                names.setdefault(each.untyped_storage().data_ptr(), []).append(name)
        shared = [", ".join(map(repr, each)) for each in names.values() if len(each) > 1]
        if not shared:
            raise
        raise ValueError(
            f"the tensors {' and '.join(shared)} share memory, which safetensors files do not "
            f'keep: save copies made by .clone(), or use type_="torch"'
        ) from error


def _metadata(data: bytes) -> dict[str, str]:
    """What the header of a file keeps beside the arrays."""
    header = json.loads(data[8 : 8 + _header_size(data)])
    found = header.get(_RESERVED, {}) if isinstance(header, dict) else {}
    return dict(found)


def _header_size(data: bytes) -> int:
    size = int.from_bytes(data[:8], "little")
    if size > _LONGEST_HEADER:
        raise ValueError("it is no safetensors file, or a damaged one: its header has no end")
    return size


def _library(kind: str) -> Any:
    return library("safetensors.torch" if kind == "torch" else "safetensors.numpy", "safetensors")


def _read(metadata: Mapping[str, str], function: str, source: bytes | str) -> dict[str, Any]:
    from safetensors import SafetensorError

    try:
        found = getattr(_library(metadata.get("framework", "numpy")), function)(source)
    except SafetensorError as error:
        raise ValueError(f"it is no safetensors file, or a damaged one ({error})") from error
    order = json.loads(metadata.get("order", "null")) or list(found)
    return {name: found[name] for name in order}
