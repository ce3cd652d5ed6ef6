"""Is a failed task tried again, and after which pause? Pure: no clock, no process."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from flowlib.errors import SpecError, nearest
from stores.lazy_dataclass import dataclass

_LONGEST_PAUSE_S: Final = 600.0
"""Pauses grow up to this length, or stay at the first one if that is longer."""

_MOST_DOUBLINGS: Final = 32  # beyond it every pause is at its longest, and floats overflow

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class FailureKind(Enum):
    """In which way a task failed; the values are what users write in `retries=`."""

    EXCEPTION = "exception"  # its code raised
    INPUT = "input"  # the results of a predecessor could not be loaded
    OUTPUT = "output"  # a file that it had to make is not there
    UNSERIALISABLE = "unserialisable"  # what it gave cannot be written, and so not be kept
    TIMEOUT = "timeout"  # it ran longer than it may
    OOM = "oom"  # MemoryError, or the kernel killed its process for want of memory
    KILLED = "killed"  # its process was ended by any other signal
    LOST = "lost"  # its process ended by itself, or could not be reached any more
    PREEMPTED = "preempted"  # somebody else asked its process to end, as clusters do


@dataclass(frozen=True, slots=True)
class Preemption:
    """When is a task tried again because its process was taken away, through no fault of its own?

    Attributes:
        preempt_max: How often; these tries are not counted among the retries of the spec.
        cancelled_is_preempted: Whether a process that was killed from outside, by SIGKILL or
            SIGINT, counts as well as one that got SIGTERM.
    """

    preempt_max: int = 5
    cancelled_is_preempted: bool = False

    def kind_of(self, kind: FailureKind, signal_number: int | None) -> FailureKind:
        """In which way a task failed, if its process was ended by this signal from outside."""
        if kind is not FailureKind.KILLED or signal_number is None:
            return kind
        is_cancel = signal_number in (signal.SIGKILL, signal.SIGINT)
        if signal_number == signal.SIGTERM or (is_cancel and self.cancelled_is_preempted):
            return FailureKind.PREEMPTED
        return kind


_USUAL_PREEMPTION: Final = Preemption()


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a failed task is tried again.

    Attributes:
        total: How many failures of any kind are forgiven; None if `by_kind` decides.
        by_kind: How many of each kind; none of the kinds that are not named. For `PREEMPTED` it
            replaces what the run allows.
        pause_s: The pause before the first retry; each further one is twice as long.
    """

    total: int | None = 0
    by_kind: tuple[tuple[FailureKind, int], ...] = ()
    pause_s: float = 0.0

    def allow(
        self, failures: Sequence[FailureKind], preemption: Preemption = _USUAL_PREEMPTION
    ) -> bool:
        """Whether a task that failed in these ways, the latest last, is tried once more."""
        latest, by_kind = failures[-1], dict(self.by_kind)
        if latest is FailureKind.PREEMPTED:
            return failures.count(latest) <= by_kind.get(latest, preemption.preempt_max)
        if self.total is not None:
            counted = [each for each in failures if each is not FailureKind.PREEMPTED]
            return len(counted) <= self.total
        return failures.count(latest) <= by_kind.get(latest, 0)

    def may_follow(self, tries: int) -> bool:
        """Whether another try may follow the one of this number, if that fails in such a way."""
        most = sum(count for _, count in self.by_kind) if self.total is None else self.total
        return tries <= most

    def pause_after(self, failures: int) -> float:
        """How many seconds to wait after so many failures of one task."""
        doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
        longest = max(self.pause_s, _LONGEST_PAUSE_S)
        return min(self.pause_s * 2.0**doublings, longest)


AGAIN: Final = "again"
"""The fact of an attempt that is followed by another one if it fails: after how many seconds."""


def retries_of(spec: str, retries: object, pause: float | str) -> Retries:
    """What the options `retries` and `retry_pause` of a spec mean.

    Raises:
        SpecError: a number is negative or none, or a kind of failure is unknown.
    """
    pause_s = seconds_of(spec, "retry_pause", pause, at_least=0.0)
    if not isinstance(retries, Mapping):
        return Retries(_count(spec, "retries", retries), pause_s=pause_s)
    known = [kind.value for kind in FailureKind]
    for name in retries:
        if name not in known:
            raise SpecError(
                f"{spec}: retries names {name!r}, which is no kind of failure; "
                f"the kinds are {', '.join(known)}.{nearest(str(name), known)}"
            )
    by_kind = tuple(
        (FailureKind(name), _count(spec, f"retries[{name!r}]", count))
        for name, count in retries.items()
    )
    return Retries(None, by_kind, pause_s)


def seconds_of(spec: str, option: str, value: object, *, at_least: float | None = None) -> float:
    """The seconds that a number, or a text such as `"2h"`, stands for.

    Args:
        spec: Whose option it is.
        option: Name of the option.
        value: What the user wrote.
        at_least: The smallest number allowed; None allows all above 0.

    Raises:
        SpecError: it is neither, or too small.
    """
    seconds = _seconds(value)
    if seconds is None or not (seconds > 0 if at_least is None else seconds >= at_least):
        raise SpecError(f"{spec}: {option} is {value!r}; give seconds, or '10s', '30m', '2h', '1d'")
    return seconds


def limit_of(spec: str, option: str, value: object) -> float | None:
    """The seconds of a limit; None is no limit.

    Raises:
        SpecError: it is no time above 0.
    """
    return None if value is None else seconds_of(spec, option, value)


def _seconds(value: object) -> float | None:
    try:
        if isinstance(value, str):
            is_plain = value[-1:] not in _UNITS
            number, unit = (value, "s") if is_plain else (value[:-1], value[-1])
            return float(number) * _UNITS[unit]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        return None
    return None


def _count(spec: str, option: str, count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise SpecError(f"{spec}: {option} must be 0 or more, not {count!r}")
    return count
