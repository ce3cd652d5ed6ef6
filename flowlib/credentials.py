"""What may be shown of a text with URLs? All but the names and passwords in them."""

from __future__ import annotations

import re
from typing import Final

_CREDENTIALS: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")


def without_credentials(text: str) -> str:
    """The text with `***` in place of what stands before the `@` of its URLs."""
    return _CREDENTIALS.sub("***", text)
