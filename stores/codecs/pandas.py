"""pandas data frames and series as Parquet files."""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO, ClassVar, Final

from stores.codec import Codec, is_installed, library

_SERIES: Final = b"stores.series"
"""Where a file keeps the name of a series, as JSON."""

_UNITS: Final = ("ms", "us", "ns")
"""Parquet knows no seconds."""


class PandasCodec(Codec):
    """Frames and series of numbers, text and times, under names that are text.

    What Parquet does not give back exactly is pickled: columns of objects or categories, names
    that are no text, several levels, `attrs`, a frequency. Options are those of
    `pyarrow.parquet.write_table` and `read_table`: `columns=[…]` reads some.
    """

    extension: ClassVar[str] = "parquet"
    priority: ClassVar[int] = 10

    def handles(self, value: object) -> bool:
        pandas: Any = sys.modules.get("pandas")
        kinds = (getattr(pandas, "DataFrame", None), getattr(pandas, "Series", None))
        if pandas is None or type(value) not in kinds or not is_installed("pyarrow"):
            return False
        return _is_exact(pandas, value)

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        pyarrow: Any = library("pyarrow", "pandas")
        parquet: Any = library("pyarrow.parquet", "pandas")
        pandas: Any = library("pandas", "pandas")
        is_series = isinstance(value, pandas.Series)
        if not isinstance(value, (pandas.DataFrame, pandas.Series)):
            raise TypeError("only a pandas.DataFrame or Series can be saved as pandas")
        table = pyarrow.Table.from_pandas(value.to_frame("value") if is_series else value)
        if is_series:
            mark = {_SERIES: json.dumps(value.name)}
            table = table.replace_schema_metadata({**table.schema.metadata, **mark})
        parquet.write_table(table, stream, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        library("pandas", "pandas")
        parquet: Any = library("pyarrow.parquet", "pandas")
        try:
            table = parquet.read_table(stream, **options)
        except OSError as error:
            raise ValueError(f"it is no Parquet file, or a damaged one ({error})") from error
        mark = (table.schema.metadata or {}).get(_SERIES)
        # Columns are handed over one by one, so that the table and the frame are never both whole.
        frame = table.to_pandas(split_blocks=True, self_destruct=True)
        return frame if mark is None else frame["value"].rename(json.loads(mark))


def _is_exact(pandas: Any, value: Any) -> bool:
    if value.attrs or not value.flags.allows_duplicate_labels:
        return False
    if isinstance(value, pandas.Series):
        names, types = {value.name}, [value.dtype]
        has_names = value.name is None or _is_text(value.name)
    else:
        names, types = set(value.columns), list(value.dtypes)
        has_names = 0 < len(names) == len(types) and _are_names(pandas, value.columns)
    return (
        has_names
        and all(_is_kept(pandas, each) for each in types)
        and _is_index(pandas, value.index, names)
    )


def _are_names(pandas: Any, columns: Any) -> bool:
    """Whether the columns are what a file gives back: one level of text, without a name."""
    usual = pandas.Index(["a"]).dtype
    is_usual = type(columns) is pandas.Index and columns.dtype == usual and columns.name is None
    return is_usual and all(map(_is_text, columns))


def _is_index(pandas: Any, index: Any, names: set[Any]) -> bool:
    """Whether a file gives this index back, beside columns of these names."""
    if isinstance(index, pandas.MultiIndex) or getattr(index, "freq", None) is not None:
        return False
    is_named = index.name is None or (_is_text(index.name) and index.name not in {*names, "value"})
    return is_named and (type(index) is pandas.RangeIndex or _is_kept(pandas, index.dtype))


def _is_text(name: object) -> bool:
    is_free = type(name) is str and not name.startswith("__index_level_")
    return is_free and not any("\ud800" <= each <= "\udfff" for each in str(name))


def _is_kept(pandas: Any, dtype: Any) -> bool:
    """Whether a column of this type comes back with it."""
    if isinstance(dtype, pandas.StringDtype):
        return bool(dtype == "str")  # the text type of pandas 3; older text columns hold objects
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return dtype.unit in _UNITS and type(dtype.tz).__name__ == "ZoneInfo"
    kind = getattr(dtype, "kind", "O")
    if type(dtype).__module__.split(".")[0] != "numpy" or not dtype.isnative:
        return False
    if kind in "mM":
        return str(dtype)[-3:-1] in _UNITS
    return kind in "biu" or (kind == "f" and dtype.itemsize in (4, 8))
