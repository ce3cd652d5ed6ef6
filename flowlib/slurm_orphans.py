"""
What becomes of allocations whose driver was killed? They end what they run, and take no more.

A driver that has ended as it should has taken its name out of its spool. Allocations of one that
was killed are not given tasks of another run: they have imported the code of their own.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from flowlib.run_folders import SPOOL
from flowlib.slurm_endings import is_over
from flowlib.slurm_queue import SlurmQueue, SlurmSilent
from flowlib.slurm_spool import Spool
from stores import Owner

_log = logging.getLogger("flowlib")

_DRIVER: Final = "driver"


def note_driver(spool: Spool, owner: Owner, name: str) -> None:
    """Let drivers that come later know whose spool this is.

    Args:
        spool: Of a run.
        owner: The process that the run belongs to.
        name: What its jobs are called.
    """
    told = {"owner": owner.to_list(), "name": name, "is_kept": spool.is_kept}
    (spool.folder / _DRIVER).write_text(json.dumps(told))


def forget_driver(spool: Spool) -> None:
    """The run is over."""
    with contextlib.suppress(OSError):
        (spool.folder / _DRIVER).unlink(missing_ok=True)


def close_orphans(spool: Spool) -> None:
    """Close the spools beside this one whose drivers were killed on this host."""
    for path in _beside(spool):
        try:
            told: Any = json.loads(path.read_text())
            is_dead = Owner.from_list(told["owner"]).is_alive() is False
            other, name = Spool(path.parent, is_kept=bool(told["is_kept"])), str(told["name"])
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if is_dead:
            _close(other, name)


def _beside(spool: Spool) -> Iterable[Path]:
    """What is known of the drivers of other runs."""
    around = spool.folder.parent
    if spool.folder.name == SPOOL:  # in the folder of a run
        return list(around.parent.glob(f"*/{SPOOL}/{_DRIVER}"))
    return list(around.glob(f"*/{_DRIVER}"))


def _close(spool: Spool, name: str) -> None:
    spool.say("closed")
    spool.withdraw_all()
    queue = SlurmQueue(spool.logs, name)
    queue.cancel(only_pending=True)
    try:
        left = [job for job, state in queue.states().items() if not is_over(state)]
    except SlurmSilent:
        return  # the next driver looks again
    if left:
        _log.info("jobs of a run that was killed end what they run: %s", ", ".join(sorted(left)))
    if not left or spool.is_kept:
        forget_driver(spool)
        spool.leave()
