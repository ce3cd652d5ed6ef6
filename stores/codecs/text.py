"""A string as UTF-8 text."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, refuse_options


class TextCodec(Codec):
    """Line ends are kept as they are."""

    extension: ClassVar[str] = "txt"
    priority: ClassVar[int] = 30
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return type(value) is str

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("text", options)
        if not isinstance(value, str):
            raise TypeError("only a str can be saved as text: make it one, or name another type")
        stream.write(value.encode("utf-8", "surrogatepass"))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return self.from_text(stream.read().decode("utf-8", "surrogatepass"), **options)

    def from_text(self, text: str, **options: Any) -> Any:
        refuse_options("text", options)
        return text
