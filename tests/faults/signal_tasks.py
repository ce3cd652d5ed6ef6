"""Tasks that meet signals: patient ones, polite ones, and some that do not let go."""

from __future__ import annotations

import hashlib
import os
import signal
import time

from flowlib import Task
from tests.faults.tasks import note


class Meets(Task):
    """Notes that it runs, then goes on for a while in one of several ways."""

    def __init__(self, x: int, how: str, log: str, seconds: float = 60.0) -> None:
        self.x, self.how, self.log, self.seconds = x, how, log, seconds

    def run(self) -> dict[str, object]:
        """Go on."""
        assert not (self.how in ("asks", "gives_up") and self.should_stop())
        note(self.log, f"began {self.x} {os.getpid()}")
        try:
            told = getattr(self, f"_{self.how}")()
        except BaseException as error:
            note(self.log, f"ended {self.x} {type(error).__name__}")
            raise
        finally:
            note(self.log, f"cleaned {self.x}")
        return {"x": self.x, "told": told}

    def _sleeps(self) -> bool:
        time.sleep(self.seconds)
        return self.should_stop()

    def _asks(self) -> bool:
        """Finish soon after it was told to stop."""
        until = time.monotonic() + self.seconds
        while not self.should_stop():
            assert time.monotonic() < until, "it was never told"
            time.sleep(0.02)
        return True

    def _gives_up(self) -> bool:
        self._asks()
        raise KeyboardInterrupt("saved")

    def _clings(self) -> bool:
        """Catch every interrupt."""
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                note(self.log, f"shrugged {self.x}")
        return False

    def _hogs(self) -> bool:
        """Be busy outside of Python, so that no handler runs."""
        hashlib.pbkdf2_hmac("sha256", b"", b"", 300_000_000)
        return False

    def _handles(self) -> bool:
        """Have a handler of its own, as programs do that save a checkpoint on SIGTERM."""
        got: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
        until = time.monotonic() + self.seconds
        while not got and time.monotonic() < until:
            time.sleep(0.02)
        return bool(got)
