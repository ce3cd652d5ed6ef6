"""A driver whose start on Dask or Ray fails, or whose end does; tells as JSON what it has left.

It is a process of its own, so that all that runs beside it is what the run has started.

    python -m tests.executors.failed_starts ENGINE CASE FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.executors import contract_tasks

_PATIENCE_S = 60.0


class UnknownToWorkers(LocalFileStore):
    """Cannot be sent anywhere."""

    def __reduce__(self) -> Any:
        raise TypeError("holds an open connection")


def other_processes() -> list[str]:
    """The commands that this process has started; without those of `multiprocessing` itself."""
    found = []
    for each in psutil.Process().children(recursive=True):
        try:
            command = " ".join(each.cmdline())
        except psutil.Error:
            continue
        if each.is_running() and command and "resource_tracker" not in command:
            found.append(command)
    return found


def left_over() -> list[str]:
    """What still runs after some time."""
    until = time.monotonic() + _PATIENCE_S
    while (found := other_processes()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def interrupt_when_begun(folder: Path, seen: dict[str, Any]) -> None:
    """Press Ctrl-C twice while a task runs, when Ray answers no more."""
    import ray

    def gone(*_: Any, **__: Any) -> None:
        raise ConnectionError("gone")

    def wait() -> None:
        until = time.monotonic() + _PATIENCE_S
        while not (folder / "begun").exists() and time.monotonic() < until:
            time.sleep(0.05)
        seen["running"] = other_processes() != []
        ray.cancel = gone
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def main(engine: str, case: str, folder: Path) -> None:
    """Run one task, which must not succeed."""
    seen: dict[str, Any] = {}
    store: LocalFileStore = LocalFileStore(folder / "store")
    spec = TaskSpec(contract_tasks.raises, {"n": 1})
    if case == "store":
        store = UnknownToWorkers(folder / "store")
    elif case == "timeout":
        spec = TaskSpec(contract_tasks.raises, {"n": 1}, timeout=5)
    elif case == "gone":
        spec = TaskSpec(contract_tasks.sleeps, {"seconds": 120.0, "folder": str(folder)})
        interrupt_when_begun(folder, seen)
    try:
        Flow([spec]).run(executor=engine, num_workers=1, results_store=store, progress=None)
    except BaseException as error:  # noqa: BLE001  # KeyboardInterrupt, too
        seen["error"] = f"{type(error).__name__}: {error}"
    seen["left"] = left_over()
    if engine == "ray":
        import ray

        seen["is_connected"] = ray.is_initialized()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
