"""How long ago was it, in a few words?"""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def ago(seconds: float) -> str:
    """`4 min ago`, `2 d ago`; what is still to come is `0 s ago`."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "0 s ago"
