"""polars data frames and series as Parquet files, written and read by polars itself."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library

_EXACT = (
    "Boolean Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 "
    "String Binary Date Datetime Duration Time"
)


class PolarsCodec(Codec):
    """Frames of numbers, text, bytes, times and lists of these; others are pickled.

    A `Series` is on request written as a frame of one column and comes back as that. Options are
    those of `write_parquet` and `read_parquet`.
    """

    extension: ClassVar[str] = "parquet"
    priority: ClassVar[int] = 10

    def handles(self, value: object) -> bool:
        polars: Any = sys.modules.get("polars")
        if polars is None or type(value) is not getattr(polars, "DataFrame", None):
            return False
        types: list[Any] = getattr(value, "dtypes")  # noqa: B009  # checked by exact type above
        return bool(types) and all(_is_exact(polars, each) for each in types)

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        polars: Any = library("polars", "polars")
        frame = value.to_frame() if isinstance(value, polars.Series) else value
        if not isinstance(frame, polars.DataFrame):
            raise TypeError("only a polars.DataFrame or Series can be saved as polars")
        frame.write_parquet(stream, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        polars: Any = library("polars", "polars")
        try:
            return polars.read_parquet(stream, **options)
        except (polars.exceptions.PolarsError, OSError) as error:
            raise ValueError(f"it is no Parquet file, or a damaged one ({error})") from error


def _is_exact(polars: Any, dtype: Any) -> bool:
    """Whether Parquet keeps values of this type."""
    while isinstance(dtype, polars.List):
        dtype = dtype.inner
    return type(dtype).__name__ in _EXACT.split()
