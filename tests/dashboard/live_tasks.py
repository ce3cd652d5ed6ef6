"""A task that ends when it is told to."""

from __future__ import annotations

import time
from pathlib import Path

from flowlib import Task

LIMIT_S = 120


class Slow(Task):
    """Waits for a file."""

    def __init__(self, number: int, gate: str):
        self.number, self.gate = number, gate

    def run(self):
        """The number, once the file is there."""
        end = time.monotonic() + LIMIT_S
        print("waiting", self.number, flush=True)
        while not Path(self.gate).exists() and time.monotonic() < end:
            time.sleep(0.02)
        return {"n": self.number}
