"""How is a run called, and which project does it belong to?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The names of one run."""

    project_name: str
    run_name: str
