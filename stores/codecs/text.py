"""A string as UTF-8 text."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec


class TextCodec(Codec):
    """Line ends are kept as they are."""

    extension: ClassVar[str] = "txt"
    priority: ClassVar[int] = 30
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return type(value) is str

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        stream.write(str(value).encode("utf-8", "surrogatepass"))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return stream.read().decode("utf-8", "surrogatepass")
