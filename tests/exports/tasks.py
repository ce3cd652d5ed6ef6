"""Tasks that other engines run, in processes of their own."""

from __future__ import annotations

import time
from pathlib import Path

from flowlib import Flow, TaskSpec


def load(n):
    """A value."""
    return {"loaded": n}


def double(loaded):
    """Twice that."""
    return {"doubled": 2 * loaded}


def refuse(loaded, seen):
    """It fails; how often is written into a file."""
    with Path(seen).open("a") as file:
        file.write(f"{loaded}\n")
    if loaded:
        raise ValueError("the password of postgresql://user:hunter2@host/db is refused")
    return {"accepted": loaded}


def again(accepted):
    """Twice that, and one."""
    return {"doubled": 2 * accepted + 1}


def total(doubled):
    """The sum of those that there are."""
    return {"sum": sum(each.value for each in doubled)}


def sleep(seconds):
    """It takes its time."""
    time.sleep(seconds)


def chain(**options):
    """Two values, each doubled, and the sum."""
    loads = TaskSpec(load, {"n": [1, 2]}, expand="product", **options)
    doubles = TaskSpec(double)
    sums = TaskSpec(total, reduce=True)
    doubles.requires(loads)
    sums.requires(doubles)
    return Flow([sums])


def failing(seen):
    """One of two values is refused, so one is not doubled; the sum bears that."""
    refused = TaskSpec(refuse, {"loaded": [0, 1], "seen": str(seen)}, expand="product")
    doubles = TaskSpec(again)
    sums = TaskSpec(total, reduce=True, on_failure="skip")
    doubles.requires(refused)
    sums.requires(doubles)
    return Flow([sums])
