"""How long does one process take, and what did it find?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

SHOWN_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one process.

    Attributes:
        seconds: From before its start until after its end.
        cpu_s: What it and its ended children computed.
        rss_kib: Its peak; 0 if it did not tell.
        inner_s: The part that it measured itself.
        speeds: What it measured itself, in MB/s.
        problem: Why it does not count: "timeout", or what went wrong.
    """

    seconds: float
    cpu_s: float = 0.0
    rss_kib: int = 0
    inner_s: float = 0.0
    speeds: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""

    @property
    def is_timeout(self) -> bool:
        """Whether it was ended because it took too long."""
        return self.problem == "timeout"


@dataclass(frozen=True, slots=True)
class Order:
    """One process to run.

    Attributes:
        command: Its arguments.
        folder: Where it runs, and where its log goes.
        variables: What is added to the environment.
        outcome: The file it leaves its facts in; None if it has none to tell.
        expected: The facts that it must find.
    """

    command: Sequence[str]
    folder: Path
    variables: Mapping[str, str]
    outcome: Path | None
    expected: Mapping[str, int]


def _environment() -> dict[str, str]:
    """This environment, but modules are compiled once, as on any user's machine."""
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def launch(order: Order, timeout_s: float) -> Outcome:
    """Run a process and everything it starts; end it after the timeout."""
    log = order.folder / "log.txt"
    os.sync()  # what the case before has written is not this one's to flush
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            order.command,
            cwd=order.folder,
            env={**_environment(), **order.variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        code, cpu_s, was_late = _wait(process, timeout_s)
        seconds = time.perf_counter() - began
    _kill_group(process.pid)  # what it has left behind
    if was_late:
        return Outcome(seconds, cpu_s, problem="timeout")
    if code != 0:
        return Outcome(seconds, cpu_s, problem=f"exit code {code}: {_tail(log)}")
    return _checked(order, seconds, cpu_s)


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> tuple[int, float, bool]:
    """Exit code, CPU seconds, whether it was late. Blocks: polling would blur the time."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill_group(process.pid)

    timer = threading.Timer(timeout_s, end)
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        _kill_group(process.pid)
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, late.is_set()


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _checked(order: Order, seconds: float, cpu_s: float) -> Outcome:
    if order.outcome is None:
        return Outcome(seconds, cpu_s)
    found = json.loads(order.outcome.read_text())
    wrong = found["facts"] != dict(order.expected)
    problem = f"found {found['facts']}, expected {dict(order.expected)}" if wrong else ""
    return Outcome(seconds, cpu_s, found["rss_kib"], found["inner_s"], found["speeds"], problem)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return "\n".join(lines[-SHOWN_LOG_LINES:])
