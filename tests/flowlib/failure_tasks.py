"""Tasks that fail on demand; in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from flowlib import Failure, LazySweep, Promise, Sweep


def fragile(n, broken=""):
    """Fail while the file `broken` names this number; write `computed` to count."""
    words = Path(broken).read_text().split() if broken else []
    if str(n) in words:
        secret = "".join(reversed("drowssap"))
        raise ValueError(f"{n} is broken and so are {len(secret)}")
    if f"kill-{n}" in words:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": n, "big": list(range(n))}


def pair(a, b, broken=()):
    """Fail for some combinations."""
    if f"{a}{b}" in broken:
        raise ValueError("broken")
    return {"value": b}


def doubled(value):
    """Read one value."""
    return {"value": 2 * value}


def told(value: list[Sweep], big: list[LazySweep]):
    """Say what arrived: numbers, failures with their configs, and the same lazily."""
    return {
        "seen": [
            (f"failed: {each.value}" if isinstance(each.value, Failure) else each.value)
            for each in value
        ],
        "configs": [dict(each.config) for each in value],
        "failures": [each.value for each in value if isinstance(each.value, Failure)],
        "lengths": [
            None if isinstance(loaded, Failure) else len(loaded)
            for loaded in (each.value.load() for each in big)
        ],
    }


def total(value: list[Sweep], counter=""):
    """Add up; note that it was computed."""
    if counter:
        with Path(counter).open("a") as file:
            file.write("x")
    return {"total": sum(each.value for each in value), "members": len(value)}


def after(total):
    """Read from the reduce."""
    return {"next": total + 1}


def last(next):
    """Read from what reads from the reduce."""
    return {"end": next + 1}


def either(value, other: Promise, third="default"):
    """A task that takes a value or its failure."""
    loaded = other.load()
    return {"value": value, "other": loaded, "third": third}


def gives_other():
    return {"other": "fine"}


def fails():
    raise KeyError("no such thing")
