"""How is a run called, and which project does it belong to?"""

from __future__ import annotations

from typing import Final

from stores.lazy_dataclass import dataclass

UNCATEGORIZED: Final = "uncategorized"
"""The project of runs that were given none."""


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The names of one run."""

    project_name: str
    run_name: str
