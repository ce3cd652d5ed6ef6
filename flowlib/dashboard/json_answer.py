"""How is JSON answered, whatever names users give? In ASCII: half of a surrogate has no UTF-8."""

from __future__ import annotations

import json
from typing import Final

from starlette.responses import JSONResponse

_written: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class JsonAnswer(JSONResponse):
    """An answer in JSON that every reader of JSON can read."""

    def render(self, content: object) -> bytes:
        """The text of the answer."""
        return _written(content).encode("ascii")
