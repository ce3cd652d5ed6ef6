"""Tasks whose worker is killed from outside; in a module of their own, so that it can import them."""

from __future__ import annotations

import os
import time
from pathlib import Path


def noted(n: int, folder: str, first: int = 0, last: int = -1) -> dict[str, object]:
    """Tell by a file that it was called, and where; those from `first` to `last` wait for the gate."""
    Path(folder, f"begun-{n}-{os.getpid()}-{time.monotonic_ns()}").touch()
    until = time.monotonic() + 240.0
    while first <= n <= last and not Path(folder, "open").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return {"n": n}
