"""Which tasks does the fault-injection run compute? Worker processes import them from here."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from flowlib import Flow, Task, TaskSpec
from flowlib.context import context_of

WIDTH = 40
"""How many tasks of a round make a value; as many read one, and one more gathers them all."""

TASKS_OF_ROUND = 2 * WIDTH + 1
_SIZES = (2_000, 2_000, 2_000, 2_000, 40_000, 2_000, 2_000, 2_000, 2_000, 400_000)
"""Bytes of the values: within the record, beside it, and in several pieces."""


def flow_of(number: int, log: str, pause_s: float) -> Flow:
    """The tasks of one round; `log` and `pause_s` are no part of their identity."""
    hidden = {"log": log, "pause_s": pause_s}
    retries = {"killed": 100, "lost": 100}
    make = TaskSpec(
        Make, {"round_": number, "x": list(range(WIDTH))}, hidden, expand="product", retries=retries
    )
    use = TaskSpec(Use, {}, hidden, retries=retries).requires(make)
    gather = TaskSpec(Gather, {}, hidden, reduce=True, retries=retries).requires(use)
    return Flow([make, use, gather])


def payload(round_: int, x: int) -> bytes:
    """The bytes of one task: hard to compress, and the same in every process."""
    return b"".join(
        hashlib.sha256(f"{round_} {x} {block}".encode()).digest()
        for block in range(_SIZES[x % len(_SIZES)] // 32)
    )


class _Noted(Task):
    log: str
    pause_s: float

    def note(self) -> None:
        """Append key, attempt and process to the log, and take a moment to be killed in."""
        if not self.log:
            return
        context = context_of(self)
        line = f"{context.address.key} {context.attempt.number} {os.getpid()}\n"
        descriptor = os.open(Path(self.log), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line.encode())
        os.close(descriptor)
        time.sleep(self.pause_s)


class Make(_Noted):
    """Saves bytes and numbers."""

    def __init__(self, round_: int, x: int, log: str, pause_s: float) -> None:
        self.round_, self.x, self.log, self.pause_s = round_, x, log, pause_s

    def run(self) -> None:
        """Save one value before the pause, one after it."""
        self.save(payload(self.round_, self.x), "data")
        self.note()
        self.save({"square": self.x * self.x, "third": self.x / 3}, "numbers")


class Use(_Noted):
    """Reads what one `Make` saved."""

    def __init__(self, log: str, pause_s: float) -> None:
        self.log, self.pause_s = log, pause_s

    def run(self, data: bytes, numbers: dict[str, float]) -> dict[str, object]:
        """Something that depends on every byte."""
        self.note()
        digest = hashlib.sha256(data).hexdigest()
        return {"digest": digest, "total": numbers["third"] + len(data), "turned": data[::-1]}


class Gather(_Noted):
    """Reads what all `Use` of a round found."""

    def __init__(self, log: str, pause_s: float) -> None:
        self.log, self.pause_s = log, pause_s

    def run(self, digest: list[str], total: list[float]) -> dict[str, object]:
        """One digest of them all."""
        self.note()
        words = "\n".join(map(str, [*digest, *total]))
        return {"all": hashlib.sha256(words.encode()).hexdigest(), "count": len(digest)}
