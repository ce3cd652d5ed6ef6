"""What can stand in a config in place of a value, so that one spec becomes many tasks?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Final, Self

from flowlib.errors import SweepError
from flowlib.items import Anything
from stores.lazy_dataclass import dataclass

_DIGITS: Final = 12
"""Significant digits of a computed value: clean numbers, the same on every machine."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Asks for the value of a parameter that stands beside the one it belongs to.

    Attributes:
        name: The parameter that is asked, in the same dict or else at the top of the config.
        allowed: The values for which the condition holds.
    """

    name: str
    allowed: tuple[object, ...]

    def holds(self, value: object) -> bool:
        """Whether `value` is allowed; True and 1 are not the same, 1 and 1.0 are."""
        return any(
            isinstance(value, bool) == isinstance(allowed, bool) and bool(value == allowed)
            for allowed in self.allowed
        )


@dataclass(frozen=True, slots=True)
class Varying(Anything):  # type: ignore[misc]  # a sweep stands where any value is expected
    """Stands in a config for a value that differs from task to task, whatever `expand` is."""

    conditions: tuple[Condition, ...] = field(default=(), kw_only=True)

    def when(self, **values: object) -> Self:
        """The same, but present only where the named parameters have the given values.

        Elsewhere the parameter is absent from the config, and the rest of the config is there
        once. `sweep(0.1, 1.0).when(kernel="rbf")` stands beside a parameter `kernel` (in the
        same dict, or else at the top of the config); a tuple, list or set names several values.
        Several conditions must all hold. The parameter asked for comes first in the order of
        the tasks, wherever it is written.
        """
        added = tuple(Condition(name, _alternatives(value)) for name, value in values.items())
        return replace(self, conditions=self.conditions + added)

    def __flowlib_identity__(self) -> object:
        raise SweepError(
            f"{self!r} is no value: it can stand in a config, in its dicts, lists and tuples,"
            " and nowhere else"
        )


@dataclass(frozen=True, slots=True)
class Choices(Varying):
    """One of these values per task.

    Attributes:
        values: The alternatives; a dict is walked in turn, a list is a value.
        group: All choices of one group advance together, as `zip` does; None stands alone.
    """

    values: tuple[object, ...]
    group: str | None = None

    def __repr__(self) -> str:
        """As it was written, but for its conditions."""
        values = ", ".join(map(repr, self.values))
        return f"{'sweep' if self.group is None else 'zipped'}({values})"


@dataclass(frozen=True, slots=True)
class Uniform(Varying):
    """Any number of an interval, evenly distributed; log: its logarithm is."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or not math.isfinite(self.high - self.low):
            raise SweepError(f"uniform needs low < high, found {self.low!r} and {self.high!r}")
        if self.log and self.low <= 0:
            raise SweepError(f"uniform with log=True needs low > 0, found {self.low!r}")

    def value(self, draw: float) -> float:
        """The number at `draw`, a share of the interval in [0, 1)."""
        return _between(self.low, self.high, draw, self.log)


@dataclass(frozen=True, slots=True)
class Integers(Varying):
    """Any integer of an interval, both ends included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise SweepError(f"integers needs low <= high, found {self.low!r} and {self.high!r}")


class _Sweep:
    """What `sweep` is: call it with values, or ask it for a range of them."""

    __slots__ = ()

    def __call__(self, *values: object) -> Choices:
        """One of `values` per task, whatever `expand` is; `sweep([1, 2])` has one value, a list."""
        return Choices(values)

    def linear(self, start: float, stop: float, num: int) -> Choices:
        """`num` evenly spaced numbers from `start` to `stop`, both included."""
        return Choices(_spaced(start, stop, num, log=False))

    def log(self, start: float, stop: float, num: int) -> Choices:
        """`num` numbers of constant ratio from `start` to `stop`, both positive and included."""
        if start <= 0 or stop <= 0:
            raise SweepError(f"sweep.log needs positive ends, found {start!r} and {stop!r}")
        return Choices(_spaced(start, stop, num, log=True))

    def range(self, *bounds: int) -> Choices:
        """The integers of Python's `range(stop)`, `range(start, stop)` or with a step."""
        return Choices(tuple(range(*bounds)))


sweep: Final = _Sweep()
"""Makes choices: `sweep(1, 2)`, `sweep.linear(0, 1, 5)`, `sweep.log(1e-4, 1e-1, 4)`."""


def zipped(*values: object, group: str = "zipped()") -> Choices:
    """Values that advance together with every other `zipped` of the same group.

    `{"lr": zipped(1e-3, 1e-4), "decay": zipped(0, 1e-5)}` is two configs, not four. A group
    named as in a list (`group="@x"` beside `[1, 2, "@x"]`) advances with that list.
    """
    return Choices(values, group)


def union(*grids: Mapping[str, object]) -> Choices:
    """One sub-grid after the other: as a parameter of a config.

    Each grid is walked as the config around it, so that grids of different parameters stand
    side by side: `union({"kernel": "rbf", "gamma": [1, 2]}, {"kernel": "linear"})`.
    """
    return Choices(tuple(dict(grid) for grid in grids))


def uniform(low: float, high: float, *, log: bool = False) -> Uniform:
    """A number between `low` and `high`, for expansions that sample; log: evenly in magnitude."""
    return Uniform(low, high, log)


def integers(low: int, high: int) -> Integers:
    """An integer from `low` to `high`, both included, for expansions that sample."""
    return Integers(low, high)


def _alternatives(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list | set | frozenset) else (value,)


def _spaced(start: float, stop: float, num: int, *, log: bool) -> tuple[object, ...]:
    if num < 1:
        raise SweepError(f"a range needs num >= 1, found {num!r}")
    inner = (_between(start, stop, i / (num - 1), log) for i in range(1, num - 1))
    return (start,) if num == 1 else (start, *inner, stop)


def _between(low: float, high: float, share: float, log: bool) -> float:
    value = low * (high / low) ** share if log else low + (high - low) * share
    return float(f"{value:.{_DIGITS}g}")
