"""Which points does a full grid have? Every combination, the last axis fastest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from flowlib.expansion import Axis, Expansion


class Product(Expansion):
    """Every combination of the axes."""

    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        return itertools.product(*(range(axis.size or 0) for axis in axes))
