"""What the tests of settings have workers do."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import flowlib
from flowlib import Task


def seen() -> dict:
    """The settings that hold where the task runs."""
    known = flowlib.settings()
    return {"preempt_max": known.preempt_max, "origin": known.origin("preempt_max")}


def nap(seconds: float) -> float:
    """Take a while."""
    time.sleep(seconds)
    return seconds


def number(x: int = 1) -> int:
    """Quick."""
    return x


def ends_itself(log: str, by: int) -> None:
    """As if somebody had sent its process a signal."""
    with Path(log).open("a") as file:
        file.write("tried\n")
    os.kill(os.getpid(), signal.Signals(by))
    time.sleep(30)


class Beat(Task):
    """Tells how often its lease is renewed."""

    def run(self) -> float:
        return self.results_store.beat_s


def talks(word: str) -> None:
    """Print something, and let the other worker get the other task."""
    print(f"says {word}", flush=True)
    time.sleep(1)
