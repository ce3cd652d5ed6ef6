"""How many of its predecessors may fail before a task is not run either? Pure."""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

from flowlib.errors import SpecError, nearest
from stores.lazy_dataclass import dataclass

_SLACK: Final = 1e-9  # 0.1 of 30 members are 3, although 0.1 * 30 is a little more


class OnFailure(Enum):
    """What a failed predecessor means for a task; the values are what users write."""

    FAIL = "fail"  # the task is not run
    SKIP = "skip"  # a reduce is run with the members that succeeded
    PASS = "pass"  # the task is run, and gets a `Failure` in place of the value


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a task makes of predecessors that failed.

    Attributes:
        on_failure: Whether it runs without them.
        min_ok: How many of them must have succeeded all the same: a number, or a fraction of
            them (a float); None is one for `SKIP` and none for `PASS`.
        only: The parameters that take failures; None is all of them.
        is_given: Whether the user said so, rather than an annotation, or nobody.
    """

    on_failure: OnFailure = OnFailure.FAIL
    min_ok: float | None = None
    only: frozenset[str] | None = None
    is_given: bool = False

    def or_annotated(self, tolerant: frozenset[str]) -> Tolerance:
        """The same, unless nobody has said anything and some parameters are annotated.

        Args:
            tolerant: The parameters whose annotation names `Failure`.
        """
        if self.is_given or not tolerant:
            return self
        return Tolerance(OnFailure.PASS, only=tolerant)

    def takes(self, parameter: str) -> bool:
        """Whether this parameter may get a failure."""
        return self.passes and (self.only is None or parameter in self.only)

    @property
    def passes(self) -> bool:
        """Whether failures arrive as values."""
        return self.on_failure is OnFailure.PASS

    def allowed(self, total: int) -> int:
        """How many of `total` predecessors may fail; never more than there are."""
        return total - min(self.needed(total), total)

    def needed(self, total: int) -> int:
        """How many of `total` predecessors must have succeeded."""
        if self.on_failure is OnFailure.FAIL:
            return total
        if self.min_ok is None:
            return 0 if self.passes else 1
        if isinstance(self.min_ok, int):
            return self.min_ok
        return math.ceil(self.min_ok * total - _SLACK)


def tolerance_of(
    spec: str, on_failure: str | None, min_ok: float | None, *, is_reduce: bool
) -> Tolerance:
    """What the options `on_failure` and `min_ok` of a spec mean.

    Raises:
        SpecError: a value is none that is known, or the two do not fit together.
    """
    words = [each.value for each in OnFailure]
    if on_failure is not None and on_failure not in words:
        listed = ", ".join(repr(word) for word in words)
        raise SpecError(
            f"{spec}: on_failure is one of {listed}, not {on_failure!r}."
            f"{nearest(str(on_failure), words)}"
        )
    _check_min_ok(spec, min_ok)
    implied = OnFailure.FAIL if min_ok is None else OnFailure.SKIP
    chosen = implied if on_failure is None else OnFailure(on_failure)
    if min_ok is not None and chosen is OnFailure.FAIL:
        raise SpecError(
            f'{spec}: min_ok={min_ok!r} allows failures, but on_failure="fail" does not: '
            f'leave on_failure out, or write "skip" or "pass"'
        )
    if chosen is OnFailure.SKIP and not is_reduce:
        raise SpecError(
            f'{spec}: on_failure="skip" runs a reduce with the members that succeeded, but this '
            f'spec is no reduce: write on_failure="pass" to get a Failure as the value'
        )
    return Tolerance(chosen, min_ok, is_given=not (on_failure is None and min_ok is None))


def _check_min_ok(spec: str, min_ok: object) -> None:
    if min_ok is None:
        return
    is_count = isinstance(min_ok, int) and not isinstance(min_ok, bool) and min_ok >= 0
    is_fraction = isinstance(min_ok, float) and 0.0 <= min_ok <= 1.0
    if not (is_count or is_fraction):
        raise SpecError(
            f"{spec}: min_ok is {min_ok!r}; give how many members must succeed (2), "
            f"or which fraction of them (0.8)"
        )
