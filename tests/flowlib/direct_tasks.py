"""Functions for tests of direct calls: at the top of a module, as other processes need them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from flowlib import task, use_store


def noted(folder: str) -> int:
    """Note in a folder that something was computed; how often that was so far."""
    Path(folder, f"{time.monotonic_ns()}-{os.getpid()}-{os.urandom(4).hex()}").touch()
    return len([*Path(folder).iterdir()])


def count(folder: str) -> int:
    """How often tasks have run."""
    return len([*Path(folder).iterdir()])


@task(ignore=["folder"])
def square(x: Any, folder: str = "") -> Any:
    """A square; counts its calls in a folder."""
    if folder:
        noted(folder)
    return x * x


@task(ignore=["folder", "wait_s"])
def slow(x: int, folder: str, wait_s: float = 0.3) -> list[int]:
    """The same, slowly."""
    noted(folder)
    time.sleep(wait_s)
    return [x, x * x]


@task(ignore=["folder"])
def nothing(x: int, folder: str) -> None:
    """Gives None; counts its calls."""
    noted(folder)


@task(ignore=["folder"])
def fails(x: int, folder: str) -> int:
    """Fails; counts its calls."""
    noted(folder)
    raise ValueError(f"no {x}")


@task(ignore=["folder"])
def parts(n: int, folder: str = "") -> dict[str, Any]:
    """Two results by name."""
    if folder:
        noted(folder)
    return {"numbers": list(range(n)), "count": n}


@task
def total(values: Any) -> Any:
    """The sum of what is given."""
    return sum(values)


@task(eager=True, ignore=["folder"])
def eager_square(x: int, folder: str = "") -> int:
    """A square that is remembered by plain calls."""
    if folder:
        noted(folder)
    return x * x


@task
def with_store(x: int, store: str = "") -> str:
    """Has a parameter that direct calls have, too."""
    return f"{x}{store}"


@task(ignore=["folder"])
def sum_of_squares(n: int, folder: str = "") -> int:
    """Computes others at once while it runs."""
    below: int = sum(square.call(x, folder) for x in range(n))
    return below + int(square(n, folder).result())


@task
def itself(x: int) -> int:
    """Asks for what it is to compute."""
    return itself.call(x) + 1


@task
def fibonacci(n: int) -> int:
    """By itself, with smaller numbers."""
    return n if n < 2 else fibonacci.call(n - 1) + fibonacci.call(n - 2)


@task(ignore=["folder"])
def aside(x: int, elsewhere: str, folder: str) -> int:
    """Computes something in another store."""
    with use_store(elsewhere):
        return int(square.call(x, folder))


@task(ignore=["folder"])
def asks_a_failing_one(x: int, folder: str) -> str:
    """Goes on when what it computes fails."""
    try:
        fails.call(x, folder)
    except ValueError as error:
        return f"went on: {error}"
    return "never"
