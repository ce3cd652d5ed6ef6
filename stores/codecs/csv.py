"""Rows as a CSV file that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec


class CsvCodec(Codec):
    """On request only. A list of dicts or of lists; every cell comes back as text, None as "".

    The first line holds the names, and dicts come back; with `rows=True`, lists do. A list of
    lists is written as it is, its names included. Other options are those of `csv`.
    """

    extension: ClassVar[str] = "csv"
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        rows = list(value)
        are_dicts = [isinstance(each, Mapping) for each in rows]
        if any(isinstance(each, str) or not isinstance(each, Iterable) for each in rows):
            raise TypeError("only a list of dicts or of rows can be saved as csv")
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        try:
            if rows and all(are_dicts):
                names = list(dict.fromkeys(name for row in rows for name in row))
                writer = csv.DictWriter(text, names, **options)
                writer.writeheader()
                writer.writerows(rows)
            elif any(are_dicts):
                raise TypeError("rows are either all dicts or all lists")
            else:
                csv.writer(text, **options).writerows(rows)
        except csv.Error as error:
            raise ValueError(str(error)) from error
        finally:
            text.detach()

    def load(self, stream: BinaryIO, *, rows: bool = False, **options: Any) -> Any:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        try:
            read: Any = csv.reader if rows else csv.DictReader
            return list(read(text, **options))
        except csv.Error as error:
            raise ValueError(f"it is no CSV, or damaged ({error})") from error
        finally:
            text.detach()
