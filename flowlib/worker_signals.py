"""What does a worker process do when somebody asks it to stop: its driver, or a stranger?"""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager
from dataclasses import replace
from types import FrameType
from typing import Any, Final

from flowlib.interrupts import pass_on
from flowlib.job import Outcome, OutcomeKind
from flowlib.policy import FailureKind
from flowlib.running import Surroundings

STOPPING: Final = 1
"""What the driver writes when running tasks should stop."""

ENDING: Final = 2
"""What it writes before it sends SIGTERM itself."""

_WATCHED: Final = (signal.SIGINT, signal.SIGTERM)


class Preempted(KeyboardInterrupt):
    """Raised in a task whose worker process somebody else has asked to end."""


class _InTask(AbstractContextManager[None]):
    """Entered where user code runs. A generator would take longer, for every task."""

    __slots__ = ("_signals",)

    def __init__(self, signals: WorkerSignals) -> None:
        self._signals = signals

    def __enter__(self) -> None:
        try:
            self._signals.enter_task()
        except BaseException:
            self._signals.leave_task()
            raise

    def __exit__(self, *error: object) -> None:
        self._signals.leave_task()


class WorkerSignals:
    """Ends the task on SIGTERM and SIGINT, as Ctrl-C would, so that it can clean up.

    Between tasks the process ends at once. While a record is written it ends afterwards.

    Args:
        word: Memory shared with the driver; its first element is 0, `STOPPING` or `ENDING`.
    """

    def __init__(self, word: Any) -> None:
        self._word = word
        self._pid = os.getpid()
        self._is_busy = False
        self._is_in_task = False
        self._received: int | None = None

    def listen(self) -> None:
        """Handle the signals from now on; they were held back while the process started."""
        self._pid = os.getpid()
        for number in _WATCHED:
            signal.signal(number, self._take)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)

    @property
    def surroundings(self) -> Surroundings:
        """What a task is told, and where it is interrupted."""
        return Surroundings(lambda: self._word[0] >= STOPPING, lambda: _InTask(self))

    @property
    def was_asked_to_end(self) -> bool:
        """Whether this process ends when it has answered."""
        return self._received is not None

    def begin_job(self) -> None:
        """Hold signals back from now on: there is a job to be answered for."""
        self._is_busy = True

    def end_job(self) -> None:
        """It is answered."""
        self._is_busy = False

    def judged(self, outcome: Outcome) -> Outcome:
        """The outcome of a job, in the light of a signal that has come meanwhile."""
        if self._received is None or outcome.kind not in (OutcomeKind.FAILED, OutcomeKind.KILLED):
            return outcome
        stranger = None if self._word[0] >= ENDING else self._received
        return replace(
            outcome, kind=OutcomeKind.KILLED, failure=FailureKind.KILLED, ended_by=stranger
        )

    def enter_task(self) -> None:
        """User code runs from now on: it is interrupted, also by a signal that has come already."""
        self._is_in_task = True
        if self._received is not None:
            raise self._interrupt(self._received)

    def leave_task(self) -> None:
        """It does not any more."""
        self._is_in_task = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a task has just forked it
            pass_on(_usual(number), number, frame)
            return
        self._received = number
        if self._is_in_task:
            raise self._interrupt(number)
        if not self._is_busy:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _interrupt(self, number: int) -> KeyboardInterrupt:
        if self._word[0] >= ENDING:
            return KeyboardInterrupt("the run was stopped")
        name = signal.Signals(number).name
        return Preempted(f"its worker process was ended by {name} from outside")


def _usual(number: int) -> Any:
    """What Python does at a signal by itself."""
    return signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL


def _let_go_in_child() -> None:
    """A process that a task forks ends at a signal at once, as that of `flowlib.interrupts`."""
    for number in _WATCHED:
        if isinstance(getattr(signal.getsignal(number), "__self__", None), WorkerSignals):
            signal.signal(number, _usual(number))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go_in_child)
