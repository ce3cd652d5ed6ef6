"""Objects that hold large arrays, by joblib. Reading runs code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library


class JoblibCodec(Codec):
    """On request only. Options are those of `joblib.dump` and `joblib.load`.

    `compress=3` makes files smaller, `mmap_mode="r"` maps the arrays of files that are not
    compressed. Loading with `allow_pickle=False` is refused as for pickles.
    """

    extension: ClassVar[str] = "joblib"
    unpickles: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        library("joblib", "joblib").dump(value, stream, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return _load(stream, options)

    def load_path(self, path: Path, **options: Any) -> Any:
        return _load(str(path), options)


def _load(source: BinaryIO | str, options: dict[str, Any]) -> Any:
    import pickle
    import zlib

    try:
        return library("joblib", "joblib").load(source, **options)
    except (pickle.UnpicklingError, zlib.error, KeyError, IndexError) as error:
        raise ValueError(f"it is no file of joblib, or a damaged one ({error})") from error
