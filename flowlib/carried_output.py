"""How do logs of tasks reach a driver whose folders are not on this host? With the outcomes."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from flowlib.inline_output import InlineOutputs
from flowlib.job import Assignment, Job, Outcome
from flowlib.running import Surroundings
from flowlib.task_output import OutputPlace, TaskOutput
from flowlib.thread_jobs import ThreadJobs
from stores import Owner, ResultsStore

_log = logging.getLogger("flowlib")

_LIMIT_BYTES: Final = 256 << 10
"""What is carried of a log: its first half, and its end."""


class CarryingJobs:
    """Runs jobs as `ThreadJobs` does; what a task has printed comes with its outcome.

    Args:
        store: The store of the run.
        owner: Who leases keys.
        around: What every task is told.
        place: Where the driver keeps logs.
    """

    def __init__(
        self, store: ResultsStore, owner: Owner, around: Surroundings, place: OutputPlace
    ) -> None:
        self._recorded = place.recorded
        self._texts: dict[str, bytes] = {}
        self._jobs = ThreadJobs(store, owner, replace(around, output=self._output))

    def run(self, job: Job, assignment: Assignment, *more: Any) -> Outcome:
        """The answer to a job."""
        outcome = self._jobs.run(job, assignment, *more)
        text = self._texts.pop(job.log, b"")
        return replace(outcome, log_text=text) if text else outcome

    @contextmanager
    def _output(self, name: str) -> Iterator[TaskOutput]:
        with tempfile.TemporaryDirectory(prefix="flowlib-log-") as folder:
            place = OutputPlace(Path(folder), self._recorded, _LIMIT_BYTES)
            with InlineOutputs(place).of(name) as output:
                yield output
            with suppress(OSError):  # it has printed nothing
                self._texts[name] = (place.folder / name).read_bytes()


def keep_carried(place: OutputPlace | None, job: Job, outcome: Outcome) -> None:
    """Keep the log that has come with an outcome, where that of a task here would be.

    Args:
        place: Where the run keeps logs; None if nowhere.
        job: Whose log it is.
        outcome: Holds its text.
    """
    if place is None or not outcome.log_text:
        return
    path = place.folder / job.log
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(outcome.log_text)
    except OSError as error:
        _log.warning("the log of %s cannot be kept in %s: %s", job.address, path, error)
