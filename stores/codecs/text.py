"""A string as text: in UTF-8, unless `open_kwargs` name another encoding."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, refuse_options
from stores.open_options import OPEN, decoded_text, encoded_text


class TextCodec(Codec):
    """Line ends are kept as they are."""

    extension: ClassVar[str] = "txt"
    priority: ClassVar[int] = 30
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return type(value) is str

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        open_kwargs = options.pop(OPEN, None)
        refuse_options("text", options)
        if not isinstance(value, str):
            raise TypeError("only a str can be saved as text: make it one, or name another type")
        stream.write(encoded_text(value, open_kwargs))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        open_kwargs = options.pop(OPEN, None)
        refuse_options("text", options)
        return decoded_text(stream.read(), open_kwargs)

    def from_text(self, text: str, **options: Any) -> Any:
        return self.from_bytes(text.encode(), **options) if options else text
