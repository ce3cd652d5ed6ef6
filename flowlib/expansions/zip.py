"""Which points do lists have that advance together? The first of each, the second of each, …"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from flowlib.expansion import Axis, Expansion


class Zip(Expansion):
    """All lists of more than one element advance together, those of a named group on their own.

    Lists and `sweep()` at every depth are meant; what has one element goes with everything.
    """

    def group(self, axis: Axis) -> str | None:
        return axis.group or 'expand="zip"'

    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        return itertools.product(*(range(axis.size or 0) for axis in axes))
