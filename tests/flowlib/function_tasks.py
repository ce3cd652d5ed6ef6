"""Decorated functions for tests of calls: at the top of a module, as workers need them."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from flowlib import Ignore, Task, task


@dataclass(frozen=True)
class Settings:
    """A config that may hold specs."""

    data: Any
    factor: int = 1


@task
def load(n: int) -> list[int]:
    """The numbers below `n`."""
    return list(range(n))


@task(version=2)
def fit(data: list[int], lr: float = 0.1) -> dict[str, Any]:
    """A model, and more."""
    return {"model": sum(data) * lr, "more": [[1, 2], {"lr": lr}]}


@task
def total(values: Any) -> Any:
    """What is given, as it is given."""
    return values


@task
def add(first: int, second: int = 1) -> int:
    """A sum."""
    return first + second


@task
def told(x: int, *rest: int, note: str = "", **more: Any) -> list[Any]:
    """All that it got."""
    return [x, rest, note, more]


@task(ignore=["verbose"], require=["seed"])
def draw(
    n: int, seed: int = 0, verbose: bool = False, quiet: Annotated[bool, Ignore] = True
) -> int:
    """A number."""
    return n * 10 + seed


@task
def fails(x: int) -> int:
    """Fails."""
    raise ValueError(f"no {x}")


@task
def nothing() -> None:
    """Gives None."""


@task
def gives(value: Any, task: Any = None) -> Any:
    """Saves an artifact beside what it returns."""
    if task is not None:
        task.save([1], "saved")
    return value


class Train(Task):
    """A class: `run` gets the data."""

    def __init__(self, lr: float, depth: int = 1) -> None:
        self.lr = lr
        self.depth = depth

    def run(self, data: list[int]) -> dict[str, float]:
        """Scores."""
        return {"score": len(data) * self.lr * self.depth}


@task
def big_and_small() -> dict[str, Any]:
    """Two artifacts."""
    return {"big": list(range(1000)), "small": 7}


@task
def killed_once(folder: str) -> str:
    """Kills its process when it runs for the first time."""
    mark = Path(folder) / "ran"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@task
def lock_once(folder: str) -> Any:
    """Gives what nobody can store, once."""
    mark = Path(folder) / "gave"
    if not mark.exists():
        mark.touch()
        return threading.Lock()
    return "stored"


def told_by(decorated: Any) -> tuple[Any, Any, bool]:
    """What another process knows of a decorated function that it was sent."""
    return decorated.fn(3), decorated(5).config, decorated is globals()[decorated.__name__]
