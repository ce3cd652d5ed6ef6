"""A function that has moved here from `direct_tasks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowlib import task


@dataclass(frozen=True)
class Options:
    """Of the same name as one in `test_direct_defects`."""

    depth: int = 1


@task(ignore=["folder"])
def square(x: Any, folder: str = "") -> Any:
    """A square; counts its calls in a folder."""
    raise AssertionError("it is not computed again")
