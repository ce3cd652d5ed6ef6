"""Dataclasses as JSON: the name of the class and its fields."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, codecs, refuse_options
from stores.objects import as_plain, from_plain, is_dataclass_value, is_plain


class DataclassCodec(Codec):
    """Of plain values and of such objects; others are pickled. There are no options.

    Reading imports the module that the bytes name, so it is refused where pickles are. It runs no
    constructor and no validator: what comes back is what was saved.
    """

    extension: ClassVar[str] = "json"
    priority: ClassVar[int] = 10
    is_text: ClassVar[bool] = True
    unpickles: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        try:
            return is_dataclass_value(value) and is_plain(value, codecs.find("json")().handles)
        except RecursionError:  # it contains itself
            return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("dataclass", options)
        if not self.handles(value):
            raise TypeError("it holds more than plain fields, or cannot be imported: pickle it")
        text = json.dumps(as_plain(value), ensure_ascii=False)
        stream.write(text.encode("utf-8", "surrogatepass"))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        refuse_options("dataclass", options)
        return from_plain(json.loads(stream.read().decode("utf-8", "surrogatepass")))
