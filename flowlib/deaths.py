"""Why did a worker process end? Told by its exit code, and by what the kernel counts."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from flowlib.errors import RunError
from flowlib.policy import FailureKind
from stores import ErrorDetails

NO_MAIN_GUARD: Final = 86
"""Exit code of a process that was about to start a flow while it was still starting itself."""

_MOST_IN_A_ROW: Final = 5
"""How many workers may be killed while they start, or end before they begin a job."""

_SYSTEM: Final = Path("/proc/vmstat")
_OWN_GROUP: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")


class MemoryKills:
    """How many processes the kernel has killed for want of memory since this object was made.

    The counter of the control group of this process is read where there is one, as it counts no
    strangers; else that of the whole machine. Where neither can be read, nothing is ever counted.

    Args:
        counter: A file with a line `oom_kill NUMBER`; None finds it.
    """

    def __init__(self, counter: Path | None = None) -> None:
        self._counter = counter or _counter()
        self._seen = self._count()

    def has_grown(self) -> bool:
        """Whether one was killed since the last call."""
        before, self._seen = self._seen, self._count()
        return self._seen > before

    def _count(self) -> int:
        try:
            lines = self._counter.read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _counter() -> Path:
    """The file that counts for the control group (version 2) of this process, or for all."""
    try:
        lines = _OWN_GROUP.read_text().splitlines()
    except OSError:
        return _SYSTEM
    for line in lines:
        if line.startswith("0::"):
            events = _GROUPS / line.removeprefix("0::").lstrip("/") / "memory.events"
            if events.is_file():
                return events
    return _SYSTEM


def death(exit_code: int | None, *, is_memory_kill: bool) -> tuple[FailureKind, ErrorDetails]:
    """The kind of failure of a task whose process ended like this, and the words for it.

    Args:
        exit_code: As `multiprocessing` gives it: negative is the number of a signal.
        is_memory_kill: Whether the kernel has just killed a process for want of memory.
    """
    if exit_code == -signal.SIGKILL and is_memory_kill:
        message = "its worker process was killed by the kernel, which had run out of memory"
        return FailureKind.OOM, ErrorDetails("OutOfMemory", message, "")
    if exit_code is not None and exit_code < 0:
        message = f"its worker process was killed by {_signal_name(-exit_code)}"
        return FailureKind.KILLED, ErrorDetails("WorkerDied", message, "")
    message = f"its worker process ended with exit code {exit_code} before the task did"
    return FailureKind.LOST, ErrorDetails("WorkerDied", message, "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


class FailedStarts:
    """Workers that end before they begin a job, which must not be replaced for ever.

    Some are killed now and then, and others come up meanwhile.
    """

    def __init__(self) -> None:
        self._not_up = 0
        self._unbegun = 0

    def note_up(self) -> None:
        """A worker has come up."""
        self._not_up = 0

    def note_answer(self) -> None:
        """A worker has done a job."""
        self._unbegun = 0

    def note(self, exit_code: int | None, *, is_up: bool) -> None:
        """A worker has ended without beginning what it was sent.

        Args:
            exit_code: As `multiprocessing` gives it: negative is the number of a signal.
            is_up: Whether it had come up before.

        Raises:
            RunError: the next one would end so, too.
        """
        if is_up:
            self._unbegun += exit_code != 0  # 0: it has left the job to a fresh process
            if self._unbegun >= _MOST_IN_A_ROW:
                raise RunError(
                    f"{_MOST_IN_A_ROW} worker processes, one after the other, have ended before "
                    f"they began a job (the last {_ending(exit_code)})"
                )
            return
        self._not_up += 1
        if (exit_code or 0) >= 0 or self._not_up >= _MOST_IN_A_ROW:
            raise RunError(start_failure(exit_code))


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was killed by {_signal_name(-exit_code)}"
    return f"with exit code {exit_code}"


def start_failure(exit_code: int | None) -> str:
    """What to tell about a worker process that ended before it could take a job."""
    guard = (
        "the script has no main guard: workers import the script that started them, so it must "
        'start its flow under\n\n    if __name__ == "__main__":\n\nor run with num_workers=1'
    )
    if exit_code == NO_MAIN_GUARD:
        return f"a worker process could not start: {guard}"
    return (
        f"a worker process could not start (exit code {exit_code}); its own error is printed "
        f"above. Workers import the script that started them: can it be imported, and is its "
        f'flow started under `if __name__ == "__main__":`?'
    )
