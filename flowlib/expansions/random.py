"""Which points does a random sample of the space have?"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from flowlib.errors import SweepError
from flowlib.expansion import Axis, Expansion
from stores.lazy_dataclass import dataclass

_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class Random(Expansion):
    """`n` points drawn evenly from the space, the same ones for the same seed everywhere.

    Without replacement where all axes are finite; with a continuous axis the draws are
    independent. Only `random.Random(seed).random()` is used, whose numbers Python promises to
    keep, and never the global generator.

    Attributes:
        n: The number of points; more than a finite space has is an error.
        seed: Where the generator starts.
    """

    samples: ClassVar[bool] = True

    n: int
    seed: int = 0

    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        if self.n < 1:
            raise SweepError(f"a random sample needs n >= 1, found {self.n!r}")
        generator = random.Random(self.seed)
        sizes = [axis.size for axis in axes if axis.size is not None]
        if len(sizes) < len(axes):
            return _independent(axes, self.n, generator)
        total = math.prod(sizes)
        if self.n > total:
            raise SweepError(
                f"the space has only {total} points, {self.n} are asked for;"
                f' lower n, or write expand="product" for all of them'
            )
        return _distinct(sizes, self.n, generator)


def _independent(
    axes: Sequence[Axis], n: int, generator: random.Random
) -> Iterator[Sequence[int | float]]:
    for _ in range(n):
        yield [generator.random() if a.size is None else _below(a.size, generator) for a in axes]


def _distinct(sizes: Sequence[int], n: int, generator: random.Random) -> Iterator[Sequence[int]]:
    """The first n points of a shuffle; only the numbers that have moved are kept."""
    total = math.prod(sizes)
    moved: dict[int, int] = {}
    for first in range(n):
        drawn = first + _below(total - first, generator)
        number = moved.pop(drawn, drawn)
        if drawn != first:
            moved[drawn] = moved.pop(first, first)
        yield _indices(number, sizes)


def _indices(number: int, sizes: Sequence[int]) -> Sequence[int]:
    indices = []
    for size in reversed(sizes):
        number, index = divmod(number, size)
        indices.append(index)
    return indices[::-1]


def _below(size: int, generator: random.Random) -> int:
    """An integer from 0 to size - 1; 64 bits more than needed make it even."""
    bits = 0
    value = 0
    while bits < size.bit_length() + 2 * _BITS:
        value = value << _BITS | int(generator.random() * 2**_BITS)
        bits += _BITS
    return value * size >> bits
