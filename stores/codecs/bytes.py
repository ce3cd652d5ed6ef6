"""Bytes as they are."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, refuse_options


class BytesCodec(Codec):
    """Nothing is added and nothing is changed."""

    extension: ClassVar[str] = "bin"
    priority: ClassVar[int] = 30

    def handles(self, value: object) -> bool:
        return type(value) is bytes

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("bytes", options)
        stream.write(value)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        refuse_options("bytes", options)
        return stream.read()
