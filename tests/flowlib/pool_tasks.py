"""Tasks for tests of pools: at the top of a module, where other processes find them."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from flowlib import task


@task
def cube(x: int) -> int:
    """The third power."""
    return x**3


@task
def noted(x: int, log: str = "", *, scale: int = 1, resource_dict: Any = None) -> list[Any]:
    """What it got; each time it runs it leaves a line."""
    note(log, f"noted {x}")
    return [x * scale, resource_dict]


@task
def slow(x: int, log: str, gate: str) -> int:
    """Waits until the gate is there."""
    note(log, f"slow {x}")
    wait_for(gate)
    return x + 1


@task
def where(x: int) -> list[int]:
    """The process that has computed it."""
    return [x, os.getpid()]


@task
def brittle(log: str, mark: str) -> str:
    """Fails until the mark is there."""
    note(log, "brittle")
    if not Path(mark).exists():
        raise LookupError("no mark yet")
    return "whole"


@task
def first_of(values: Any) -> Any:
    """The first value, of whatever can be walked through."""
    return next(iter(values))


@task
def keyed(key: str, workers: int, pure: bool, priority: int) -> list[Any]:
    """Parameters that Dask has, too."""
    return [key, workers, pure, priority]


@task
def pending(future: Any) -> Any:
    """What a Future gives, when it is done."""
    return future


class Opaque:
    """Its objects have no identity."""


def plain(x: int, *, y: int = 0) -> int:
    """No task."""
    return x + y


def note(log: str, line: str) -> None:
    """Append a line, whole."""
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def lines(log: Path) -> list[str]:
    """All that was noted."""
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def wait_for(gate: str | Path, patience_s: float = 60.0) -> None:
    """Until somebody makes a file."""
    end = time.monotonic() + patience_s
    while not Path(gate).exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{gate} was not opened")
        time.sleep(0.01)


def value(future: Future[Any]) -> Any:
    """What a Future gives, in time."""
    return future.result(timeout=120)
