"""What do benchmarks of executors run?"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def nothing(n: int) -> dict[str, int]:
    """As little as a task can."""
    return {"n": n}


def waits(n: int, seconds: float) -> dict[str, int]:
    """Wait."""
    time.sleep(seconds)
    return {"n": n}


def dies_once(n: int, seconds: float, folder: str) -> dict[str, int]:
    """As `waits`, but the first one kills its process, once."""
    mark = Path(folder, "dead")
    time.sleep(seconds)
    if n == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"n": n}
