"""Tasks that travel in bundles; in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from uuid import uuid4


def notes(folder: str, n: int) -> dict[str, int]:
    """Take note of having run."""
    Path(folder, f"{n}-{uuid4().hex}").touch()
    return {"n": n}


def sleeps(folder: str, n: int) -> dict[str, int]:
    """As `notes`, and take a while."""
    time.sleep(0.2)
    return notes(folder, n)


def fails(folder: str, n: int) -> dict[str, int]:
    """As `notes`, but one of ten fails."""
    notes(folder, n)
    if n % 10 == 7:
        raise ValueError(f"{n} ends in seven")
    return {"n": n}


def dies(folder: str, n: int) -> dict[str, int]:
    """As `notes`, but one kills its process, the first time."""
    is_first = times_run(folder).get(n) is None
    notes(folder, n)
    if n == 150 and is_first:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"n": n}


def waits_for_all(folder: str, n: int) -> dict[str, int]:
    """As `notes`, but one waits for all others."""
    until = time.monotonic() + 120.0
    while n == 60 and len(times_run(folder)) < 99 and time.monotonic() < until:
        time.sleep(0.05)
    seen = len(times_run(folder))
    return {**notes(folder, n), "seen": seen}


def times_run(folder: str) -> dict[int, int]:
    """How often each of them has run."""
    found: dict[int, int] = {}
    for each in Path(folder).iterdir():
        number = int(each.name.partition("-")[0])
        found[number] = found.get(number, 0) + 1
    return found
