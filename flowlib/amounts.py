"""How much is `"32GB"`, how much is a tenth? Amounts are whole numbers, so that sums are exact."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from flowlib.errors import SpecError
from stores.lazy_dataclass import dataclass

PARTS: Final = 1_000_000
"""A unit in parts: what is lent and given back a million times adds up to what it was."""

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGTP])(I?)B?|B)\s*", re.IGNORECASE)
_LETTERS: Final = "KMGTP"


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of a resource.

    Attributes:
        parts: In millionths of a unit, rounded down, but never to nothing.
        is_size: Whether it was written as a size of memory; the unit is one byte then.
    """

    parts: int
    is_size: bool = False

    @property
    def value(self) -> float:
        """As a number; an int if it is whole."""
        whole, rest = divmod(self.parts, PARTS)
        return self.parts / PARTS if rest else whole

    def __str__(self) -> str:
        return _size_text(int(self.value)) if self.is_size else f"{self.value:g}"


def amount_of(value: object) -> Amount | None:
    """The amount that a user wrote: a number of 0 or more, or the text of a size.

    `K`, `M`, `G`, `T`, `P` are powers of 1000, `Ki`, `Mi`, `Gi`, `Ti`, `Pi` those of 1024; a `B`
    may follow, and `B` alone are bytes.

    Returns:
        None if it is neither.
    """
    if isinstance(value, str):
        return _size_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not math.isfinite(value) or value < 0:
        return None
    return Amount(max(math.floor(value * PARTS), 1) if value else 0)


def amounts_of(spec: str, wanted: Mapping[str, float | str]) -> dict[str, Amount]:
    """The amounts of a spec's `resources`, by kind.

    Raises:
        SpecError: a value is no amount.
    """
    found = {}
    for kind, value in wanted.items():
        amount = amount_of(value)
        if amount is None:
            raise SpecError(
                f"{spec}: resources[{kind!r}] is {value!r}; give a number of 0 or more, or a size "
                f"such as '8GB' or '512MiB'"
            )
        found[kind] = amount
    return found


def _size_of(text: str) -> Amount | None:
    from decimal import Decimal  # few programs write sizes

    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    number, letter, is_binary = found.groups()
    power = _LETTERS.index(letter.upper()) + 1 if letter else 0
    size = Decimal(number) * (1024 if is_binary else 1000) ** power
    return Amount(int(size) * PARTS, is_size=True)


def _size_text(size_bytes: int) -> str:
    """`32GB` or `512MiB`, whichever is the shorter of those that are exact; else rounded."""
    for base, suffix in ((1000, "B"), (1024, "iB")):
        for power in range(len(_LETTERS), 0, -1):
            if size_bytes and size_bytes % base**power == 0:
                return f"{size_bytes // base**power}{_LETTERS[power - 1]}{suffix}"
    power = min(int(math.log(size_bytes, 1000)), len(_LETTERS)) if size_bytes else 0
    return f"{size_bytes / 1000**power:.3g}{_LETTERS[power - 1] if power else ''}B"
