"""
How does a worker answer for short tasks, many in a second, without a message for each?

A task that has ended as most do leaves its answer in a slot of memory that worker and driver share,

    number of the job | attempt | duration          one word of 64 bits, written at once

and the worker sends an empty message now and then: when it has nothing left to do, when half of the
slots may be full, and when the last one is a while ago. A driver that has been told of some answers
looks once more a moment later: what ends in that while is told by no message if a long task
follows. Since an answer is there as soon as its slot is written, it outlives its worker.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray
from typing import Any, Final

from flowlib.driver_pipe import DriverPipe
from flowlib.job import Outcome
from stores import Address

TOLD: Final = b""
"""The message that says: look at the slots."""

MOST_AT_WORKER: Final = 16
"""How many jobs are at a worker at the most."""

_LOOK_AGAIN_S: Final = 0.02
"""So long after the last message of a worker a driver looks at what it has kept since."""

_QUIET_S: Final = 0.01
"""So long after a message a worker may keep another one back."""

_SLOTS: Final = 4 * MOST_AT_WORKER
"""More than there are jobs at a worker, also where those of others were given to it."""

_NUMBERS: Final = (1 << 24) - 1
_ATTEMPT_BITS: Final = 12
_DURATION_BITS: Final = 28


def new_slots() -> Any:
    """Memory for the answers of one worker; a child process can be given it."""
    return RawArray("Q", _SLOTS)


def taken(slots: Any, number: int, address: Address) -> Outcome | None:
    """The answer to a job from its slot, which is free from then on; None if there is none.

    Args:
        slots: Of its worker.
        number: Of the job.
        address: Whose job it is.
    """
    word = slots[number % _SLOTS]
    if not word or word >> (_ATTEMPT_BITS + _DURATION_BITS) != _name(number):
        return None
    slots[number % _SLOTS] = 0
    attempt = (word >> _DURATION_BITS) & ((1 << _ATTEMPT_BITS) - 1)
    return Outcome.finished(address, attempt, (word & ((1 << _DURATION_BITS) - 1)) * 1e-6)


def _name(number: int) -> int:
    return number % _NUMBERS + 1


class NextLook:
    """When does a driver look at the slots, if nobody tells it to?

    Args:
        clock: Tells seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._at = float("inf")
        self._clock = clock

    def within(self, timeout_s: float | None) -> float | None:
        """How long it may wait for workers if it wants to wait for `timeout_s`."""
        if self._at == float("inf"):
            return timeout_s
        left_s = max(0.0, self._at - self._clock())
        return left_s if timeout_s is None else min(timeout_s, left_s)

    def note(self, *, is_told: bool) -> None:
        """It looks now; `is_told` is whether a worker has sent something."""
        now = self._clock()
        if is_told:
            self._at = now + _LOOK_AGAIN_S
        elif now >= self._at:
            self._at = float("inf")


class Answers:
    """What a worker does with its answers.

    Args:
        pipe: Leads to the driver.
        slots: As `new_slots` has made them.
        clock: Tells seconds.
    """

    def __init__(
        self, pipe: DriverPipe, slots: Any, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pipe = pipe
        self._slots = slots
        self._clock = clock
        self._sent = pipe.sent
        self._untold = 0
        self._told_at = float("-inf")

    def give(self, number: int, outcome: Outcome, *, at_once: bool = False) -> None:
        """Leave an answer to the driver to find, or send it.

        Args:
            number: Of the job.
            outcome: Its answer.
            at_once: Whether the driver waits for it.

        Raises:
            OSError: the driver is gone.
        """
        is_silent = self._pipe.sent == self._sent  # what a task says is heard before its answer
        if at_once or not is_silent or not self._keep(number, outcome):
            self._pipe.send(pickle.dumps(outcome, protocol=5))
            self._sent = self._pipe.sent

    def _keep(self, number: int, outcome: Outcome) -> bool:
        duration_us = int(outcome.duration_s * 1e6)
        is_small = outcome.attempt < 1 << _ATTEMPT_BITS and 0 <= duration_us < 1 << _DURATION_BITS
        if not (outcome.is_usual and is_small) or self._slots[number % _SLOTS]:
            return False
        head = _name(number) << _ATTEMPT_BITS | outcome.attempt
        self._slots[number % _SLOTS] = head << _DURATION_BITS | duration_us
        self._untold += 1
        return True

    def tell(self, *, is_last: bool) -> None:
        """Tell the driver of what was kept, if it is time.

        Args:
            is_last: Whether the worker has nothing left to do.

        Raises:
            OSError: the driver is gone.
        """
        now = self._clock()
        is_much = self._untold >= MOST_AT_WORKER // 2 or now - self._told_at > _QUIET_S
        if self._untold and (is_last or is_much):
            self._untold, self._told_at = 0, now
            self._sent += 1
            self._pipe.send(TOLD)
