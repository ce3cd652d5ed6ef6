"""What does a task need of the run's resources, and what does it hold while it runs?"""

from __future__ import annotations

from typing import Final

from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """What one task needs: parts by kind, in order; of objects whole ones, or less than one."""

    parts: tuple[tuple[str, int], ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind it takes something of."""
        return frozenset([kind for kind, _ in self.parts])


NOTHING: Final = Demand()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one task holds until it ends.

    Attributes:
        demand: What it asked for.
        objects: The kinds and indices of the objects it was leased.
    """

    demand: Demand = NOTHING
    objects: tuple[tuple[str, tuple[int, ...]], ...] = ()
