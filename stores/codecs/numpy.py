"""numpy arrays as .npy files, without pickle; can be mapped into memory when loaded."""

from __future__ import annotations

import io
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
