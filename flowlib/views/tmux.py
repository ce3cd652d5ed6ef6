"""A pane of tmux for each worker, which follows what it prints."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Final

from flowlib.errors import RunError
from flowlib.events import Event, RunEnded, RunStarted, Started
from flowlib.run_folders import WORKERS
from flowlib.tmux_session import SOCKET, TmuxSession
from flowlib.view import View

_PANES_PER_WINDOW: Final = 4

_log = logging.getLogger("flowlib")


class TmuxView(View):
    """Opens a pane when a worker gets its first task. Nothing of the run depends on it.

    Args:
        max_panes_per_window: With more workers than this there are several windows.
    """

    def __init__(self, max_panes_per_window: int = _PANES_PER_WINDOW) -> None:
        self._max_panes = max_panes_per_window
        self._session: TmuxSession | None = None
        self._logs = Path()
        self._panes: dict[int, str] = {}

    def show(self, event: Event) -> None:
        try:
            if isinstance(event, RunStarted):
                self._open(event)
            elif isinstance(event, Started):
                self._follow(event.worker, event.resource)
            elif isinstance(event, RunEnded) and self._session is not None:
                self._session.end()
        except (RunError, OSError) as error:
            self._session = None
            where = f"; the output of the workers is in {self._logs}" if self._logs.name else ""
            _log.warning("the run goes on without panes: %s%s", error, where)

    def _open(self, run: RunStarted) -> None:
        if not run.workers:
            return
        if run.folder is None:
            raise RunError("the run keeps no logs")
        self._logs = Path(run.folder, WORKERS)
        self._session = TmuxSession(run.project_name, run.run_name, self._max_panes)
        self._follow(0, "")
        outside = "TMUX= " if os.environ.get("TMUX") else ""
        target = shlex.quote(f"={self._session.name}")
        sys.stderr.write(f"panes: {outside}tmux -L {SOCKET} attach -t {target}\n")

    def _follow(self, worker: int, resource: str) -> None:
        if self._session is None:
            return
        title = f"worker {worker + 1}{f' · {resource}' if resource else ''}"
        if worker in self._panes:
            self._session.entitle(self._panes[worker], title)
        else:
            log = self._logs / f"w{worker + 1}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()  # or the pane would begin with a complaint of tail
            self._panes[worker] = self._session.follow(log, title)
