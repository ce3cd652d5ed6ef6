"""How do objects that are nothing but their fields become JSON and back?"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, codecs, refuse_options
from stores.objects import as_plain, from_plain, is_plain


class FieldCodec(Codec):
    """Of plain values and of objects of one kind; others are pickled. There are no options.

    Reading imports the module that the bytes name, so it is refused where pickles are. It runs no
    constructor and no validator: what comes back is what was saved.

    Attributes:
        name: What it is called in errors.
    """

    name: ClassVar[str]
    extension: ClassVar[str] = "json"
    priority: ClassVar[int] = 10
    is_text: ClassVar[bool] = True
    unpickles: ClassVar[bool] = True

    @staticmethod
    @abstractmethod
    def is_one(value: object) -> bool:
        """Whether `value` is of this kind, and its fields describe it fully."""

    def handles(self, value: object) -> bool:
        try:
            return self.is_one(value) and is_plain(value, codecs.find("json")().handles)
        except RecursionError:  # it contains itself
            return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options(self.name, options)
        if not self.handles(value):
            raise TypeError("it holds more than plain fields, or cannot be imported: pickle it")
        text = json.dumps(as_plain(value), ensure_ascii=False)
        stream.write(text.encode("utf-8", "surrogatepass"))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        refuse_options(self.name, options)
        return from_plain(json.loads(stream.read().decode("utf-8", "surrogatepass")))
