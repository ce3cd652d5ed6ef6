"""Functions for tests of direct calls: at the top of a module, as other processes need them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from flowlib import task


def noted(folder: str) -> int:
    """Note in a folder that something was computed; how often that was so far."""
    Path(folder, f"{time.monotonic_ns()}-{os.getpid()}-{os.urandom(4).hex()}").touch()
    return len([*Path(folder).iterdir()])


@task(ignore=["folder"])
def square(x: Any, folder: str = "") -> Any:
    """A square; counts its calls in a folder."""
    if folder:
        noted(folder)
    return x * x


@task(ignore=["folder"])
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
