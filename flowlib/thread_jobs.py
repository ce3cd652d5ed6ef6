"""How does a job run in a thread of this process, beside others? With a heartbeat of its own."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from flowlib.executor import ExecutorSetup
from flowlib.inline_output import InlineOutputs
from flowlib.job import Assignment, Job, Outcome
from flowlib.lent_values import Lent
from flowlib.running import Surroundings
from flowlib.task_output import no_outputs
from flowlib.worker import execute
from stores import Heartbeat, Owner, ResultsStore

_NOTHING: Final[Lent] = MappingProxyType({})


class ThreadJobs:
    """Runs jobs in whichever thread calls it.

    Args:
        store: The store of the run.
        owner: Who leases keys.
        around: What every task is told.
    """

    def __init__(self, store: ResultsStore, owner: Owner, around: Surroundings) -> None:
        self._store = store
        self._owner = owner
        self._around = around
        self._own = threading.local()  # one heart beats for one task

    @classmethod
    def of(cls, setup: ExecutorSetup) -> ThreadJobs:
        """Those of a run whose driver is this process."""
        outputs = no_outputs if setup.output is None else InlineOutputs(setup.output).of
        interrupts = setup.interrupts
        around = Surroundings(lambda: interrupts.is_stopping, output=outputs)
        return cls(setup.store, setup.owner, around)

    def run(self, job: Job, assignment: Assignment, lent: Lent = _NOTHING) -> Outcome:
        """The answer to a job, for which some values may be lent."""
        around = replace(self._around, lent=lent) if lent else self._around
        heartbeat = getattr(self._own, "heartbeat", None)
        if heartbeat is None:
            heartbeat = self._own.heartbeat = Heartbeat(self._store)
        with heartbeat.of(job.address):
            return execute(job, assignment, self._store, self._owner, around)

    def leave(self) -> None:
        """The thread that calls this will run no more."""
        heartbeat = getattr(self._own, "heartbeat", None)
        if heartbeat is not None:
            heartbeat.close()
