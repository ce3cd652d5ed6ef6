"""Which points does a Sobol sequence have, that fills the space more evenly than chance?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from flowlib.errors import MissingExtra, SweepError
from flowlib.expansion import Axis, Expansion
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Sobol(Expansion):
    """The first `n` points of a scrambled Sobol sequence, the same for the same seed.

    A finite axis is cut into equal parts, so a small space meets the same point more than once;
    equal points are one task. A power of two for `n` fills the space best. Needs scipy.

    Attributes:
        n: The number of points drawn.
        seed: Of the scrambling.
    """

    samples: ClassVar[bool] = True

    n: int
    seed: int = 0

    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        if self.n < 1:
            raise SweepError(f"a Sobol sample needs n >= 1, found {self.n!r}")
        if not axes:
            return iter([()])
        return _points(axes, self.n, self.seed)


def _points(axes: Sequence[Axis], n: int, seed: int) -> Iterator[Sequence[int | float]]:
    try:
        from scipy.stats import qmc
    except ImportError:
        raise MissingExtra(
            'expand="sobol" needs scipy: pip install "flowlib-runner[sobol]"'
        ) from None
    engine = qmc.Sobol(len(axes), scramble=True, seed=seed)
    for draws in engine.random_base2((n - 1).bit_length())[:n].tolist():
        yield [u if a.size is None else int(u * a.size) for u, a in zip(draws, axes, strict=True)]
