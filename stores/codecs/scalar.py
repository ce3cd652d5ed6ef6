"""Scalars of numpy as JSON, so that a metric is readable and comes back with its dtype."""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, refuse_options


class ScalarCodec(Codec):
    """Booleans, ints, floats, complex numbers and strings, each up to the width of Python's."""

    extension: ClassVar[str] = "json"
    priority: ClassVar[int] = 50
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or not isinstance(value, numpy.generic):
            return False
        is_own = getattr(numpy, type(value).__name__, None) is type(value)
        is_date = value.dtype.kind in "mM"  # their unit is no part of the class
        return is_own and not is_date and type(value.item()) in (bool, int, float, complex, str)

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("scalar", options)
        plain = value.item()
        content = [plain.real, plain.imag] if type(plain) is complex else plain
        text = json.dumps({"dtype": type(value).__name__, "value": content}, ensure_ascii=False)
        stream.write(text.encode("utf-8", "surrogatepass"))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return self.from_text(stream.read().decode("utf-8", "surrogatepass"), **options)

    def from_text(self, text: str, **options: Any) -> Any:
        import numpy as np

        refuse_options("scalar", options)
        found = json.loads(text)
        content = found["value"]
        kind = getattr(np, found["dtype"])
        return kind(complex(*content)) if isinstance(content, list) else kind(content)
