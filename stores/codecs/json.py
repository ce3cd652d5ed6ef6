"""Plain values as JSON: dicts with str keys, lists, str, int, float, bool, None."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec

_SCALARS = (str, int, float, bool, type(None))


class JsonCodec(Codec):
    """NaN and infinities are written as Python's json does."""

    extension: ClassVar[str] = "json"
    priority: ClassVar[int] = 20
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        stack = [value]
        while stack:
            each = stack.pop()
            kind = type(each)
            if kind is dict:
                assert isinstance(each, dict)  # noqa: S101  # for the type checker
                if any(type(key) is not str for key in each):
                    return False
                stack.extend(each.values())
            elif kind is list:
                assert isinstance(each, list)  # noqa: S101  # for the type checker
                stack.extend(each)
            elif kind not in _SCALARS:
                return False
        return True

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        stream.write(self.to_bytes(value, **options))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return json.loads(stream.read(), **options)

    def to_bytes(self, value: Any, **options: Any) -> bytes:
        return json.dumps(value, **options).encode("utf-8", "surrogatepass")

    def from_bytes(self, data: bytes, **options: Any) -> Any:
        return json.loads(data, **options)

    def from_text(self, text: str, **options: Any) -> Any:
        return json.loads(text, **options)
