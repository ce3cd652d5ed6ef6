"""numpy arrays as .npy files, without pickle; can be mapped into memory when loaded."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec


class NumpyCodec(Codec):
    """Arrays of numbers, strings and structures; arrays of Python objects are pickled instead."""

    extension: ClassVar[str] = "npy"
    priority: ClassVar[int] = 50

    def handles(self, value: object) -> bool:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or type(value) is not numpy.ndarray:
            return False
        array: Any = value
        return not array.dtype.hasobject

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        import numpy as np

        np.save(stream, value, allow_pickle=False, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        import numpy as np

        if not stream.seekable():
            stream = io.BytesIO(stream.read())
        options.pop("mmap_mode", None)
        return np.load(stream, allow_pickle=False, **options)

    def load_path(self, path: Path, **options: Any) -> Any:
        """Read an array; `mmap_mode="r"` maps the file instead of copying it."""
        import numpy as np

        return np.load(path, allow_pickle=False, **options)
