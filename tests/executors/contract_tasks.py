"""Tasks of the contract; in a module of their own, so that workers can import them."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import flowlib


def prepare(n: int) -> dict[str, object]:
    """Something to read from."""
    return {"data": list(range(n)), "size": n}


class Train(flowlib.Task):
    """Fails for some configs, and tells what it had."""

    def __init__(self, lr: float, seed: int) -> None:
        self.lr, self.seed = lr, seed

    def run(self, data: list[int], size: int) -> dict[str, object]:
        """Sum, or fail."""
        if self.seed % 10 == 7:
            raise ValueError(f"seed {self.seed} does not converge")
        self.save({"weights": [self.lr * each for each in data]}, "model", type_="json")
        return {"score": self.lr * sum(data) + self.seed, "size": size}


def collect(score: list[flowlib.Sweep]) -> dict[str, object]:
    """All scores that there are."""
    return {"total": sum(each.value for each in score), "count": len(score)}


def square(n: int) -> dict[str, object]:
    """Tell who computed it."""
    return {"square": n * n, "pid": os.getpid()}


def talks(n: int) -> dict[str, object]:
    """Print and log."""
    print(f"said {n}")
    logging.getLogger("talk").debug("logged %d", n)
    return {"n": n}


def raises(n: int) -> dict[str, object]:
    """Fail with words."""
    raise LookupError(f"no {n} here")


def dies(folder: str, n: int = 0) -> dict[str, object]:
    """Kill its own process, the first time."""
    mark = Path(folder) / str(n)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"n": n}


def large(megabytes: int) -> dict[str, object]:
    """Many bytes."""
    return {"content": os.urandom(1 << 20) * megabytes}


def measure(content: bytes) -> dict[str, object]:
    """Read them."""
    return {"length": len(content), "ends_alike": content[:64] == content[-(1 << 20) :][:64]}


class Holds(flowlib.Task):
    """Tells which resource it had, and when."""

    def __init__(self, n: int) -> None:
        self.n = n

    def run(self) -> dict[str, object]:
        """Hold it for a while."""
        began = time.time()
        time.sleep(0.03)
        return {"resource": self.resource, "span": [began, time.time()]}


def sleeps(seconds: float, folder: str) -> dict[str, object]:
    """Tell that it has begun, and sleep."""
    Path(folder, "begun").touch()
    time.sleep(seconds)
    return {"slept": seconds}


class Waits(flowlib.Task):
    """Runs until it is asked to stop, or somebody opens the gate."""

    def __init__(self, n: int, gate: str) -> None:
        self.n, self.gate = n, gate

    def run(self) -> dict[str, object]:
        """Tell that it has begun, and wait."""
        Path(self.gate, f"begun-{self.n}").touch()
        until = time.monotonic() + 60.0
        while not Path(self.gate, "open").exists() and time.monotonic() < until:
            if self.should_stop():
                return {"ended": "asked"}
            time.sleep(0.02)
        return {"ended": "gate"}
