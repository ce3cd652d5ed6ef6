"""
How is a program run? In a group of its own, its output read as it comes, and nothing left behind.

    start -> listen -> exited               -> kill the group -> the exit code
                    -> interrupt in between -> SIGTERM, a moment, SIGKILL -> the interrupt

The program, and all that it starts without leaving its group, have ended when `run_program` does.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from flowlib.errors import ProgramNotFound
from flowlib.process_tree import end_tree
from flowlib.program_guard import ProgramGuard
from stores.lazy_dataclass import dataclass

_CHUNK_BYTES: Final = 1 << 16
_PATIENCE_S: Final = 2.0
"""How long a program may go on after SIGTERM."""

_LOOK_S: Final = 0.25
"""How often somebody is asked whether the program should stop."""

_LOOK_WITHOUT_PIDFD_S: Final = 0.05
_LAST_BYTES: Final = 1 << 21
"""At least what a pipe can hold: all that a program has written before it ended."""

Wire = Callable[[bytes], None]
"""Takes a piece of output."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is started, and where.

    Attributes:
        words: The program and its arguments.
        folder: Its working directory.
        variables: Its whole environment.
        stdin: A file that it reads; None: there is nothing to read.
    """

    words: Sequence[str]
    folder: Path
    variables: Mapping[str, str]
    stdin: Path | None = None


@dataclass(slots=True)
class StopSignal:
    """The signal that tells a program that it should save what it has and end.

    Attributes:
        number: Its number.
        is_wanted: Whether it should stop.
        is_sent: Whether it was told.
    """

    number: int
    is_wanted: Callable[[], bool]
    is_sent: bool = False

    def look(self, group: int) -> None:
        """Send it once, when it is wanted."""
        if not self.is_sent and self.is_wanted():
            self.is_sent = True
            _signal_group(group, self.number)


def run_program(
    program: Program, stdout: Wire, stderr: Wire, stop: StopSignal | None = None
) -> int:
    """Run a program to its end.

    Args:
        program: It.
        stdout: Takes what it writes there, while it runs.
        stderr: Takes what it writes there.
        stop: Tells it to stop; None: it is not told.

    Returns:
        Its exit code; minus the number of the signal that has killed it.

    Raises:
        ProgramNotFound: it cannot be started.
    """
    with ProgramGuard() as guard, _started(program) as process:
        wires = {process.stdout: stdout, process.stderr: stderr}
        guard.watch(process.pid)
        try:
            _listen(process, wires, stop)
        except BaseException:
            _ask_to_end(process)
            raise
        finally:
            _signal_group(process.pid, signal.SIGKILL)  # what it has left behind
            guard.forget()
            process.wait()
        for stream, wire in wires.items():
            _take_rest(stream, wire)
        return process.returncode


@contextmanager
def _started(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    with contextlib.ExitStack() as stack:
        given = program.stdin
        stdin = subprocess.DEVNULL if given is None else stack.enter_context(given.open("rb"))
        try:
            process = subprocess.Popen(
                program.words,
                cwd=program.folder,
                env=program.variables,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                process_group=0,
            )
        except (OSError, ValueError) as error:
            raise ProgramNotFound(_why_not(program, error)) from error
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stack.callback(stream.close)
                os.set_blocking(stream.fileno(), False)
        yield process


def _why_not(program: Program, error: Exception) -> str:
    name = program.words[0]
    if isinstance(error, FileNotFoundError) and (program.folder / name).exists():
        return f"{name} cannot be started: the interpreter that its first line names is not here"
    if isinstance(error, FileNotFoundError):
        return f"{name} cannot be started: there is no such file in the folder of the task"
    if isinstance(error, PermissionError):
        return f"{name} cannot be started: it is no program, or nobody may run it (chmod +x)"
    reason = error.strerror if isinstance(error, OSError) else error
    return f"{name} cannot be started: {reason}"


def _listen(
    process: subprocess.Popen[bytes],
    wires: Mapping[IO[bytes] | None, Wire],
    stop: StopSignal | None,
) -> None:
    """Pass output on until the program has ended, whoever still holds its output open."""
    with selectors.DefaultSelector() as selector, _end_of(process) as end:
        for stream, wire in wires.items():
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, wire)
        if end is not None:
            selector.register(end, selectors.EVENT_READ)
        timeout = _timeout(has_end=end is not None, has_stop=stop is not None)
        while not _is_over(process, end) and not _pass_all_on(selector, end, timeout):
            if stop is not None:
                stop.look(process.pid)


def _is_over(process: subprocess.Popen[bytes], end: int | None) -> bool:
    """Where nothing becomes readable at its end: whether it has ended."""
    return end is None and _has_ended(process)


def _pass_all_on(selector: selectors.BaseSelector, end: int | None, timeout: float | None) -> bool:
    """Wait for output and pass it on; whether the program has ended."""
    for key, _ in selector.select(timeout):
        if key.fileobj == end:
            return True
        if not _pass_on(key.fd, key.data):
            selector.unregister(key.fileobj)
    return False


def _timeout(*, has_end: bool, has_stop: bool) -> float | None:
    if not has_end:
        return _LOOK_WITHOUT_PIDFD_S
    return _LOOK_S if has_stop else None


@contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[int | None]:
    """What becomes readable when a process ends; None where the system has no such thing."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _pass_on(descriptor: int, wire: Wire) -> bool:
    """Pass one piece on; whether there may be more."""
    try:
        data = os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return True
    if data:
        wire(data)
    return bool(data)


def _take_rest(stream: IO[bytes] | None, wire: Wire) -> None:
    """Pass on what is still in a pipe; nobody is waited for who has left the group."""
    left = _LAST_BYTES
    while stream is not None and left > 0:
        try:
            data = os.read(stream.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not data:
            return
        wire(data)
        left -= len(data)


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """Let a program clean up, then end it and all below it."""
    deadline = time.monotonic() + _PATIENCE_S
    try:
        _signal_group(process.pid, signal.SIGTERM)
        while not _has_ended(process) and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        if not _has_ended(process):
            end_tree(process.pid)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process is over; it keeps its number, and so does its group."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, how) is not None


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):  # there is nobody left
        os.killpg(group, number)
