"""How is a run stopped by another process? By the signals that its terminal would send."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import Final

from flowlib.errors import RunError
from flowlib.event_log import EventReader
from flowlib.events import RunEnded, RunStarted, Stopping
from flowlib.stored_runs import StoredRun
from stores import Owner

_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.1


def stop_run(run: StoredRun, *, now: bool = False) -> bool:
    """Ask a run to stop, and wait until it has begun to: nothing new starts then.

    Args:
        run: One that goes on.
        now: Whether the tasks that run are ended as well, rather than left to end by themselves.

    Returns:
        Whether it is stopping, or over; else it has been asked, and has not answered in a minute.

    Raises:
        RunError: its process is on another host, or of another user, or nobody can tell whether
            it is the one that began the run.
    """
    driver = run.driver
    if driver is None:
        raise RunError(f"nothing can be read of run {run.name} in {run.folder}")
    _refuse_stranger(run.name, driver)
    reader = EventReader(run.folder)
    if not _stops(reader, 0.0):
        _send(run.name, driver)
        if not _stops(reader, _PATIENCE_S):
            return False
    if now:
        _send(run.name, driver)
    return True


def _stops(reader: EventReader, patience_s: float) -> bool:
    """Whether a run tells in time that it stops, or is over."""
    until = time.monotonic() + patience_s
    while True:
        if any(isinstance(event, (Stopping, RunEnded)) for event in reader.new()):
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE_S)


def _refuse_stranger(name: str, driver: RunStarted) -> None:
    """Only the process that has begun the run is told, and no later one of its number."""
    owner = Owner(driver.host, driver.boot_id, driver.pid, driver.process_start)
    if owner.is_alive() is not True:
        here = socket.gethostname()
        raise RunError(
            f"run {name} was begun by process {driver.pid} on {driver.host}, which cannot be told "
            f"from here ({here}): `flowlib cancel {name}` there stops it"
        )


def _send(name: str, driver: RunStarted) -> None:
    try:
        os.kill(driver.pid, signal.SIGINT)
    except ProcessLookupError:
        return  # it has just ended
    except PermissionError as error:
        raise RunError(
            f"run {name} is that of another user (process {driver.pid} on {driver.host}), who "
            f"alone can stop it"
        ) from error
