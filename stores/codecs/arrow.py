"""pyarrow tables as Parquet files."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library


class ArrowCodec(Codec):
    """Tables of numbers, text, bytes, times and lists of these; others are pickled.

    Options are those of `pyarrow.parquet.write_table` and `read_table`: `columns=[…]` reads some.
    """

    extension: ClassVar[str] = "parquet"
    priority: ClassVar[int] = 10

    def handles(self, value: object) -> bool:
        pyarrow: Any = sys.modules.get("pyarrow")
        if pyarrow is None or type(value) is not getattr(pyarrow, "Table", None):
            return False
        fields = list(getattr(value, "schema"))  # noqa: B009  # checked by exact type above
        has_names = len({field.name for field in fields}) == len(fields) > 0
        return has_names and all(_is_exact(pyarrow, field) for field in fields)

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        parquet: Any = library("pyarrow.parquet", "arrow")
        if not isinstance(value, library("pyarrow", "arrow").Table):
            raise TypeError("only a pyarrow.Table can be saved as arrow")
        # By the other naming of Parquet, the items of lists would come back as `element`.
        options = {"use_compliant_nested_type": False, **options}
        parquet.write_table(value, stream, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        parquet: Any = library("pyarrow.parquet", "arrow")
        try:
            return parquet.read_table(stream, **options)
        except OSError as error:
            raise ValueError(f"it is no Parquet file, or a damaged one ({error})") from error


def _is_exact(pyarrow: Any, field: Any) -> bool:
    """Whether Parquet keeps the values and the type of a column."""
    types, kind = pyarrow.types, field.type
    while types.is_list(kind) or types.is_large_list(kind):
        if kind.value_field.name != "item" or not kind.value_field.nullable:
            return False
        kind = kind.value_type
    is_time = types.is_timestamp(kind) and kind.unit != "s"  # Parquet knows no seconds
    kinds = ("boolean", "integer", "float32", "float64", "string", "large_string", "binary")
    return is_time or any(getattr(types, f"is_{each}")(kind) for each in (*kinds, "date32"))
