"""Bytes as they are."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec


class BytesCodec(Codec):
    """Nothing is added and nothing is changed."""

    extension: ClassVar[str] = "bin"
    priority: ClassVar[int] = 30

    def handles(self, value: object) -> bool:
        return type(value) is bytes

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        stream.write(value)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return stream.read()
