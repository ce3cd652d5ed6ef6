"""Plain values as JSON: dicts with str keys, lists, str, int, float, bool, None."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, ClassVar, Final

from stores.codec import Codec
from stores.open_options import OPEN, decoded_text, encoded_text
from stores.part_texts import new_encoder

_LONGEST_INT_BITS: Final = 2000
"""Longer ints are printed and read only as far as this process is set to."""

_STR: Final = frozenset({str})

_USUAL: Final = json.JSONEncoder(ensure_ascii=False)
_quick: Final = new_encoder(_USUAL)


class JsonCodec(Codec):
    """NaN and infinities are written as Python's json does. Options are those of `json`.

    The text is in UTF-8, unless `open_kwargs` name another encoding.

    Named as a type, it writes what `json.dumps` takes: tuples come back as lists then.
    """

    extension: ClassVar[str] = "json"
    priority: ClassVar[int] = 20
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        try:
            return _is_plain(value)
        except RecursionError:  # it contains itself, or is nested deeper than json reads
            return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        stream.write(self.to_bytes(value, **options))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return self.from_bytes(stream.read(), **options)

    def to_bytes(self, value: Any, **options: Any) -> bytes:
        open_kwargs = options.pop(OPEN, None)
        text = json.dumps(value, **{"ensure_ascii": False, **options}) if options else _text(value)
        return encoded_text(text, open_kwargs)

    def from_bytes(self, data: bytes, **options: Any) -> Any:
        return json.loads(decoded_text(data, options.pop(OPEN, None)), **options)

    def from_text(self, text: str, **options: Any) -> Any:
        return self.from_bytes(text.encode(), **options) if options else json.loads(text)


def _text(value: Any) -> str:
    try:
        return _quick(value)
    except RecursionError:  # it contains itself: the usual encoder says so
        return _USUAL.encode(value)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return set(map(type, value)) <= _STR and all(map(_is_plain, value.values()))
    if kind is list:
        return all(map(_is_plain, value))
    if kind is int:
        return bool(value.bit_length() <= _LONGEST_INT_BITS)
    return kind is str or kind is float or kind is bool or value is None
