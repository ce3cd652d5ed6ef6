"""How does another engine execute one task, and what does it learn of it?"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from flowlib.credentials import is_in_key, without_secrets
from flowlib.errors import TaskFailed
from flowlib.event_log import event_of
from flowlib.events import Failed, Finished, TaskEvent
from flowlib.program import Program, StopSignal, run_program
from stores import Address
from stores.lazy_dataclass import dataclass

Tell = Callable[[str], object]
"""Takes a line for the log of the engine."""

_LAST_LINES: Final = 20
_TIMEOUT: Final = "Timeout"
"""The type of the error of a task that was ended because it ran too long."""


@dataclass(frozen=True, slots=True)
class StepCommand:
    """The command that executes one task in a process of its own, on the host of the caller.

    Attributes:
        address: Of the task.
        words: The arguments of `flowlib`; the first is the command.
        variables: What its environment has beside that of the caller; never shown.
    """

    address: Address
    words: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)

    def run(self, tell: Tell) -> bool:
        """Execute the task; nothing of it is left behind, however this ends.

        Args:
            tell: Told what the command says on stderr.

        Returns:
            Whether it was computed; else its result was in the store.

        Raises:
            TimeoutError: it ran longer than its timeout.
            TaskFailed: it failed for another reason.
        """
        events, stderr = _Events(self.address.key), _Lines(tell)
        command, *words = self.words
        words = [sys.executable, "-m", "flowlib", command, "--json", *words]
        told = _Lines(events.take, is_text=False)
        program = Program(words, Path.cwd(), {**os.environ, **self.variables})
        # With somebody to ask, the wait is cut into pieces, in which this thread can be ended.
        stop = StopSignal(signal.SIGTERM, lambda: False)
        code = run_program(program, told.feed, stderr.feed, stop)
        stderr.end()
        if code and not events.is_finished:  # else something failed that the task could bear
            raise self._failure(code, events, stderr)
        return events.is_finished

    def _failure(self, code: int, events: _Events, stderr: _Lines) -> Exception:
        if events.failure is None:
            said = "\n".join(stderr.last) or "it said nothing"
            return TaskFailed(f"executing {self.address} ended with exit code {code}: {said}")
        failed, error = events.failure, events.failure.error
        log = f"\nlog: {failed.log}" if failed.log else ""
        text = without_secrets(f"{failed.task.id}: {error.type_}: {error.message}{log}")[0]
        return TimeoutError(text) if error.type_ == _TIMEOUT else TaskFailed(text)


class _Lines:
    """Whole lines of what a program writes, without secrets; the last ones are kept.

    Args:
        tell: Takes each.
        is_text: Whether a private key may go over several lines.
    """

    def __init__(self, tell: Tell, *, is_text: bool = True) -> None:
        self.last: deque[str] = deque(maxlen=_LAST_LINES)
        self._tell = tell
        self._is_text = is_text
        self._is_in_key = False
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._pass_on(line)

    def end(self) -> None:
        """Pass on what is left without an end."""
        if self._rest:
            self._pass_on(self._rest)
            self._rest = b""

    def _pass_on(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        was_in_key = self._is_in_key
        self._is_in_key = self._is_text and is_in_key(text, was_in_key)
        if was_in_key:
            return
        text = without_secrets(text)[0]
        self.last.append(text)
        self._tell(text)


class _Events:
    """What the command tells of the run.

    Attributes:
        is_finished: Whether the task was computed.
        failure: How it failed, or else the first other one of this run.
    """

    def __init__(self, key: str) -> None:
        self.is_finished = False
        self.failure: Failed | None = None
        self._key = key

    def take(self, line: str) -> None:
        """Look at the next event."""
        event = event_of(line)
        is_own = isinstance(event, TaskEvent) and event.task.key == self._key
        if isinstance(event, Finished) and is_own:
            self.is_finished = True
        elif isinstance(event, Failed) and (is_own or self.failure is None):
            self.failure = event
