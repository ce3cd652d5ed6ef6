"""What other processes do in tests of direct calls: at the top of a module, as they need it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import stores.lease
from stores import Owner, ResultsStore
from tests.flowlib.direct_tasks import slow, total


def on_host(name: str) -> None:
    """From now on this process takes itself for one of another host."""
    own = replace(Owner.of_this_process(), host=name, boot_id=name)
    stores.lease._owner = lambda pid: own  # type: ignore[assignment]  # the one place that knows


def slow_calls(
    store: ResultsStore, folder: str, gate: str, numbers: list[int], host: str = ""
) -> list[int]:
    """Call when the gate opens; gives what was computed."""
    if host:
        on_host(host)
    wait_for(Path(gate))
    return [slow.call(x, folder, 0.1, store=store)[1] for x in numbers]


def killed_call(store: ResultsStore, folder: str, host: str) -> None:
    """Die while it is computed."""
    on_host(host)
    slow(7, folder).options(before=_kill).result(store)


def wait_for(path: Path) -> None:
    """Until it is there."""
    end = time.monotonic() + 60
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(path)
        time.sleep(0.001)


def _kill(task: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def key_of_a_set() -> str:
    """As another process computes it, with its own hash seed."""
    return total.key({"b", "a", "c", ("d", 1)})
