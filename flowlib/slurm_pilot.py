"""What runs in an allocation of SLURM? A pilot, which takes jobs while there are some."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from flowlib.job import Outcome, OutcomeKind
from flowlib.policy import FailureKind
from flowlib.remote_job import RemoteJob, run_remote
from flowlib.running import Surroundings
from flowlib.slurm_spool import Spool
from stores.lazy_dataclass import dataclass

_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 1.0
_GROWTH: Final = 1.3
"""Of the pause between two looks for a job."""

_LOOK_S: Final = 1.0
"""How often to look whether the tasks are to stop."""

_RECENTLY_S: Final = 30.0
"""A task that has asked within this time whether to stop will ask again."""

_ENDED: Final = "SLURM has ended the job that it ran in"


@dataclass(frozen=True, slots=True)
class Pilot:
    """What submitit calls in the allocation.

    Attributes:
        folder: Of the spool.
        request: Which jobs it may take.
        idle_s: How long it waits for more before it leaves.
        warn_after_s: How long after its start its time is almost over.
    """

    folder: Path
    request: str
    idle_s: float
    warn_after_s: float

    def __call__(self) -> int:
        """Run jobs; how many they were."""
        spool, name = Spool(self.folder), name_of_pilot()
        signals = PilotSignals(spool, time.monotonic() + self.warn_after_s)
        count, until, pause_s = 0, time.monotonic() + self.idle_s, _FIRST_PAUSE_S
        with signals.heard():
            while not signals.is_over and not spool.is_said("closed"):
                with signals.held():
                    is_found = _run_one(spool, self.request, name, signals)
                if is_found:
                    count += 1
                    until, pause_s = time.monotonic() + self.idle_s, _FIRST_PAUSE_S
                elif time.monotonic() >= until:
                    break
                else:
                    time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # not all at once
                    pause_s = min(pause_s * _GROWTH, _LONGEST_PAUSE_S)
        if not signals.is_ending:  # SLURM may start this job once more
            with contextlib.suppress(FileNotFoundError):  # the run has gone, and its folder
                spool.answer("", name, b"")  # nobody needs to ask SLURM
        return count


def name_of_pilot() -> str:
    """The job that this process belongs to as squeue names it, and how often it was restarted."""
    known = os.environ
    job = known.get("SLURM_JOB_ID", "")
    if "SLURM_ARRAY_JOB_ID" in known:
        job = f"{known['SLURM_ARRAY_JOB_ID']}_{known['SLURM_ARRAY_TASK_ID']}"
    return f"{job}.{known.get('SLURM_RESTART_COUNT') or 0}"


def _run_one(spool: Spool, request: str, pilot: str, signals: PilotSignals) -> bool:
    taken = spool.take(request, pilot)
    if taken is None:
        return False
    name, data = taken
    remote: RemoteJob = pickle.loads(data)  # noqa: S301  # from the driver that has started us
    outcome = run_remote(remote, signals.surroundings)
    spool.answer(name, pilot, pickle.dumps(signals.judged(outcome), protocol=5))
    return True


class PilotSignals:
    """What SLURM, the driver and the clock tell a pilot.

    Some time before the allocation ends tasks are told to stop; SLURM says so by SIGUSR2, too,
    where its end has been moved. SIGTERM comes when it is taken away: a task that does not look
    for itself is ended as by Ctrl-C.

    Args:
        spool: Where the driver says that tasks are to stop.
        warn_at: When the allocation is almost over (monotonic).
    """

    def __init__(self, spool: Spool, warn_at: float) -> None:
        self._spool = spool
        self._warn_at = warn_at
        self._is_warned = False
        self._is_ending = False
        self._is_held = False
        self._is_in_task = False
        self._asked_at = float("-inf")
        self._look_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether no further job is to be begun."""
        return self._is_warned or self._is_ending or time.monotonic() >= self._warn_at

    @property
    def is_ending(self) -> bool:
        """Whether SLURM takes the allocation away."""
        return self._is_ending

    @property
    def surroundings(self) -> Surroundings:
        """What a task is told, and where it is interrupted."""
        return Surroundings(self._is_stopping, self._of_task)

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Listen to the signals."""
        numbers = (signal.SIGUSR2, signal.SIGTERM)
        before: dict[int, Any] = {each: signal.signal(each, self._take) for each in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """There may be a job to be answered for: go on to the end of it."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False

    def judged(self, outcome: Outcome) -> Outcome:
        """The outcome of a job in the light of what has come meanwhile."""
        if outcome.kind not in (OutcomeKind.FAILED, OutcomeKind.KILLED) or not self.is_over:
            return outcome
        if self._is_ending:  # the driver asks SLURM why
            killed = FailureKind.KILLED
            return replace(
                outcome, kind=OutcomeKind.KILLED, failure=killed, ended_by=int(signal.SIGTERM)
            )
        if outcome.failure is FailureKind.KILLED:  # it has stopped because it was told to
            return replace(outcome, failure=FailureKind.PREEMPTED)
        return outcome

    def _is_stopping(self) -> bool:
        now = self._asked_at = time.monotonic()
        if not self.is_over and now >= self._look_at:
            self._look_at = now + _LOOK_S
            if self._spool.is_said("stop"):  # else a signal may have come meanwhile
                self._is_warned = True
        return self.is_over

    @contextlib.contextmanager
    def _of_task(self) -> Iterator[None]:
        self._asked_at = float("-inf")
        try:
            self._is_in_task = True
            if self._is_ending:
                raise KeyboardInterrupt(_ENDED)
            yield
        finally:
            self._is_in_task = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGUSR2:
            self._is_warned = True
            return
        self._is_ending = True
        asks = time.monotonic() - self._asked_at < _RECENTLY_S
        if self._is_in_task and not asks:
            raise KeyboardInterrupt(_ENDED)
        if not self._is_held:
            raise SystemExit(0)
