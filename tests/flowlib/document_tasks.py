"""Tasks that the documents of the tests name."""

from __future__ import annotations

from typing import Any

from flowlib import Task
from stores import Sweep


class Fetch(Task):
    """Takes nothing."""

    def run(self) -> dict[str, int]:
        """One artifact."""
        return {"rows": 10}


class Train(Task):
    """Takes a nested config."""

    def __init__(self, lr: float = 0.1, layers: Any = None, model: Any = None) -> None:
        self.lr, self.layers, self.model = lr, layers, model

    def run(self, rows: int) -> dict[str, Any]:
        """What it was given."""
        return {"score": rows * self.lr, "seen": [self.layers, self.model]}


def select(score: list[Sweep], top: int = 1) -> dict[str, Any]:
    """The best of them."""
    return {"best": sorted(each.value for each in score)[-top:]}
