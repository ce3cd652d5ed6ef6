"""Tasks for tests of processes; in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from flowlib import Task


def quick(n):
    """Tell who computed it."""
    return {"n": n, "pid": os.getpid()}


def long_at(n, long_ones=(), seconds=0.0):
    """Sleep, but only for some values."""
    if n in long_ones:
        time.sleep(seconds)
    return {"n": n, "pid": os.getpid(), "ended": time.time()}


def dies_once(n, folder):
    """Kill the own process the first time."""
    mark = Path(folder) / f"{n}"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"n": n}


def sleeps(seconds):
    """Sleep."""
    time.sleep(seconds)
    return {"slept": seconds}


def meets(n, folder):
    """Wait for another one that runs at the same time."""
    Path(folder, str(n)).touch()
    deadline = time.monotonic() + 60
    while len(list(Path(folder).iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return {"met": len(list(Path(folder).iterdir())) == 2, "ended": time.time()}


class UsesResource(Task):
    """Tells which resource it had, and when."""

    def __init__(self, n: int, seconds: float = 0.02):
        self.n, self.seconds = n, seconds

    def run(self):
        """Hold the resource for a while."""
        began = time.time()
        time.sleep(self.seconds)
        return {"resource": self.resource, "span": [began, time.time()]}


def sleeps_and_tells(seconds):
    """Sleep, and tell when, and what that has cost this process."""
    began, cpu_s = time.time(), time.process_time()
    time.sleep(seconds)
    cpu_s = time.process_time() - cpu_s
    return {"cpu_s": cpu_s, "pid": os.getpid(), "began": began, "ended": time.time()}


def counted(n, folder, deadly):
    """Leave a mark of every run; one of them kills its process."""
    with (Path(folder) / f"{n}").open("a") as file:
        file.write("ran\n")
    if n == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"n": n}


def lasts(folder, seconds):
    """Wait until `says` has run; tell whether it has."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (Path(folder) / "said").exists():
        time.sleep(0.01)
    return {"was_said": (Path(folder) / "said").exists()}


def says(n, folder):
    """Let `lasts` end."""
    (Path(folder) / "said").touch()
    return {"said": len(n)}


def closes_streams(n, deadly):
    """Close what stdout and stderr lead to, as who wraps descriptor 1 in a file of its own does."""
    if n == deadly:
        os.close(1)
        os.close(2)
    return {"n": n}
