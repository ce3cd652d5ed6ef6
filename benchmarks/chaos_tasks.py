"""Which tasks does the chaos run compute? Each spec misbehaves in a way of its own."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib import Flow, Task, TaskSpec

_SLEEPER: Final = [sys.executable, "-c", "import time; time.sleep(600)"]
_ROOM_BYTES: Final = 256 * 2**20
"""What a task that wants too much memory may have beyond what its process has already."""

SHARES: Final[Mapping[str, int]] = {
    "plain": 520,
    "flaky": 80,
    "raises": 60,
    "leaves": 30,
    "killed": 30,
    "segfault": 10,
    "hangs": 10,
    "hog": 20,
    "children": 20,
    "thread": 20,
    "prints": 20,
    "changes": 40,
}
"""Tasks of each kind among 1,000; 60 and 80 more read from `raises` and `flaky`."""

_KILLED: Final[Mapping[str, int]] = {"killed": 100, "lost": 100}
_RETRIES: Final[Mapping[str, Mapping[str, int]]] = {
    "flaky": {"exception": 2},
    "hog": {"oom": 1},
}
"""Beside those for processes that are killed from outside, which every kind has."""

NEVER: Final = frozenset({"raises", "hangs"})
"""The kinds that fail for good."""


def flow_of(tasks: int, folder: str) -> Flow:
    """About so many tasks; `folder`, where they leave marks, is no part of their identity."""
    specs = {}
    for kind, share in SHARES.items():
        count = max(1, share * tasks // 1000)
        specs[kind] = TaskSpec(
            Misbehave,
            {"kind": kind, "x": list(range(count))},
            {"folder": folder},
            expand="product",
            name=kind,
            retries={**_KILLED, **_RETRIES.get(kind, {})},
            timeout=0.5 if kind == "hangs" else None,
        )
    readers = [
        TaskSpec(read, {}, name=f"after_{kind}", retries=_KILLED).requires(specs[kind])
        for kind in ("flaky", "raises")
    ]
    return Flow([*specs.values(), *readers])


def value_of(kind: str, x: int) -> str:
    """What a task of a kind comes to, sooner or later."""
    return f"{kind} {x} {x * x}"


def read(value: str) -> dict[str, str]:
    """What reads a value gives it back, turned."""
    return {"turned": value[::-1]}


class Misbehave(Task):
    """Does what its kind does, and then returns a value if it still can."""

    def __init__(self, kind: str, x: int, folder: str) -> None:
        self.kind, self.x, self.folder = kind, x, Path(folder)

    def run(self) -> dict[str, str]:
        """Misbehave; before that, let it be known that this process has come so far."""
        (self.folder.parent / "pids" / str(os.getpid())).touch()
        _ACTS.get(self.kind, _plain)(self)
        return {"value": value_of(self.kind, self.x)}

    def is_first_time(self, times: int = 1) -> bool:
        """Whether this has been asked fewer than `times` times for this task, in any process."""
        for number in range(times):
            try:
                (self.folder / f"{self.kind}-{self.x}-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            return True
        return False


def _plain(task: Misbehave) -> None:
    time.sleep(0.002)


def _flaky(task: Misbehave) -> None:
    if task.is_first_time(times=2):
        raise ValueError(f"not yet: {task.x}")


def _raises(task: Misbehave) -> None:
    raise ValueError(f"never: {task.x}")


def _leaves(task: Misbehave) -> None:
    if task.is_first_time():
        os._exit(7)


def _killed(task: Misbehave) -> None:
    if task.is_first_time():
        os.kill(os.getpid(), signal.SIGKILL)


def _segfault(task: Misbehave) -> None:
    if task.is_first_time():
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)


def _hangs(task: Misbehave) -> None:
    time.sleep(600)


def _hog(task: Misbehave) -> None:
    """Ask for more memory than the limit allows, once; the limit goes with the task."""
    if not task.is_first_time():
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ROOM_BYTES, before[1]))
    try:
        bytearray(2 * _ROOM_BYTES)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _children(task: Misbehave) -> None:
    """Leave a process behind."""
    subprocess.Popen(_SLEEPER, stdout=subprocess.DEVNULL)


def _thread(task: Misbehave) -> None:
    """Leave a thread behind that would keep its process from ending."""
    threading.Thread(target=time.sleep, args=(600,)).start()


def _prints(task: Misbehave) -> None:
    for _ in range(1000):
        print("x" * 1000)


def _changes(task: Misbehave) -> None:
    """Change what belongs to the process, and notice what another task has changed."""
    found = str(Path.cwd()), os.environ.get("CHAOS"), signal.getsignal(signal.SIGUSR1)
    if found[0] == "/" or found[1:] != (None, signal.SIG_DFL):
        raise RuntimeError(f"another task has left {found}")
    os.chdir("/")
    os.environ["CHAOS"] = str(task.x)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


_ACTS: Final[Mapping[str, Callable[[Misbehave], Any]]] = {
    "plain": _plain,
    "flaky": _flaky,
    "raises": _raises,
    "leaves": _leaves,
    "killed": _killed,
    "segfault": _segfault,
    "hangs": _hangs,
    "hog": _hog,
    "children": _children,
    "thread": _thread,
    "prints": _prints,
    "changes": _changes,
}
