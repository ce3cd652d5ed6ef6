"""
Which signals have asked a run to stop, and what has to be done about it by now?

    going -> draining   SIGINT, SIGTERM, SIGHUP: nothing new starts, what runs may end and is told
    draining -> ending  SIGINT again, or the grace period after SIGTERM is over: SIGTERM to workers
    ending -> killing   five seconds later, or SIGINT once more: SIGKILL to workers

SIGTERM and SIGHUP are often sent twice, to a process and to its group, so that only SIGINT speeds
things up. While killing, SIGINT raises KeyboardInterrupt wherever the driver is.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from types import FrameType
from typing import Any, Final

from flowlib.running import GRACE_S
from stores.lazy_dataclass import dataclass

KILL_AFTER_S: Final = 5.0
"""How long a process may take to end after it was sent SIGTERM."""

_WATCHED: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_NEVER: Final = float("inf")
_STOPPED: Final = "the run was stopped"


class Stage(IntEnum):
    """How hard a run is being stopped."""

    GOING = 0
    DRAINING = 1
    ENDING = 2
    KILLING = 3


class Woken(BaseException):
    """A signal has come while an executor waited; nobody but the run loop catches it."""


@dataclass(slots=True)
class StopRequests:
    """The signals so far, and when they become more than a request. Pure: no clock.

    Attributes:
        grace_s: How long running tasks may go on after SIGTERM.
        number: The first signal; None if there was none.
        end_at: When the workers are told to end.
        kill_at: When they are killed.
    """

    grace_s: float = GRACE_S
    number: int | None = None
    end_at: float = _NEVER
    kill_at: float = _NEVER

    def add(self, number: int, now: float) -> None:
        """A signal has come."""
        stage = self.stage(now)
        if number != signal.SIGINT:
            self.end_at = min(self.end_at, now + self.grace_s)
        elif stage is Stage.DRAINING:
            self.end_at = now
        elif stage >= Stage.ENDING:
            self.kill_at = now
        if self.number is None:
            self.number = number
        self.kill_at = min(self.kill_at, self.end_at + KILL_AFTER_S)

    def stage(self, now: float) -> Stage:
        """How hard the run is being stopped at this time."""
        if now >= self.kill_at:
            return Stage.KILLING
        if now >= self.end_at:
            return Stage.ENDING
        return Stage.GOING if self.number is None else Stage.DRAINING

    def next_change(self, now: float) -> float:
        """When the stage changes without a further signal."""
        return next((at for at in (self.end_at, self.kill_at) if at > now), _NEVER)


class Interrupts:
    """Listens to the signals that stop a run, while it is entered.

    Handlers are set in the main thread only; a run in another thread goes on unaware of signals.
    Signals that are ignored (`nohup`) stay so. Whatever handlers there were are put back.

    Args:
        grace_s: How long running tasks may go on after SIGTERM.
    """

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._requests = StopRequests(grace_s)
        self._before: dict[int, Any] = {}
        self._pid = os.getpid()
        self._is_over = False
        self._is_unseen = False
        self._is_waiting = False
        self._yields: Callable[[], bool] | None = None
        self._alarm = _thread.allocate_lock()

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in _WATCHED:
                before = signal.getsignal(number)
                if before is not None and before is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, self._take)
        return self

    def __exit__(self, *error: object) -> None:
        with held_back(_WATCHED):  # or only some would be put back
            for number, before in self._before.items():
                signal.signal(number, before)
            self._is_over = True
            if self._alarm.locked():
                self._alarm.release()

    def ask(self) -> None:
        """Stop the run as the next Ctrl-C would: somebody who cannot send signals wants that."""
        self._requests.add(signal.SIGINT, time.monotonic())

    @property
    def number(self) -> int | None:
        """The first signal that asked the run to stop; None if there was none."""
        return self._requests.number

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has asked the run to stop."""
        return self._requests.number is not None

    def stage(self) -> Stage:
        """How hard the run is being stopped; who asks will not be woken for what it has seen."""
        self._is_unseen = False
        return self._requests.stage(time.monotonic())

    @property
    def left_s(self) -> float:
        """Seconds until the stage changes by itself."""
        now = time.monotonic()
        return self._requests.next_change(now) - now

    @contextlib.contextmanager
    def let_through(self) -> Iterator[None]:
        """A signal, also one that nobody has seen yet, leaves this block at once by `Woken`.

        For blocks that lose nothing when they are left: waiting for a pipe, or sleeping.
        """
        try:
            self._is_waiting = True
            if self._is_unseen:
                raise Woken
            yield
        finally:
            self._is_waiting = False

    @contextlib.contextmanager
    def of_task(self, yields: Callable[[], bool]) -> Iterator[None]:
        """User code runs in this process: KeyboardInterrupt ends it when it is time.

        Args:
            yields: Whether the task looks for `should_stop` itself; then it is not ended by the
                first SIGINT.
        """
        try:
            self._yields = yields
            if self._is_unseen:
                raise KeyboardInterrupt(_STOPPED)  # it came before the task had begun
            yield
        finally:
            self._yields = None

    def handler_before(self, number: int) -> Any:
        """What was done at a signal before the run, as `signal.getsignal` has it."""
        return self._before[number]

    def _take(self, number: int, frame: FrameType | None) -> None:
        # Over: somebody has kept it, and put it back after the run. Another: a task has just
        # forked it, and it has not come to `_let_go_in_child`.
        if self._is_over or os.getpid() != self._pid:
            pass_on(self._before[number], number, frame)
            return
        stage = self._note(number)
        if number == signal.SIGINT and stage is Stage.KILLING:
            raise KeyboardInterrupt
        if self._is_waiting:
            self._is_waiting = False
            raise Woken
        if self._yields is not None:
            self._end_task(number, self._yields)

    def _note(self, number: int) -> Stage:
        """Add a signal, here and in a run around this one; the stage before."""
        outer = getattr(self._before.get(number), "__self__", None)
        if isinstance(outer, Interrupts):
            outer._note(number)
        now = time.monotonic()
        before = self._requests.stage(now)
        self._requests.add(number, now)
        self._is_unseen = True
        return before

    def _end_task(self, number: int, yields: Callable[[], bool]) -> None:
        is_due = self._requests.stage(time.monotonic()) >= Stage.ENDING
        if is_due or (number == signal.SIGINT and not yields()):
            raise KeyboardInterrupt(_STOPPED)
        if number != signal.SIGINT and self._alarm.acquire(blocking=False):
            _thread.start_new_thread(self._remind, (number, self.left_s))

    def _remind(self, number: int, wait_s: float) -> None:
        """Send the signal again when the grace period is over: the task has the main thread."""
        if not self._alarm.acquire(timeout=wait_s) and not self._is_over:
            signal.pthread_kill(threading.main_thread().ident or 0, number)


@contextlib.contextmanager
def held_back(numbers: Iterable[int] = (signal.SIGINT,)) -> Iterator[None]:
    """Signals reach this process afterwards, and a process started here when it wants them.

    The terminal sends Ctrl-C to all; a process that is still importing would die of it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ending_of(number: int) -> BaseException:
    """What a script that was stopped by a signal ends with: exit code 130 for Ctrl-C, 143 …"""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def pass_on(handler: Any, number: int, frame: FrameType | None) -> None:
    """Do what another handler, or the system, does at a signal."""
    if callable(handler):
        handler(number, frame)
    else:
        signal.signal(number, handler)
        signal.raise_signal(number)


def _let_go_in_child() -> None:
    """A process that a task forks does at a signal what would be done without a run.

    It would be told late by our handler, which Python calls between two steps of its own: never,
    if the signal comes when the process is about to wait.
    """
    for number in _WATCHED:
        handler = known = signal.getsignal(number)
        while isinstance(owner := getattr(handler, "__self__", None), Interrupts):
            handler = owner.handler_before(number)
        if handler is not known:
            signal.signal(number, handler)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go_in_child)
