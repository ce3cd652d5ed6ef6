"""numpy arrays as .npy files, without pickle; can be mapped into memory when loaded."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec


class NumpyCodec(Codec):
    """Arrays of numbers, strings and structures; arrays of Python objects are pickled instead.

    Options are those of `numpy.save` and `numpy.load`: `mmap_mode="r"` maps the file instead of
    reading it, where there is a file.
    """

    extension: ClassVar[str] = "npy"
    priority: ClassVar[int] = 50

    def handles(self, value: object) -> bool:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or type(value) is not numpy.ndarray:
            return False
        dtype: Any = getattr(value, "dtype")  # noqa: B009  # checked by exact type above
        return not dtype.hasobject and (dtype.kind != "V" or _is_kept(dtype))

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        import numpy as np

        np.save(stream, value, allow_pickle=False, **options)

    def load(self, stream: BinaryIO, *, mmap_mode: Any = None, **options: Any) -> Any:
        import numpy as np

        name = getattr(stream, "name", None)
        if mmap_mode is not None and isinstance(name, str) and stream.tell() == 0:
            return np.load(name, mmap_mode=mmap_mode, allow_pickle=False, **options)
        if not stream.seekable():
            stream = io.BytesIO(stream.read())
        if not options and (array := _read_into(stream)) is not None:
            return array
        return np.load(stream, allow_pickle=False, **options)

    def load_path(self, path: Path, **options: Any) -> Any:
        import numpy as np

        return np.load(path, allow_pickle=False, **options)


def _is_kept(dtype: Any) -> bool:
    """Whether a .npy file knows this dtype; it takes those of other packages for raw bytes."""
    from numpy.lib import format as npy

    try:
        return bool(npy.descr_to_dtype(npy.dtype_to_descr(dtype)) == dtype)
    except (TypeError, ValueError):
        return False


def _read_into(stream: BinaryIO) -> Any:
    """The array of a stream, read into its own memory: numpy copies it there piece by piece.

    None where numpy has to do it; the stream is at its beginning again then.

    Raises:
        ValueError: it ends before the array does.
    """
    import numpy as np
    from numpy.lib import format as npy

    readinto: Any = getattr(stream, "readinto", None)
    start = stream.tell()
    readers: Any = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    reader = readers.get(npy.read_magic(stream)) if readinto is not None else None
    shape, is_fortran, dtype = reader(stream) if reader is not None else ((), False, None)
    if dtype is None or dtype.hasobject or not dtype.itemsize:
        stream.seek(start)
        return None
    array = np.ndarray(math.prod(shape), dtype)
    raw: Any = array.view(np.uint8)
    rest = memoryview(raw)
    while rest:
        count = readinto(rest)
        if not count:
            raise ValueError(f"it ends {len(rest)} bytes before the array does")
        rest = rest[count:]
    return array.reshape(shape[::-1]).T if is_fortran else array.reshape(shape)
